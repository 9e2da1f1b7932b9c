package smpp

// slots is into how many equal shares the binds can be divided: none would
// have less than one part a second.
func (c config) slots() int {
	if c.Throughput > 0 {
		return min(c.Binds, c.Throughput)
	}
	return c.Binds
}

// share is the part of the configuration that n slots open. What does not
// divide stays unused when there are several shares, because each of them only
// knows its own size: together they never exceed the totals. 0 is all.
func (c config) share(n int) config {
	slots := c.slots()
	if n <= 0 || n >= slots {
		return c
	}
	c.Binds = proportion(c.Binds, n, slots)
	c.Window = proportion(c.Window, n, slots)
	c.Throughput = proportion(c.Throughput, n, slots)
	return c
}

// proportion is total*n/of, rounded down and without overflow.
func proportion(total, n, of int) int { return total/of*n + total%of*n/of }

// windows shares the window out over the binds: none gets less than one place.
func (c config) windows() []int {
	shares := make([]int, c.Binds)
	for i := range shares {
		shares[i] = c.Window / c.Binds
		if i < c.Window%c.Binds {
			shares[i]++
		}
	}
	return shares
}
