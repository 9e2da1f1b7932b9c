package graphsim

import (
	"fmt"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// cleaned strips what a careful reader strips: format characters, odd blanks,
// "(0)" after a country code, "tel:".
func cleaned(raw string) string {
	s := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, raw)
	s = strings.ReplaceAll(strings.TrimSpace(s), "(0)", "")
	return strings.TrimPrefix(s, "tel:")
}

func regionOf(u User) string {
	if region, ok := u.Properties["usageLocation"].(string); ok {
		return region
	}
	for _, c := range countries {
		if slices.Contains(c.spelled, u.Properties["country"].(string)) {
			return c.region
		}
	}
	return ""
}

// verdict is what a careful reader makes of a person's numbers: mobilePhone if it
// holds a number (three digits), else the first of businessPhones.
type verdict struct {
	inScope, both bool
	worth         worth
	e164          string
	complaint     string // what the example promised and did not keep
}

type worth int

const (
	noNumber worth = iota
	invalidNumber
	deskNumber
	mobileNumber
)

func judge(u User) verdict {
	v := verdict{inScope: u.Properties["userType"] == "Member" && u.Properties["accountEnabled"] == true}
	mobile, _ := u.Properties["mobilePhone"].(string)
	desks := u.Properties["businessPhones"].([]string)
	raw, region := mobile, regionOf(u)
	v.worth = mobileNumber
	if !holdsNumber(mobile) {
		raw, v.worth = strings.Join(desks, ""), deskNumber
	}
	if raw == "" {
		v.worth = noNumber
		return v
	}
	v.both = v.worth == mobileNumber && len(desks) > 0
	n, err := phonenumbers.Parse(cleaned(raw), region)
	if err != nil || !phonenumbers.IsValidNumberForRegion(n, region) {
		v.worth = invalidNumber
		if raw != "12345" && raw != "+47 123" {
			v.complaint = fmt.Sprintf("%q is not valid in %s: %v", raw, region, err)
		}
		return v
	}
	v.e164 = phonenumbers.Format(n, phonenumbers.E164)
	if kind := phonenumbers.GetNumberType(n); v.worth == mobileNumber && kind != phonenumbers.MOBILE && kind != phonenumbers.FIXED_LINE_OR_MOBILE {
		v.complaint = fmt.Sprintf("%q is no mobile number in %s but %v", raw, region, kind)
	}
	return v
}

func holdsNumber(s string) bool {
	n := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n >= 3
}

var exampleSizes = []int{500, 20_000}

func TestExampleNumbers(t *testing.T) {
	for _, people := range exampleSizes {
		org := Example(people)
		worths, owners, inScope := map[worth]int{}, map[string]int{}, map[string]bool{}
		both, scope := 0, 0
		for i, u := range org.Users {
			v := judge(u)
			if v.complaint != "" {
				t.Errorf("person %d: %s", i, v.complaint)
			}
			worths[v.worth]++
			if v.worth == mobileNumber {
				if other, taken := owners[v.e164]; taken {
					t.Errorf("persons %d and %d have the same mobile number", i, other)
				}
				owners[v.e164] = i
			}
			if v.both {
				both++
			}
			if v.inScope {
				scope++
			}
			if v.inScope && v.e164 != "" {
				inScope[v.e164] = true
			}
		}
		hundreds := people / 100
		equal(t, "none, invalid, desk, mobile", worths, map[worth]int{
			noNumber: 3 * hundreds, invalidNumber: hundreds, deskNumber: 5 * hundreds, mobileNumber: 91 * hundreds,
		})
		equal(t, "in scope", scope, 98*hundreds)
		// Of the 94 in a hundred who are in scope and have a number, one has the switchboard's.
		equal(t, "numbers of those in scope", len(inScope), 93*hundreds+switchboards(org))
		if part := both * 100 / worths[mobileNumber]; part < 45 || part > 55 {
			t.Errorf("%d %% of those with a mobile have a desk phone too", part)
		}
	}
}

// switchboards counts the cities where someone has the switchboard's number alone.
func switchboards(org Org) int {
	cities := map[any]bool{}
	for i, u := range org.Users {
		if kindOf(i) == switchboardOnly {
			cities[u.Properties["city"]] = true
		}
	}
	return len(cities)
}

// Every tail is dealt once, for people and switchboards alike.
func TestNumberTailsDoNotRepeat(t *testing.T) {
	for name, tail := range map[string]func(int) int{"mobile": mobileTail, "desk": deskTail} {
		seen := make([]bool, tailSpace)
		for i := range tailSpace {
			at := tail(i) - firstTail
			if seen[at] {
				t.Fatalf("%s: %d again", name, tail(i))
			}
			seen[at] = true
		}
	}
}

