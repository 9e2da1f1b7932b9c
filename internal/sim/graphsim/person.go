package graphsim

import (
	"strconv"
	"time"
)

// person is one employee or guest of the example, before Graph's names.
type person struct {
	index   int
	id      string
	dice    *dice
	country *country
	city    *city
	given   string
	surname string
	address string // local part
	team    *team
	title   string
	manager bool
	shift   string // "" for who works office hours
	kind    kind
}

// kind is what is the matter with a person or their numbers.
type kind int

const (
	ordinary kind = iota
	numberless
	mistyped
	deskOnly
	switchboardOnly
	guest
	blocked
)

// kindOf deals kinds out evenly: any hundred people in a row have the same number
// of each.
func kindOf(i int) kind {
	switch n := (i*37 + 50) % 100; {
	case n < 3:
		return numberless
	case n < 4:
		return mistyped
	case n < 8:
		return deskOnly
	case n < 9:
		return switchboardOnly
	case n < 10:
		return guest
	case n < 11:
		return blocked
	}
	return ordinary
}

type team struct {
	name    string
	weight  int // of all people, per hundred
	shifts  bool
	titles  []string
	manager string
}

var teams = []team{
	{"Production", 22, true, []string{"Operator", "Process technician", "Line lead"}, "Production manager"},
	{"Logistics", 16, true, []string{"Driver", "Warehouse worker", "Planner"}, "Logistics manager"},
	{"Maintenance", 10, true, []string{"Electrician", "Mechanic", "Automation technician"}, "Maintenance manager"},
	{"Sales", 12, false, []string{"Account executive", "Sales adviser"}, "Sales manager"},
	{"Customer service", 12, false, []string{"Customer adviser", "Case handler"}, "Customer service manager"},
	{"Engineering", 8, false, []string{"Engineer", "Senior engineer", "Designer"}, "Engineering manager"},
	{"Finance", 6, false, []string{"Accountant", "Controller"}, "Finance manager"},
	{"IT", 6, false, []string{"Systems engineer", "Support technician", "Developer"}, "IT manager"},
	{"HR", 4, false, []string{"HR adviser", "Payroll specialist"}, "HR manager"},
	{"Procurement", 4, false, []string{"Buyer", "Category lead"}, "Procurement manager"},
}

func teamOf(roll int) *team {
	for i := range teams {
		if roll -= teams[i].weight; roll < 0 {
			return &teams[i]
		}
	}
	panic("graphsim: the weights of the teams are less than 100")
}

func newPerson(i int) person {
	d := newDice(i)
	p := person{index: i, id: exampleID("person", strconv.Itoa(i)), dice: d, kind: kindOf(i)}
	p.country, p.city = workplace(d.roll(1000))
	p.given, p.surname = p.country.names.draw(d)
	p.team = teamOf(d.roll(100))
	if p.team.shifts {
		p.shift = pick(d, []string{"day shift", "day shift", "evening shift", "night shift"})
	}
	p.title = pick(d, p.team.titles)
	if d.oneIn(12) && p.kind != guest {
		p.manager, p.title = true, p.team.manager
	}
	return p
}

func (n *names) draw(d *dice) (given, surname string) {
	surname = pick(d, n.surnames)
	if d.oneIn(2) {
		return pick(d, n.men), surname
	}
	if n.feminine != nil {
		surname = n.feminine(surname)
	}
	return pick(d, n.women), surname
}

