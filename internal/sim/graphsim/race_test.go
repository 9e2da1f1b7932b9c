//go:build race

package graphsim

// The number parser takes fifteen times as long under -race, and nothing here is
// about goroutines: the plain run tests the full size.
func init() { exampleSizes = []int{500, 4_000} }
