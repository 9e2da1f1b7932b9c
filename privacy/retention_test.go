package privacy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/privacy"
	"github.com/varsel/varsel/smsqueue"
)

// inDays is a time at which everything of now is that old.
func inDays(n int) time.Time { return time.Now().AddDate(0, 0, n).Add(time.Hour) }

func TestOldTextsAndNumbersGoAndWhatIsCountedStays(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		ledger := `SELECT SUM(amount_micro) FROM ledger_entries`
		charged := e.count(ledger)
		asked := got(e.queue.CountRollCall(ctx, e.account.ID, e.roll.ID))
		check(t, e.desk.RunRetention(ctx, inDays(500)))

		same(t, "texts left", e.count(`SELECT COUNT(*) FROM messages WHERE body <> ''`)+e.count(`SELECT COUNT(*) FROM campaigns WHERE body <> ''`)+
			e.count(`SELECT COUNT(*) FROM inbound WHERE body <> ''`), 0)
		same(t, "numbers left", e.count(`SELECT COUNT(*) FROM messages WHERE phone LIKE '+%'`)+e.count(`SELECT COUNT(*) FROM inbound WHERE phone LIKE '+%'`)+
			e.count(`SELECT COUNT(*) FROM roll_answers WHERE phone LIKE '+%'`)+e.count(`SELECT COUNT(*) FROM opt_out_replies WHERE phone LIKE '+%'`), 0)
		same(t, "parts left", e.count(`SELECT COUNT(*) FROM message_parts`), 0)
		same(t, "numbers that were told apart", e.count(`SELECT COUNT(DISTINCT phone) FROM messages`), people)
		same(t, "the ledger", e.count(ledger), charged)
		same(t, "the roll call", got(e.queue.CountRollCall(ctx, e.account.ID, e.roll.ID)), asked)
		for _, before := range []smsqueue.Campaign{e.campaign, e.roll} {
			now := got(e.queue.Campaign(ctx, e.account.ID, before.ID))
			same(t, "counters", now.Counts, before.Counts)
		}
		same(t, "suppressed", len(got(e.queue.Suppressions(ctx, e.account.ID, smsqueue.SuppressionFilter{Phone: numberOf(11), Limit: 10}))), 1)
		if !slices.Contains(e.chain(e.account.ID), "retention.ran") {
			t.Error("the chain does not say that it ran")
		}
	})
}

func TestAReplacedNumberIsNotFoundByItAndTheCampaignsPageStillIs(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		check(t, e.desk.RunRetention(ctx, inDays(500)))
		talk, err := e.queue.Conversation(ctx, e.account.ID, numberOf(1), 0, 50)
		if err == nil && len(talk.Lines) > 0 {
			t.Errorf("found %d lines by the number", len(talk.Lines))
		}
		listed := got(e.queue.Messages(ctx, e.account.ID, smsqueue.MessageFilter{Campaign: e.campaign.ID, Limit: 50}))
		same(t, "messages listed", len(listed), people)
		for _, m := range listed {
			if !isToken(m.Phone) {
				t.Errorf("%q is no token", m.Phone)
			}
		}
	})
}

func TestWhatIsYoungOrOnItsWayStays(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		check(t, e.desk.RunRetention(ctx, inDays(3)))
		e.exec(`UPDATE ranges SET closed = FALSE`)
		check(t, e.desk.RunRetention(ctx, inDays(500)))
		same(t, "texts", e.count(`SELECT COUNT(*) FROM messages WHERE body <> ''`), people+1)
		same(t, "numbers", e.count(`SELECT COUNT(*) FROM messages WHERE phone LIKE '+%'`), 2*people+1)
		if e.count(`SELECT COUNT(*) FROM message_parts`) == 0 {
			t.Error("receipts of what is on its way find it no more")
		}
	})
}

func TestTheSameNumberHasTheSameTokenInItsAccountAndAnotherInTheNext(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		other := e.open(t, "other")
		id := got(e.db.NewIDs(ctx, 1))
		e.exec(`INSERT INTO inbound (id, account_id, carrier_id, phone, number, body, parts, received_at) VALUES ($1, $2, 1, $3, '+4759440001', 'hello', 1, 1)`, id, other.ID, numberOf(0))
		check(t, e.desk.RunRetention(ctx, inDays(500)))
		same(t, "tokens of a number in its account", e.count(`
			SELECT COUNT(DISTINCT m.phone) FROM messages m JOIN inbound i ON i.phone = m.phone WHERE m.campaign_id = $1`, e.campaign.ID), 3)
		same(t, "tokens shared by two accounts", e.count(`SELECT COUNT(*) FROM inbound a JOIN inbound b ON a.phone = b.phone AND a.account_id <> b.account_id`), 0)
	})
}

func TestARunThatIsDoneAgainDoesNothingMoreAndReports(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		first := map[string]int{}
		for _, r := range got(e.desk.RunRetentionOf(ctx, e.account.ID, inDays(500))) {
			first[r.Class] = r.Count
		}
		// 12 merged texts, the single one, and the texts of two campaigns; 25 numbers of
		// messages and 3 received; 25 parts; 3 received texts; 3 answers.
		same(t, "the first run", first, map[string]int{privacy.MessageTexts: people + 3, privacy.MessageNumbers: 2*people + 4, "inbound_texts": 3,
			"receipts": 2*people + 1, "roll_answers": 3, "card_consents": 0, "hidden_contacts": 0, "access_log": 0, "audit_details": 0, privacy.Ledger: 0})
		for _, r := range got(e.desk.RunRetentionOf(ctx, e.account.ID, inDays(500))) {
			if r.Count != 0 {
				t.Errorf("%s: %d rows once more", r.Class, r.Count)
			}
		}
		for _, k := range got(e.desk.Retention(ctx, e.account.ID)) {
			if k.Name == privacy.MessageTexts && (k.Last == nil || k.Last.Outcome != privacy.RunDone || k.Last.Count != 0 || !k.Last.Oldest.IsZero()) {
				t.Errorf("the last run is told as %+v", k.Last)
			}
		}
		same(t, "reports", len(got(e.desk.Runs(ctx, e.account.ID, 0, 100))), 2*len(first))
	})
}

