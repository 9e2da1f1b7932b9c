package directory

import (
	"github.com/varsel/varsel/contacts"
)

// preview gathers what a run would do, person by person: only of those there is
// something to say about, and only their ids.
type preview struct {
	rows   map[string]previewRow
	phones map[string]string // by object id
	shared map[string]int    // people, by number
}

// previewRow is a row of preview_people. The names of the Go fields are those in
// the statement that writes it.
type previewRow struct {
	Change string
	Reason string // why there is no number to text
	Shared int    // people with the same number
}

// PreviewPerson is somebody whom a preview has something to say about.
type PreviewPerson struct {
	DirectoryID string
	Name        string
	Change      string // "added", "changed", "removed", "number" for one that is lost, or "" for none
	Reason      string // why there is no number to text, as contacts says it
	Shared      int    // people with the same number; 0 for nobody else
}

// see notes a person who belongs in the address book.
func (p *preview) see(one contacts.Person) {
	if p.phones == nil {
		p.phones, p.shared = map[string]string{}, map[string]int{}
	}
	if one.Phone.Reason == "" {
		p.phones[one.DirectoryID] = one.Phone.E164
		p.shared[one.Phone.E164]++
		return
	}
	p.note(one.DirectoryID, func(row *previewRow) { row.Reason = one.Phone.Reason })
}

// tell notes what following would do to a person.
func (p *preview) tell(directoryID string, change contacts.Change) {
	p.note(directoryID, func(row *previewRow) { row.Change = string(change) })
}

func (p *preview) note(directoryID string, set func(*previewRow)) {
	if p.rows == nil {
		p.rows = map[string]previewRow{}
	}
	row := p.rows[directoryID]
	set(&row)
	p.rows[directoryID] = row
}

// all adds who has a number in common.
func (p *preview) all() map[string]previewRow {
	for id, number := range p.phones {
		if n := p.shared[number]; n > 1 {
			p.note(id, func(row *previewRow) { row.Shared = n })
		}
	}
	return p.rows
}
