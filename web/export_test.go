package web

// CutCSV bounds the ledger's download until the function that it gives is called.
func CutCSV(most int) (restore func()) {
	before := csvMost
	csvMost = most
	return func() { csvMost = before }
}