func TestAHoldKeepsEverythingUntilItIsLifted(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		h, err := e.desk.Hold(ctx, e.account.ID, privacy.MessageTexts, "Case 12-345 at Oslo tingrett")
		check(t, err)
		check(t, e.desk.RunRetention(ctx, inDays(500)))
		same(t, "texts while it stands", e.count(`SELECT COUNT(*) FROM messages WHERE body <> ''`), people+1)
		same(t, "numbers, which are not held", e.count(`SELECT COUNT(*) FROM messages WHERE phone LIKE '+%'`), 0)
		check(t, e.desk.LiftHold(ctx, e.account.ID, h.ID))
		if err := e.desk.LiftHold(ctx, e.account.ID, h.ID); !problem.Has(err, "hold_not_found") {
			t.Errorf("lifted twice: %v", err)
		}
		check(t, e.desk.RunRetention(ctx, inDays(500)))
		same(t, "texts after it", e.count(`SELECT COUNT(*) FROM messages WHERE body <> ''`), 0)
		var said []string
		for _, a := range e.chain(e.account.ID) {
			if a == "retention.held" || a == "retention.hold_lifted" {
				said = append(said, a)
			}
		}
		same(t, "the chain", said, []string{"retention.held", "retention.hold_lifted"})
	})
}

func TestWhatIsSaidForAnAccountGoesBeforeWhatIsSaidForAll(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		days := func() (int, privacy.Says) {
			for _, k := range got(e.desk.Retention(ctx, e.account.ID)) {
				if k.Name == privacy.MessageTexts {
					return k.Days, k.Says
				}
			}
			return 0, ""
		}
		for _, step := range []struct {
			account int64
			days    int
			want    int
			says    privacy.Says
		}{
			{0, 60, 60, privacy.SaysInstallation}, {e.account.ID, 20, 20, privacy.SaysAccount}, {0, 90, 20, privacy.SaysAccount},
			{e.account.ID, 0, 90, privacy.SaysInstallation}, {0, 0, 180, privacy.SaysDefault},
		} {
			check(t, e.desk.SetRetention(ctx, step.account, privacy.MessageTexts, step.days))
			if n, says := days(); n != step.want || says != step.says {
				t.Errorf("after %+v: %d by %s", step, n, says)
			}
		}
	})
}

func TestTimesThatCannotBeAreRefused(t *testing.T) {
	e := bareEstate(t, "sqlite://"+t.TempDir()+"/v.db")
	for _, c := range []struct {
		account int64
		class   string
		days    int
		code    string
	}{
		{e.account.ID, privacy.MessageTexts, 1, "invalid_days"}, // it may be on its way or be sent again
		{e.account.ID, privacy.MessageNumbers, 99999, "invalid_days"},
		{e.account.ID, privacy.MessageTexts, -1, "invalid_days"},
		{0, privacy.Ledger, 365, "invalid_days"}, // bookkeeping law
		{e.account.ID, privacy.Ledger, 3653, "retention_installation"},
		{e.account.ID, "idempotency_keys", 3, "retention_fixed"},
		{e.account.ID, "cookies", 3, "invalid_class"},
	} {
		if err := e.desk.SetRetention(t.Context(), c.account, c.class, c.days); !problem.Has(err, c.code) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestACampaignWhoseTextOrNumbersAreGoneIsNotSentAgain(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		_, err := e.desk.Hold(ctx, e.account.ID, privacy.MessageTexts, "kept for this test")
		check(t, err)
		check(t, e.desk.RunRetention(ctx, inDays(500)))
		if _, err := e.queue.Resend(ctx, e.account.ID, e.campaign.ID, smsqueue.AudienceFilter{}, "", ""); !problem.Has(err, "numbers_removed") {
			t.Errorf("numbers gone: %v", err)
		}
		e.exec(`UPDATE campaigns SET body = ''`)
		if _, err := e.queue.Resend(ctx, e.account.ID, e.campaign.ID, smsqueue.AudienceFilter{}, "", ""); !problem.Has(err, "text_removed") {
			t.Errorf("text gone: %v", err)
		}
		if _, err := e.queue.SetRollAnswer(ctx, e.account.ID, e.roll.ID, numberOf(5), "1"); !problem.Has(err, "answers_removed") {
			t.Errorf("answers gone: %v", err)
		}
	})
}

func TestTheLedgerStaysForItsYears(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		before := e.count(`SELECT COUNT(*) FROM ledger_entries`)
		check(t, e.desk.RunRetention(t.Context(), inDays(3600)))
		same(t, "within them", e.count(`SELECT COUNT(*) FROM ledger_entries`), before)
		check(t, e.desk.RunRetention(t.Context(), inDays(3660)))
		same(t, "after them", e.count(`SELECT COUNT(*) FROM ledger_entries`), 0)
	})
}
