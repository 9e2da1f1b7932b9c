package graphsim

// chart gathers people into groups: All staff holds countries, these hold cities,
// these hold departments and shifts, and only those hold people.
type chart struct {
	order  []*Group
	byName map[string]*Group
	nested map[[2]string]bool
}

const (
	allStaff    = "All staff"
	allManagers = "All managers"
	crisisTeam  = "Crisis team"
	deputies    = "Crisis team, deputies"
	aurora      = "Project Aurora"
)

func newChart() *chart {
	c := &chart{byName: map[string]*Group{}, nested: map[[2]string]bool{}}
	c.group(allStaff).Description = "Everyone who works at Fjordlys, through the groups of their country and city"
	c.group(allManagers).Description = "People who lead others"
	c.group(aurora).Unified = true
	c.group(aurora).Mail = "aurora@" + exampleDomain
	c.nest(allStaff, crisisTeam)
	c.nest(crisisTeam, deputies)
	c.nest(deputies, crisisTeam) // nobody meant this; directories have it all the same
	return c
}

func (c *chart) group(name string) *Group {
	if g := c.byName[name]; g != nil {
		return g
	}
	g := &Group{ID: exampleID("group", name), DisplayName: name}
	c.byName[name] = g
	c.order = append(c.order, g)
	return g
}

func (c *chart) nest(outer, inner string) {
	if c.nested[[2]string{outer, inner}] {
		return
	}
	c.nested[[2]string{outer, inner}] = true
	c.join(outer, c.group(inner).ID)
}

func (c *chart) join(name, id string) {
	g := c.group(name)
	g.Members = append(g.Members, id)
}

func (c *chart) place(p person) {
	c.placeIn(p, p.team.name)
	if p.shift != "" {
		c.placeIn(p, p.shift)
	}
	if p.manager {
		c.join(allManagers, p.id)
	}
	if p.manager && p.index%7 == 0 {
		c.join(crisisTeam, p.id)
	}
	if p.manager && p.index%7 == 1 {
		c.join(deputies, p.id)
	}
	if p.index%25 == 0 || p.kind == guest {
		c.join(aurora, p.id)
	}
}

func (c *chart) placeIn(p person, part string) {
	name := p.city.name + ", " + part
	c.join(name, p.id)
	c.nest(p.city.name, name)
	c.nest(p.country.name, p.city.name)
	c.nest(allStaff, p.country.name)
}

func (c *chart) groups() []Group {
	groups := make([]Group, len(c.order))
	for i, g := range c.order {
		groups[i] = *g
	}
	return groups
}
