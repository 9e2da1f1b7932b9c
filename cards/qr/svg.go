package qr

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// SVG draws the code as a picture of any size, whose unit is a module. It holds no
// script, style, type or address outside of itself.
func (c *Code) SVG() []byte {
	d := c.drawing
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img">`, number(d.width), number(d.height))
	fmt.Fprintf(&out, "<title>%s</title>", html.EscapeString(or(d.title, "QR code")))
	for _, f := range d.figures {
		fmt.Fprintf(&out, `<path fill="%s" d="`, f.colour)
		f.path.draw(&svgPen{out: &out})
		out.WriteString(`"/>`)
	}
	if d.logo != nil {
		at := d.logoAt
		fmt.Fprintf(&out, `<image x="%s" y="%s" width="%s" height="%s" href="data:image/png;base64,%s"/>`,
			number(at.x), number(at.y), number(at.width), number(at.height), base64.StdEncoding.EncodeToString(d.logo.png))
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// number keeps a hundredth of a module.
func number(x float64) string { return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) }

// svgPen writes the commands of a path (SVG 1.1, 8.3) from point to point, which
// takes half as many characters as from the corner: a code has thousands of points.
type svgPen struct {
	out   *bytes.Buffer
	at    [2]int // in hundredths of a module
	begun [2]int // where the outline began, and ends
}

func (p *svgPen) MoveTo(x, y float64) {
	p.command('m', x, y)
	p.begun = p.at
}

func (p *svgPen) LineTo(x, y float64) { p.command('l', x, y) }

func (p *svgPen) CubeTo(bx, by, cx, cy, dx, dy float64) { p.command('c', bx, by, cx, cy, dx, dy) }

func (p *svgPen) ClosePath() {
	p.out.WriteByte('z')
	p.at = p.begun
}

// command writes points as seen from the last one; the last of them is the next's.
// What is rounded is where they are, so that nothing adds up.
func (p *svgPen) command(name byte, numbers ...float64) {
	p.out.WriteByte(name)
	var to [2]int
	for i, n := range numbers {
		to[i%2] = int(math.Round(n * 100))
		part := hundredths(to[i%2] - p.at[i%2])
		if i > 0 && part[0] != '-' {
			p.out.WriteByte(' ')
		}
		p.out.WriteString(part)
	}
	p.at = to
}

// hundredths is n/100 in the fewest characters: -5 is "-.05".
func hundredths(n int) string {
	text := strconv.FormatFloat(float64(n)/100, 'f', -1, 64)
	if whole, part, ok := strings.Cut(text, "."); ok && (whole == "0" || whole == "-0") {
		return strings.TrimSuffix(whole, "0") + "." + part
	}
	return text
}
