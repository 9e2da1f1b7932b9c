package contacts

import "hash/fnv"

// Says tells two descriptions of a person apart: it is the same number for the
// same description, in every process and for good.
func (p Person) Says() int64 { return peopleTable{}.says(peopleTable{}.tidy(p)) }

func (t peopleTable) says(p Person) int64 {
	return int64(hashOf(p.DirectoryID, p.Name, p.Department, p.JobTitle, p.Office, p.Email, p.Language,
		p.Phone.Raw, p.Phone.Rule, p.Phone.E164, p.Phone.Country, p.Phone.Reason))
}

func (t unitTable) says(u Unit) int64 { return int64(hashOf(u.DirectoryID, u.Name)) }

// hashOf is 0 for the empty string alone.
func hashOf(list ...string) uint64 {
	if len(list) == 1 && list[0] == "" {
		return 0
	}
	sum := fnv.New64a()
	for _, s := range list {
		sum.Write([]byte(s))
		sum.Write([]byte{0xff}) // in no UTF-8
	}
	return sum.Sum64()
}
