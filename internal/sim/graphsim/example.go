package graphsim

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
)

// MaxExample is the most people an Example can have.
const MaxExample = 200_000

const exampleDomain = "fjordlys.example"

// Example is the same made-up company each time, with people from 0 to 200,000.
// A person depends on their index alone, but for the number in an address that
// is taken: a larger company begins with the people of a smaller one.
//
// Of a hundred people 3 have no number, 1 has an invalid mobile number, 5 have a
// desk phone only (1 of them the switchboard's number), 1 is a guest and 1 is
// blocked, and about 1 is a minor and 7 have no licence; the others have a valid mobile number, half of them a desk phone too.
// No two share a mobile or a direct number. The group "All staff" reaches
// everyone through nested groups, with a cycle among them.
func Example(people int) Org {
	if people < 0 || people > MaxExample {
		panic(fmt.Sprintf("graphsim: an example of %d people: 0 to %d", people, MaxExample))
	}
	org := Org{Name: "Fjordlys", Domain: exampleDomain, Users: make([]User, 0, people)}
	chart := newChart()
	taken := make(map[string]int, people)
	for i := range people {
		p := newPerson(i)
		p.address = unusedAddress(taken, p)
		org.Users = append(org.Users, User{ID: p.id, Properties: p.properties()})
		chart.place(p)
	}
	org.Groups = chart.groups()
	return org
}

// dice is splitmix64: the same rolls on any machine and in any version of Go.
type dice uint64

func newDice(i int) *dice {
	d := dice(uint64(i)*0x9e3779b97f4a7c15 + 0x5bf03635)
	d.next()
	return &d
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (d *dice) roll(n int) int { return int(d.next() % uint64(n)) }

func (d *dice) oneIn(n int) bool { return d.roll(n) == 0 }

func pick[T any](d *dice, from []T) T { return from[d.roll(len(from))] }

func exampleID(kind, name string) string {
	sum := sha256.Sum256([]byte("fjordlys/" + kind + "/" + name))
	return guid([16]byte(sum[:16]))
}

// unusedAddress numbers people of the same name, as administrators do.
func unusedAddress(taken map[string]int, p person) string {
	name := asciiName.Replace(strings.ToLower(p.given + "." + p.surname))
	taken[name]++
	if n := taken[name]; n > 1 {
		return name + strconv.Itoa(n)
	}
	return name
}
