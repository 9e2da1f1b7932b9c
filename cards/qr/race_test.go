//go:build race

package qr

// Pictures take ten times as long under the race detector, and have no goroutines.
func init() { everySo = 13 }