func TestExampleIsTheSameEachTime(t *testing.T) {
	small, again, large := Example(50), Example(50), Example(60)
	if !reflect.DeepEqual(small, again) {
		t.Error("two of the same size differ")
	}
	if !reflect.DeepEqual(small.Users, large.Users[:50]) {
		t.Error("a larger one does not begin with the smaller")
	}
	equal(t, "nobody", len(Example(0).Users), 0)
}

func TestExampleHasWhatRealDirectoriesHave(t *testing.T) {
	org := Example(20_000)
	var typed, names strings.Builder
	ids, addresses, unlocated := map[string]bool{}, map[string]bool{}, map[string]bool{}
	minors, unlicensed := 0, 0
	for _, u := range org.Users {
		p := u.Properties
		typed.WriteString(fmt.Sprintf("[%v]", p["mobilePhone"]))
		names.WriteString(p["displayName"].(string))
		ids[u.ID], addresses[p["userPrincipalName"].(string)] = true, true
		if _, ok := p["usageLocation"]; !ok {
			unlocated[p["country"].(string)] = true
		}
		if p["legalAgeGroupClassification"] == "MinorWithParentalConsent" {
			minors++
		}
		if p["assignedLicenses"] == nil {
			unlicensed++
		}
		if _, ok := p["mobilePhone"]; !ok {
			typed.WriteString("[absent]")
		}
	}
	if minors < 150 || minors > 200 || unlicensed < 1200 || unlicensed > 1800 {
		t.Errorf("%d minors and %d without a licence", minors, unlicensed)
	}
	equal(t, "ids and addresses", fmt.Sprint(len(ids), len(addresses)), "20000 20000")
	for _, want := range []string{
		"[+47 4", "[0047 ", "[(+46) 7", "[07", "[+45 ", "[050", "[+48 5", "[0151 ", "[+49 (0)15", "[07400 ", "[+44 (0) 7400 ", "[tel:+47",
		"\u00a0", " ]", "\u202a", "\u200e", "[<nil>]", "[absent]", "[]", "[n/a]", "[ask reception]", "[12345]", "[+47 123]",
	} {
		if !strings.Contains(typed.String(), want) {
			t.Errorf("nobody typed %q", want)
		}
	}
	for _, r := range "æøåäöüßłżśćńóę" {
		if !strings.ContainsRune(names.String(), r) {
			t.Errorf("no name with %c", r)
		}
	}
	for _, want := range []string{"Norge", "Norway", "Sverige", "Deutschland"} {
		if !unlocated[want] {
			t.Errorf("nobody has only %q to say where they are", want)
		}
	}
}

func TestExampleGroupsReachEveryone(t *testing.T) {
	org := Example(2000)
	groups, byName := map[string]Group{}, map[string]Group{}
	for _, g := range org.Groups {
		groups[g.ID], byName[g.DisplayName] = g, g
	}
	reached, people := map[string]bool{}, 0
	var walk func(id string)
	walk = func(id string) {
		if reached[id] {
			return
		}
		reached[id] = true
		g, isGroup := groups[id]
		if !isGroup {
			people++
		}
		for _, m := range g.Members {
			walk(m)
		}
	}
	walk(byName["All staff"].ID)
	equal(t, "people in All staff", people, len(org.Users))
	for _, name := range []string{"All managers", "Norway", "Oslo", "Oslo, Sales", "Oslo, night shift", "Kraków, Production"} {
		if len(byName[name].Members) == 0 {
			t.Errorf("nobody in %q", name)
		}
	}
	if a, b := byName[crisisTeam], byName[deputies]; !slices.Contains(a.Members, b.ID) || !slices.Contains(b.Members, a.ID) {
		t.Error("no cycle")
	}
}

func TestLargeOrganisationIsQuickAndSmall(t *testing.T) {
	before := heap()
	began := time.Now()
	s, c := start(t, Options{Org: Example(20_000)})
	took := time.Since(began)
	grown := (heap() - before) >> 20
	t.Logf("20,000 people: %v, %d MB", took, grown)
	if grown >= 40 {
		t.Errorf("20,000 people take %d MB", grown)
	}
	equal(t, "people", len(c.round("/users/delta?$select=displayName,mobilePhone,businessPhones").ids()), 20_000)
	edges := 0
	for _, it := range c.round("/groups/delta?$select=members").items() {
		edges += len(it["members@delta"].([]any))
	}
	want := 0
	for _, g := range s.Groups() {
		want += len(g.Members)
	}
	equal(t, "memberships", edges, want)
	equal(t, "nothing but GET", s.GraphMethods()[http.MethodGet], len(s.Requests())-s.SignIns())
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
