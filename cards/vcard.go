package cards

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/varsel/varsel/cards/vcard"
)

// VCard writes a card for an address book: what it tells, and nothing that is hidden.
// address is where the card is found; photo is a JPEG, or none. A card keeps its UID for
// as long as it keeps its slug. An office, a text and a note are written into the one
// note that the format has. dialled writes a number as phones everywhere dial it.
func (t Template) VCard(c Card, photo []byte, address string, dialled func(number string) string, v vcard.Version) ([]byte, error) {
	p := t.person(c.Values, address, dialled)
	p.UID = uid(c.Slug)
	p.Revised = c.Updated
	if t.Updated.After(p.Revised) {
		p.Revised = t.Updated
	}
	if c.Language != "" {
		p.Languages = []string{c.Language}
	}
	if len(photo) > 0 {
		p.Photo = vcard.Photo{MediaType: PhotoType, Data: photo}
	}
	return vcard.Encode(p, v)
}

// Offline writes a card that a code holds itself, from all that it tells down to what
// fits: every try is shorter. It leaves out UID, photo and the card's address, as what a
// code on paper holds is not read again when the card changes. dialled is VCard's.
func (t Template) Offline(c Card, dialled func(number string) string) (tries [][]byte, err error) {
	p := t.person(c.Values, "", dialled)
	whole := p
	short := vcard.Person{FullName: p.FullName, Name: p.Name, Organisation: p.Organisation, Title: p.Title, Phones: p.Phones, Emails: p.Emails}
	least := vcard.Person{FullName: p.FullName, Phones: first(p.Phones), Emails: first(p.Emails)}
	for _, p := range []vcard.Person{whole, short, least} {
		p.Revised = c.Updated
		one, err := vcard.Encode(p, vcard.V3)
		if err != nil {
			return nil, err
		}
		tries = append(tries, one)
	}
	return tries, nil
}

func first[T any](all []T) []T { return all[:min(1, len(all))] }

// Called is what a card is called: the full name that it tells, or the parts of one, or
// whatever else it tells that names somebody; "" for a card that tells nothing of these.
func (b Body) Called(v Values) string {
	parts := strings.TrimSpace(b.First(v, GivenName) + " " + b.First(v, FamilyName))
	for _, name := range []string{b.First(v, FullName), parts, b.First(v, Company), b.First(v, Email), b.First(v, Mobile), b.First(v, WorkPhone)} {
		if name != "" {
			return name
		}
	}
	return ""
}

// person is what the fields say, each kind in its place.
func (t Template) person(v Values, address string, dialled func(string) string) vcard.Person {
	p := vcard.Person{FullName: t.Called(v), Name: vcard.Name{Family: t.First(v, FamilyName), Given: t.First(v, GivenName)},
		Organisation: t.First(v, Company), Department: t.First(v, Department), Title: t.First(v, JobTitle)}
	if p.FullName == "" {
		p.FullName = address
	}
	var notes []string
	for _, s := range t.Tell(v) {
		for _, f := range s.Fields {
			switch f.Kind {
			case Mobile:
				p.Phones = append(p.Phones, vcard.Phone{Number: dialled(f.Value), Uses: []vcard.Use{vcard.Mobile}})
			case WorkPhone:
				p.Phones = append(p.Phones, vcard.Phone{Number: dialled(f.Value), Uses: []vcard.Use{vcard.Work}})
			case Fax:
				p.Phones = append(p.Phones, vcard.Phone{Number: dialled(f.Value), Uses: []vcard.Use{vcard.Fax}})
			case Email:
				p.Emails = append(p.Emails, vcard.Email{Address: f.Value, Uses: []vcard.Use{vcard.Work}})
			case Website:
				p.URLs = append(p.URLs, WebAddress(f.Value))
			case Office, Note, Text:
				notes = append(notes, labelled(f))
			case Department:
				if p.Organisation == "" {
					notes = append(notes, labelled(f))
				}
			}
		}
	}
	if address != "" {
		p.URLs = append(p.URLs, address)
	}
	p.URLs = slices.DeleteFunc(p.URLs, func(one string) bool { return one == "" })
	p.Addresses, p.Note = t.addresses(v), strings.Join(notes, "\n")
	return p
}

func labelled(f Told) string {
	if f.Label == "" {
		return f.Value
	}
	return f.Label + ": " + f.Value
}

// addresses are postal ones: the first street goes with the first city, and so on.
func (t Template) addresses(v Values) (all []vcard.Address) {
	nth := map[Kind]int{}
	for _, s := range t.Tell(v) {
		for _, f := range s.Fields {
			if !slices.Contains([]Kind{Street, City, Region, PostalCode, Country}, f.Kind) {
				continue
			}
			n := nth[f.Kind]
			nth[f.Kind]++
			for len(all) <= n {
				all = append(all, vcard.Address{Uses: []vcard.Use{vcard.Work}})
			}
			*part(&all[n], f.Kind) = f.Value
		}
	}
	return all
}

func part(a *vcard.Address, k Kind) *string {
	switch k {
	case Street:
		return &a.Street
	case City:
		return &a.City
	case Region:
		return &a.Region
	case PostalCode:
		return &a.Code
	}
	return &a.Country
}

// WebAddress is a website that can be opened, as it was written or with https:// before
// it; "" for what is none.
func WebAddress(text string) string {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

// uid is a UUID of version 8, made of the slug (RFC 9562 5.8).
func uid(slug string) string {
	sum := sha256.Sum256([]byte("card " + slug))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
