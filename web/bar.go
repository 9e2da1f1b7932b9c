package web

import "strconv"

// narrowest is the least width, in percent of the bar, of what is there at all:
// three of ten thousand are to be seen.
const narrowest = 0.7

// lay gives the segments of a bar their places, in the order and proportion of
// the counts.
func lay(segments []segment, counts []int) {
	total := 0
	for _, n := range counts {
		total += n
	}
	widths, sum := make([]float64, len(counts)), 0.0
	for i, n := range counts {
		if n > 0 {
			widths[i] = max(narrowest, float64(n)*100/float64(total))
			sum += widths[i]
		}
	}
	x := 0.0
	for i := range segments {
		if sum > 0 {
			widths[i] *= 100 / sum
		}
		segments[i].X, segments[i].Width = inPercent(x), inPercent(widths[i])
		x += widths[i]
	}
}

func inPercent(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) + "%" }
