package cards

// Slugs lets a test say which slugs are tried, until it ends.
func Slugs(t interface{ Cleanup(func()) }, next func() string) {
	before := newSlug
	newSlug = next
	t.Cleanup(func() { newSlug = before })
}

// Orientation is how a camera was held, as a file says.
var Orientation = orientation

// Walks are the statements that are repeated until all was gone through, each with the
// index that it goes by.
var Walks = map[string]string{nextCards: "cards_by_account", listedCards: "cards_by_account", claimedMail: "card_mails_waiting",
	diedMails: "card_mails_sending", overdueMails: "card_mails_waiting"}
