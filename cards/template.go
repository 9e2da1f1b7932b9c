// Package cards is the digital business cards of an organisation's people: how they look,
// what they tell, and where that comes from.
package cards

import (
	"time"

	"github.com/varsel/varsel/cards/qr"
)

// Template is a version of a design of cards.
type Template struct {
	ID, Account int64
	Name        string
	Version     int64
	Updated     time.Time
	Body
}

// Body is what a version says. It never changes.
type Body struct {
	Sections []Section `json:"sections"`
	Looks    Looks     `json:"looks"`
	Code     Code      `json:"code"`
	Settings Settings  `json:"settings"`
}

// Section is fields that stand together, under a heading when it has one.
type Section struct {
	Title  string  `json:"title,omitempty"`
	Fields []Field `json:"fields"`
}

// Field is one thing that a card may tell, and the policy of who says it.
type Field struct {
	ID       string `json:"id"` // stays the same over all versions of the template
	Kind     Kind   `json:"kind"`
	Label    string `json:"label,omitempty"` // empty: the kind's, in the visitor's language
	From     string `json:"from,omitempty"`  // a property of a person in the directory: "jobTitle"
	Sync     Sync   `json:"sync"`
	Editable bool   `json:"editable,omitempty"` // by the holder; see Field.Value
	Default  string `json:"default,omitempty"`
	Hidden   bool   `json:"hidden,omitempty"` // it is on no page, in no vCard and in no code
}

// Sync is how often a field is taken from the directory.
type Sync string

// Never is a field that no property is mapped to.
const (
	Never  Sync = "never"
	Once   Sync = "once" // the first time that the directory says something
	Always Sync = "always"
)

// Kind is what a field means: how it is shown, and where a vCard has it.
type Kind string

// The kinds. A card has one full name; the parts of a name are for the vCard.
const (
	FullName   Kind = "full_name"
	GivenName  Kind = "given_name"
	FamilyName Kind = "family_name"
	JobTitle   Kind = "job_title"
	Department Kind = "department"
	Company    Kind = "company"
	Mobile     Kind = "mobile"
	WorkPhone  Kind = "work_phone"
	Fax        Kind = "fax"
	Email      Kind = "email"
	Website    Kind = "website" // an address with https or http
	Street     Kind = "street"
	City       Kind = "city"
	Region     Kind = "region"
	PostalCode Kind = "postal_code"
	Country    Kind = "country"
	Office     Kind = "office"
	Note       Kind = "note"
	Text       Kind = "text" // with a label of its own
)

// Kinds are all, in the order in which they are offered.
var Kinds = []Kind{FullName, GivenName, FamilyName, JobTitle, Department, Company, Mobile, WorkPhone, Fax, Email, Website,
	Street, City, Region, PostalCode, Country, Office, Note, Text}

// Properties of a person in the directory that a field can be mapped to.
var Properties = []string{"displayName", "givenName", "surname", "jobTitle", "department", "companyName", "mobilePhone", "businessPhones",
	"faxNumber", "mail", "streetAddress", "city", "state", "postalCode", "country", "officeLocation", "employeeId", "employeeType"}

// Looks are how the page looks.
type Looks struct {
	Layout     Layout `json:"layout"`
	Primary    string `json:"primary"`    // "#rrggbb": buttons and headings; its text is Background
	Background string `json:"background"` // "#rrggbb": of the card
	Ink        string `json:"ink"`        // "#rrggbb": of the text
	Font       Font   `json:"font"`
	Logo       int64  `json:"logo,omitempty"` // an image of the account
	Photo      bool   `json:"photo,omitempty"`
}

// Layout is how the parts of a page are put together.
type Layout string

// The layouts.
const (
	Plain  Layout = "plain"  // all on the background
	Banner Layout = "banner" // a band in the primary colour, the photo over its edge
	Side   Layout = "side"   // photo and name beside the rest where there is room
)

// Font is a type that is on the reader's machine, or comes with the product.
type Font string

// The fonts.
const (
	Sans  Font = "sans"
	Serif Font = "serif"
	Round Font = "round"
)

// Code is how the QR code looks. Its logo is that of the card, if it is to have one.
type Code struct {
	Foreground   string         `json:"foreground"`
	Background   string         `json:"background"`
	FinderColour string         `json:"finder_colour,omitempty"`
	Modules      qr.ModuleShape `json:"modules"`
	Finders      qr.FinderShape `json:"finders"`
	Level        qr.Level       `json:"level"`
	Frame        qr.Frame       `json:"frame"`
	Caption      string         `json:"caption,omitempty"`
	Logo         bool           `json:"logo,omitempty"`
	LogoPercent  int            `json:"logo_percent,omitempty"`
}

// Settings are what else a template decides.
type Settings struct {
	Language string   `json:"language,omitempty"` // "en", "nb" or "pl"; empty: the visitor's
	Buttons  []Button `json:"buttons"`            // in their order
	Indexed  bool     `json:"indexed,omitempty"`  // search engines may list the cards
	TextMe   bool     `json:"text_me,omitempty"`  // visitors may have the card texted to them
	// TextAbroad lets them have it texted to numbers of other countries than the account's:
	// what that costs can be a lot more.
	TextAbroad bool `json:"text_abroad,omitempty"`
	Offline    bool `json:"offline,omitempty"` // offer a code that holds the card itself, and cannot be revoked
}

// Button is something that a visitor can do.
type Button string

// The buttons.
const (
	Call  Button = "call"
	SMS   Button = "sms"
	Mail  Button = "mail"
	Map   Button = "map"
	Web   Button = "web"
	Save  Button = "save"
	Share Button = "share"
)

// Buttons are all, in the order in which they are offered.
var Buttons = []Button{Save, Call, SMS, Mail, Web, Map, Share}

// Field finds a field by its id.
func (b Body) Field(id string) (Field, bool) {
	for _, s := range b.Sections {
		for _, f := range s.Fields {
			if f.ID == id {
				return f, true
			}
		}
	}
	return Field{}, false
}
