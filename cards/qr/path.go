package qr

// pen is what all three forms are drawn with.
type pen interface {
	MoveTo(x, y float64)
	LineTo(x, y float64)
	CubeTo(bx, by, cx, cy, dx, dy float64)
	ClosePath()
}

// path is outlines to be filled, in modules from the upper left corner. One that
// runs inside another the other way around is a hole in it.
type path []step

// step is a point to move to or go on to, or the end of an outline.
type step struct {
	kind   stepKind
	points [3][2]float64
}

type stepKind int

const (
	move stepKind = iota
	straight
	curve
	closing
)

func (p path) draw(with pen) {
	for _, s := range p {
		a, b, c := s.points[0], s.points[1], s.points[2]
		switch s.kind {
		case move:
			with.MoveTo(a[0], a[1])
		case straight:
			with.LineTo(a[0], a[1])
		case curve:
			with.CubeTo(a[0], a[1], b[0], b[1], c[0], c[1])
		case closing:
			with.ClosePath()
		}
	}
}

func (p *path) to(kind stepKind, points ...[2]float64) {
	s := step{kind: kind}
	copy(s.points[:], points)
	*p = append(*p, s)
}

// line goes straight on, unless it is there already.
func (p *path) line(fromX, fromY, x, y float64) {
	if fromX != x || fromY != y {
		p.to(straight, [2]float64{x, y})
	}
}

// arc is how far along a quarter of a circle the control points of the Bézier curve
// next to it lie, for a radius of 1.
const arc = 0.5522847498

// corners are radii, from the upper left on clockwise.
type corners [4]float64

// box adds a rectangle with round corners. A negative width draws it the other way
// around, which makes it a hole; its corners are then all as round.
func (p *path) box(x, y, width, height float64, r corners) {
	sign := 1.0
	if width < 0 {
		sign = -1
	}
	right, bottom := x+width, y+height
	// Where the four sides begin and end, without their corners.
	top0, top1 := x+sign*r[0], right-sign*r[1]
	right0, right1 := y+r[1], bottom-r[2]
	bottom0, bottom1 := right-sign*r[2], x+sign*r[3]
	left0, left1 := bottom-r[3], y+r[0]
	p.to(move, [2]float64{top0, y})
	p.line(top0, y, top1, y)
	p.corner(top1, y, right, right0, right, y)
	p.line(right, right0, right, right1)
	p.corner(right, right1, bottom0, bottom, right, bottom)
	p.line(bottom0, bottom, bottom1, bottom)
	p.corner(bottom1, bottom, x, left0, x, bottom)
	p.line(x, left0, x, left1)
	p.corner(x, left1, top0, y, x, y)
	p.to(closing)
}

// corner goes from a point to another in a quarter of a circle around the corner that
// they have between them; where they are one point it goes nowhere.
func (p *path) corner(fromX, fromY, toX, toY, cornerX, cornerY float64) {
	if fromX == toX && fromY == toY {
		return
	}
	p.to(curve,
		[2]float64{fromX + (cornerX-fromX)*arc, fromY + (cornerY-fromY)*arc},
		[2]float64{toX + (cornerX-toX)*arc, toY + (cornerY-toY)*arc},
		[2]float64{toX, toY})
}

// round are four corners alike.
func round(r float64) corners { return corners{r, r, r, r} }

// diamond adds a square that stands on a corner, which is so far from the middle.
func (p *path) diamond(x, y, far float64) {
	p.to(move, [2]float64{x, y - far})
	p.to(straight, [2]float64{x + far, y})
	p.to(straight, [2]float64{x, y + far})
	p.to(straight, [2]float64{x - far, y})
	p.to(closing)
}

// scaled draws with another pen, so many times as large.
type scaled struct {
	with pen
	by   float64
}

func (s scaled) MoveTo(x, y float64) { s.with.MoveTo(x*s.by, y*s.by) }
func (s scaled) LineTo(x, y float64) { s.with.LineTo(x*s.by, y*s.by) }
func (s scaled) ClosePath()          { s.with.ClosePath() }
func (s scaled) CubeTo(bx, by, cx, cy, dx, dy float64) {
	s.with.CubeTo(bx*s.by, by*s.by, cx*s.by, cy*s.by, dx*s.by, dy*s.by)
}
