package qr

import "github.com/varsel/varsel/internal/colour"

// drawing is what a code looks like in any form, in modules from the upper left corner.
type drawing struct {
	title         string
	width, height float64
	figures       []figure // each over those before it
	logo          *logo
	logoAt        rectangle
}

// figure is outlines in one colour.
type figure struct {
	colour colour.RGB
	path   path
}

type rectangle struct{ x, y, width, height float64 }

const (
	frameWide   = 1.0  // modules
	frameRound  = 3.0  // modules
	captionHigh = 0.16 // of the width
	captionWide = 0.9  // of the width, at most
	capitals    = 0.4  // of the caption's height
)

// draw lays out a code whose middle was cleared for the logo.
func (l *Look) draw(m matrix, cleared int) drawing {
	s, colours := l.style, l.palette
	border := 0.0
	if s.Frame != NoFrame {
		border = frameWide
	}
	quiet := float64(s.QuietZone)
	d := drawing{title: s.Caption, width: float64(len(m)) + 2*(quiet+border)}
	d.height = d.width
	if s.Caption != "" {
		d.height += captionHigh * d.width
	}
	d.ground(s.Frame, colours)
	var body, finders path
	body.modules(m.body(), s.Modules, quiet+border)
	finders.finders(len(m), s.Finders, quiet+border)
	d.fill(colours.foreground, body)
	d.fill(colours.finders, finders)
	d.write(l.caption, s.Frame, colours)
	if l.logo != nil {
		// Half a module stays free around the logo.
		d.logo, d.logoAt = l.logo, l.logo.fit(d.width/2, float64(cleared)-1)
	}
	return d
}

func (d *drawing) fill(c colour.RGB, p path) { d.figures = append(d.figures, figure{c, p}) }

// ground is the background and the frame over it, which has room for the caption
// below.
func (d *drawing) ground(frame Frame, colours palette) {
	r := 0.0
	if frame == RoundedFrame {
		r = frameRound
	}
	var all path
	all.box(0, 0, d.width, d.height, round(r))
	d.fill(colours.background, all)
	if frame == NoFrame {
		return
	}
	inner := d.width - 2*frameWide
	var line path
	line.box(0, 0, d.width, d.height, round(r))
	line.box(frameWide+inner, frameWide, -inner, inner, round(max(r-frameWide, 0)))
	d.fill(colours.foreground, line)
}

// write adds the caption under the code, light on the frame or dark without one.
func (d *drawing) write(c caption, frame Frame, colours palette) {
	if len(c.outlines) == 0 {
		return
	}
	ink := colours.foreground
	if frame != NoFrame {
		ink = colours.background
	}
	high := d.height - d.width
	scale := min(high*capitals/c.capital, d.width*captionWide/c.width)
	middle := d.width + high/2
	if frame != NoFrame {
		middle -= frameWide / 2 // the line under the code is part of the frame's foot
	}
	d.fill(ink, c.outlines.placed((d.width-c.width*scale)/2, middle+c.capital*scale/2, scale))
}

// placed is the path so many times as large, with its origin moved to x and y.
func (p path) placed(x, y, scale float64) path {
	moved := make(path, len(p))
	for i, s := range p {
		for j, point := range s.points {
			s.points[j] = [2]float64{x + point[0]*scale, y + point[1]*scale}
		}
		moved[i] = s
	}
	return moved
}
