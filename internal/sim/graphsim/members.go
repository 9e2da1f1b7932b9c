package graphsim

// membership is the direct members of one group. Edges stay in the order they
// were first made and are never dropped, so a window over them stays true while
// a delta round is being read.
type membership struct {
	edges []edge
	at    map[*object]int32
}

type edge struct {
	member *object
	since  change
	gone   bool
}

func newMembership(size int) *membership {
	return &membership{edges: make([]edge, 0, size), at: make(map[*object]int32, size)}
}

func (m *membership) add(o *object, now change) bool {
	i, ok := m.at[o]
	if !ok {
		m.at[o] = int32(len(m.edges))
		m.edges = append(m.edges, edge{member: o, since: now})
		return true
	}
	if !m.edges[i].gone {
		return false
	}
	m.edges[i] = edge{member: o, since: now}
	return true
}

// remove without a trace when silent: later delta rounds say nothing about it.
func (m *membership) remove(o *object, now change, silent bool) bool {
	i, ok := m.at[o]
	if !ok || m.edges[i].gone {
		return false
	}
	e := &m.edges[i]
	e.gone = true
	if !silent {
		e.since = now
	}
	return true
}

// window is the n-th slice of size edges.
func (m *membership) window(n, size int) []edge {
	from := min(n*size, len(m.edges))
	return m.edges[from:min(from+size, len(m.edges))]
}

func (m *membership) windows(size int) int { return (len(m.edges) + size - 1) / size }

// present lists the ids of the members, those in the recycle bin included.
func (m *membership) present() []string {
	ids := make([]string, 0, len(m.edges))
	for _, e := range m.edges {
		if !e.gone {
			ids = append(ids, e.member.id)
		}
	}
	return ids
}
