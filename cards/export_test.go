package cards

// Slugs lets a test say which slugs are tried, until it ends.
func Slugs(t interface{ Cleanup(func()) }, next func() string) {
	before := newSlug
	newSlug = next
	t.Cleanup(func() { newSlug = before })
}

// Orientation is how a camera was held, as a file says.
var Orientation = orientation
