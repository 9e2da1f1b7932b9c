package qr

// finder is how many modules a side a finder pattern has.
const finder = 7

// inFinder says whether a module is one of the three finder patterns'.
func (m matrix) inFinder(x, y int) bool {
	far := len(m) - finder
	return y < finder && (x < finder || x >= far) || y >= far && x < finder
}

// body is the code without its finder patterns, which are drawn by themselves.
func (m matrix) body() matrix {
	rest := make(matrix, len(m))
	for y := range m {
		rest[y] = make([]bool, len(m))
		for x := range m[y] {
			rest[y][x] = m[y][x] && !m.inFinder(x, y)
		}
	}
	return rest
}

// thin is the width of bars and dots, which touch no neighbour beside them.
const thin = 0.9

// modules adds the dark modules in their shape.
func (p *path) modules(m matrix, shape ModuleShape, at float64) {
	switch shape {
	case SquareModules:
		m.runs(func(x, y, length int) {
			p.box(at+float64(x), at+float64(y), float64(length), 1, corners{})
		})
	case BarModules:
		m.runs(func(x, y, length int) {
			gap := (1 - thin) / 2
			p.box(at+float64(x)+gap, at+float64(y)+gap, float64(length)-2*gap, thin, round(thin/2))
		})
	case ColumnModules:
		m.turned().runs(func(y, x, length int) {
			gap := (1 - thin) / 2
			p.box(at+float64(x)+gap, at+float64(y)+gap, thin, float64(length)-2*gap, round(thin/2))
		})
	default:
		m.each(func(x, y int) { p.module(m, shape, x, y, at) })
	}
}

// module adds one dark module.
func (p *path) module(m matrix, shape ModuleShape, x, y int, at float64) {
	left, top := at+float64(x), at+float64(y)
	switch shape {
	case DotModules:
		gap := (1 - thin) / 2
		p.box(left+gap, top+gap, thin, thin, round(thin/2))
	case DiamondModules:
		p.diamond(left+0.5, top+0.5, 0.6)
	case RoundedModules:
		p.box(left, top, 1, 1, m.freeCorners(x, y))
	}
}

// freeCorners are round where no neighbour joins the module.
func (m matrix) freeCorners(x, y int) (r corners) {
	up, down, left, right := m.dark(x, y-1), m.dark(x, y+1), m.dark(x-1, y), m.dark(x+1, y)
	for i, joined := range []bool{up || left, up || right, down || right, down || left} {
		if !joined {
			r[i] = 0.5
		}
	}
	return r
}

func (m matrix) each(do func(x, y int)) {
	for y := range m {
		for x := range m[y] {
			if m[y][x] {
				do(x, y)
			}
		}
	}
}

// runs calls do with each row's dark modules that stand side by side.
func (m matrix) runs(do func(x, y, length int)) {
	for y, row := range m {
		for x := 0; x < len(row); x++ {
			first := x
			for x < len(row) && row[x] {
				x++
			}
			if x > first {
				do(first, y, x-first)
			}
		}
	}
}

// turned has columns for rows.
func (m matrix) turned() matrix {
	t := make(matrix, len(m))
	for y := range m {
		t[y] = make([]bool, len(m))
		for x := range m {
			t[y][x] = m[x][y]
		}
	}
	return t
}

// finderRadii are those of the ring outside and inside, and of the eye, in modules.
// A ring that is a circle has no sides left by which some readers find how a code
// lies: zbar read 3 of 72 styles that were tilted.
var finderRadii = map[FinderShape][3]float64{
	SquareFinders:  {0, 0, 0},
	RoundedFinders: {2, 1.2, 0.8},
	RoundFinders:   {2.5, 1.5, 1.5},
}

// finders adds the three patterns: a ring of a module's width with an eye of three.
func (p *path) finders(modules int, shape FinderShape, at float64) {
	r, far := finderRadii[shape], float64(modules-finder)
	for _, corner := range [][2]float64{{0, 0}, {far, 0}, {0, far}} {
		x, y := at+corner[0], at+corner[1]
		p.box(x, y, 7, 7, round(r[0]))
		p.box(x+6, y+1, -5, 5, round(r[1]))
		p.box(x+2, y+2, 3, 3, round(r[2]))
	}
}
