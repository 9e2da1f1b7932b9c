// Package vcard writes a person's card as vCard 3.0 (RFC 2426), which every phone
// reads, and 4.0 (RFC 6350).
package vcard

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

// Version is that of the format.
type Version string

const (
	V3 Version = "3.0" // what phones import and export
	V4 Version = "4.0" // Android imports it unevenly
)

// MediaType is what a card is served as.
const MediaType = "text/vcard; charset=utf-8"

// MaxPhoto is in bytes. Phones take about 100 kB well.
const MaxPhoto = 256 << 10

// Person is what a card says; what is empty is left out. Texts may hold any
// characters and line breaks.
type Person struct {
	UID          string // a URI that stays with the card, such as urn:uuid:...
	FullName     string // as it is displayed; required
	Name         Name
	Organisation string
	Department   string // written only with an organisation
	Title        string
	Phones       []Phone
	Emails       []Email
	Addresses    []Address
	URLs         []string // http or https
	Languages    []string // BCP 47, the preferred first; 3.0 has no place for them
	Note         string
	Photo        Photo
	Revised      time.Time
}

// Name is in the parts that an address book sorts by.
type Name struct{ Family, Given, Additional, Prefix, Suffix string }

// Use says what a number or an address is for.
type Use string

const (
	Mobile Use = "cell"
	Work   Use = "work"
	Home   Use = "home"
	Fax    Use = "fax"
)

// Phone is a number in the form that is to be dialled and shown.
type Phone struct {
	Number string
	Uses   []Use
}

// Email is an address of mail.
type Email struct {
	Address string
	Uses    []Use
}

// Address is a postal one.
type Address struct {
	Street, City, Region, Code, Country string
	Uses                                []Use
}

// Photo is a picture as it was uploaded.
type Photo struct {
	MediaType string // image/jpeg or image/png
	Data      []byte
}

// photoTypes are the names that 3.0 has for media types (RFC 2426 3.1.4).
var photoTypes = map[string]string{"image/jpeg": "JPEG", "image/png": "PNG"}

// Encode writes the person's card, in lines that end in CRLF. It refuses a person
// without a name to display (invalid_full_name), a UID that is no URI (invalid_uid),
// an address of the web that is not http or https (invalid_url), another use than
// those above (invalid_use), a photo of another type or size (invalid_photo), and
// another version (invalid_version).
func Encode(p Person, v Version) ([]byte, error) {
	if escape(p.FullName) == "" {
		return nil, problem.Invalid("full_name", "a card needs a name")
	}
	if v != V3 && v != V4 {
		return nil, problem.Invalid("version", "a card is written in version 3.0 or 4.0, and not in %q", v)
	}
	w := &writer{version: v}
	w.line("BEGIN", "VCARD")
	w.line("VERSION", string(v)) // 4.0 wants it here (RFC 6350 6.7.9)
	w.text("FN", p.FullName)
	w.list("N", p.Name.Family, p.Name.Given, p.Name.Additional, p.Name.Prefix, p.Name.Suffix)
	w.organisation(p)
	w.text("TITLE", p.Title)
	for _, phone := range p.Phones {
		w.text("TEL"+w.types(phone.Uses), phone.Number)
	}
	for _, mail := range p.Emails {
		w.text("EMAIL"+w.mailType()+w.types(mail.Uses), mail.Address)
	}
	for _, a := range p.Addresses {
		// The first two are the post office box and the extended address, which
		// RFC 6350 6.3.1 says to leave empty.
		w.list("ADR"+w.types(a.Uses), "", "", a.Street, a.City, a.Region, a.Code, a.Country)
	}
	w.languages(p.Languages)
	w.text("NOTE", p.Note)
	for _, address := range p.URLs {
		w.url(address)
	}
	w.uid(p.UID)
	w.photo(p.Photo)
	w.revised(p.Revised)
	w.line("END", "VCARD")
	if w.err != nil {
		return nil, w.err
	}
	return []byte(w.out.String()), nil
}

// types are one parameter each, a form that both versions have and all readers know.
func (w *writer) types(uses []Use) string {
	var all strings.Builder
	for _, u := range uses {
		switch u {
		case Mobile, Work, Home, Fax:
			all.WriteString(";TYPE=" + string(u))
		default:
			w.fail(problem.Invalid("use", "%q is no use of a number or address: cell, work, home or fax", u))
		}
	}
	return all.String()
}

// mailType is the kind of mail system that 3.0 asks for (RFC 2426 3.3.2).
func (w *writer) mailType() string {
	if w.version == V3 {
		return ";TYPE=internet"
	}
	return ""
}

func (w *writer) organisation(p Person) {
	switch {
	case p.Organisation != "" && p.Department != "":
		w.list("ORG", p.Organisation, p.Department)
	case p.Organisation != "":
		w.list("ORG", p.Organisation)
	}
}

func (w *writer) languages(tags []string) {
	if w.version != V4 {
		return
	}
	for _, tag := range tags {
		w.text("LANG", tag)
	}
}

// url writes an address of the web, which is a URI and so not escaped.
func (w *writer) url(text string) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		w.fail(problem.Invalid("url", "an address on a card begins with https:// or http://"))
		return
	}
	w.line("URL", percents(u.String()))
}

// percents writes in percents what is not ASCII, and also comma and semicolon: they
// mean the same in that form, and some readers take the value for a text and would
// cut it there.
func percents(address string) string {
	var all strings.Builder
	for _, b := range []byte(address) {
		if b <= ' ' || b > '~' || b == ',' || b == ';' {
			fmt.Fprintf(&all, "%%%02X", b)
		} else {
			all.WriteByte(b)
		}
	}
	return all.String()
}

func (w *writer) uid(text string) {
	if text == "" {
		return
	}
	strange := func(r rune) bool { return r <= ' ' || r > '~' }
	if u, err := url.Parse(text); err != nil || !u.IsAbs() || strings.ContainsFunc(text, strange) {
		w.fail(problem.Invalid("uid", "the UID of a card is a URI, such as urn:uuid:..."))
		return
	}
	w.line("UID", text)
}

func (w *writer) photo(p Photo) {
	if len(p.Data) == 0 {
		return
	}
	name, ok := photoTypes[p.MediaType]
	if !ok {
		w.fail(problem.Invalid("photo", "a photo on a card is a JPEG or PNG picture"))
		return
	}
	if len(p.Data) > MaxPhoto {
		w.fail(problem.Invalid("photo", "a photo on a card has %d kB at most", MaxPhoto>>10))
		return
	}
	data := base64.StdEncoding.EncodeToString(p.Data)
	if w.version == V3 {
		w.line("PHOTO;ENCODING=b;TYPE="+name, data)
	} else {
		w.line("PHOTO", "data:"+p.MediaType+";base64,"+data)
	}
}

// revised is in UTC, in the basic form in 4.0 (RFC 6350 4.3.5).
func (w *writer) revised(at time.Time) {
	if at.IsZero() {
		return
	}
	form := time.RFC3339
	if w.version == V4 {
		form = "20060102T150405Z"
	}
	w.line("REV", at.UTC().Format(form))
}