// properties as Graph has them.
func (p person) properties() map[string]any {
	set := map[string]any{
		"displayName":       p.given + " " + p.surname,
		"givenName":         p.given,
		"surname":           p.surname,
		"userPrincipalName": p.address + "@" + exampleDomain,
		"mail":              p.address + "@" + exampleDomain,
		"jobTitle":          p.title,
		"department":        p.team.name,
		"officeLocation":    p.city.name + ", floor " + strconv.Itoa(1+p.dice.roll(6)),
		"companyName":       "Fjordlys",
		"preferredLanguage": p.country.language,
		"accountEnabled":    p.kind != blocked,
		"userType":          "Member",
		"usageLocation":     p.country.region,
		"country":           p.country.name,
		"city":              p.city.name,
		"employeeId":        strconv.Itoa(10_000 + p.index),
		"employeeType":      "Employee",
		"assignedLicenses":  licences,
		"createdDateTime":   hired(p.index),
	}
	if p.dice.oneIn(15) { // nobody gave them a licence, so nobody set it
		delete(set, "usageLocation")
		delete(set, "assignedLicenses")
		set["country"] = pick(p.dice, p.country.spelled)
	}
	if p.shift != "" && p.dice.oneIn(20) {
		set["mail"] = nil
	}
	if p.kind == guest {
		p.invite(set)
	}
	if p.minor() {
		set["ageGroup"], set["consentProvidedForMinor"] = "Minor", "Granted"
		set["legalAgeGroupClassification"] = "MinorWithParentalConsent"
		set["employeeType"] = "Apprentice"
	}
	p.setPhones(set)
	return set
}

// minor is one ordinary person in a hundred: an apprentice below 18.
func (p person) minor() bool { return p.index%100 == 60 && !p.manager }

// One licence, that of Microsoft 365 E3, shared by everyone's properties.
var licences = []map[string]any{{"skuId": "05e9a617-0261-4cee-bb44-138d3ef5d965", "disabledPlans": []string{}}}

// hired spreads the making of accounts over ten years.
func hired(i int) string {
	return time.Date(2015, 1, 5, 7, 30, 0, 0, time.UTC).AddDate(0, 0, i*7919%3650).Format(time.RFC3339)
}

func (p person) invite(set map[string]any) {
	set["userType"] = "Guest"
	set["displayName"] = p.given + " " + p.surname + " (Nordpartner)"
	set["companyName"] = "Nordpartner"
	set["employeeType"], set["externalUserState"] = "Consultant", "Accepted"
	delete(set, "employeeId")
	delete(set, "assignedLicenses")
	set["mail"] = p.address + "@nordpartner.example"
	set["userPrincipalName"] = p.address + "_nordpartner.example#EXT#@" + exampleDomain
}

// setPhones leaves a property out to say that it was never set.
func (p person) setPhones(set map[string]any) {
	if mobile, ok := p.mobilePhone(); ok {
		set["mobilePhone"] = mobile
	}
	set["businessPhones"] = p.businessPhones()
}

func (p person) mobilePhone() (value any, ok bool) {
	hundred := p.index / 100
	switch p.kind {
	case numberless:
		blanks := []any{nil, "", "n/a", "ask reception"}
		n := (hundred + p.dice.roll(3)) % (len(blanks) + 1)
		if n == len(blanks) {
			return nil, false
		}
		return blanks[n], true
	case deskOnly, switchboardOnly:
		blanks := []any{nil, "", "n/a"}
		n := hundred % (len(blanks) + 1)
		if n == len(blanks) {
			return nil, false
		}
		return blanks[n], true
	case mistyped:
		return []any{"12345", "+47 123"}[hundred%2], true
	}
	return handled(p.dice, p.country.mobile.write(p.dice, mobileTail(p.index))), true
}

// businessPhones is a list in Graph that never has more than one number.
func (p person) businessPhones() []string {
	switch {
	case p.kind == deskOnly:
		return []string{p.desk()}
	case p.kind == switchboardOnly:
		return []string{p.switchboard()}
	case p.kind == numberless || p.dice.oneIn(2):
		return []string{}
	case p.dice.oneIn(4):
		return []string{p.switchboard() + " ext " + strconv.Itoa(100+p.dice.roll(900))}
	}
	return []string{p.desk()}
}

func (p person) desk() string { return p.city.desk.write(p.dice, deskTail(p.index)) }

// switchboard is the same text for all who have it, whatever they rolled.
func (p person) switchboard() string {
	return p.city.desk.write(newDice(firstSwitchboard), deskTail(firstSwitchboard+p.city.weight))
}
