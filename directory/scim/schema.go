package scim

import (
	"slices"
	"strings"
)

// URNs of the schemas and messages.
const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// Kind is a type of resource.
type Kind struct {
	Name, Endpoint, Description string
	URN                         string
	Attributes                  []Attribute
	Extensions                  []Extension

	// ignored are attributes of the schema that we have no use for: they may be
	// sent, and are not kept.
	ignored []string
	// common are attributes that every resource has (RFC 7643 3.1).
	common []Attribute
}

// Extension is a schema that adds to that of a kind.
type Extension struct {
	Name, Description, URN string
	Attributes             []Attribute
}

// Attribute is described as in RFC 7643 7; the tags are those of that document.
type Attribute struct {
	Name            string      `json:"name"`
	Type            string      `json:"type"`
	MultiValued     bool        `json:"multiValued"`
	Description     string      `json:"description"`
	Required        bool        `json:"required"`
	CanonicalValues []string    `json:"canonicalValues,omitempty"`
	CaseExact       bool        `json:"caseExact"`
	Mutability      string      `json:"mutability"`
	Returned        string      `json:"returned"`
	Uniqueness      string      `json:"uniqueness"`
	ReferenceTypes  []string    `json:"referenceTypes,omitempty"`
	SubAttributes   []Attribute `json:"subAttributes,omitempty"`
}

const (
	textType     = "string"
	flagType     = "boolean"
	timeType     = "dateTime"
	objectType   = "complex"
	linkType     = "reference"
	readOnly     = "readOnly"
	readWrite    = "readWrite"
	immutable    = "immutable"
	byDefault    = "default"
	always       = "always"
	notUnique    = "none"
	uniqueServer = "server"
)

func text(name, description string) Attribute {
	return Attribute{Name: name, Type: textType, Description: description, Mutability: readWrite, Returned: byDefault, Uniqueness: notUnique}
}

func flag(name, description string) Attribute {
	a := text(name, description)
	a.Type = flagType
	return a
}

func object(name, description string, subs ...Attribute) Attribute {
	a := text(name, description)
	a.Type, a.SubAttributes = objectType, subs
	return a
}

func list(name, description string, subs ...Attribute) Attribute {
	a := object(name, description, append(subs, flag("primary", "Whether it is the preferred one; at most one is."))...)
	a.MultiValued = true
	return a
}

func link(name, description string, to ...string) Attribute {
	a := text(name, description)
	a.Type, a.CaseExact, a.ReferenceTypes = linkType, true, to
	return a
}

func (a Attribute) required() Attribute  { a.Required = true; return a }
func (a Attribute) unique() Attribute    { a.Uniqueness = uniqueServer; return a }
func (a Attribute) caseExact() Attribute { a.CaseExact = true; return a }

func (a Attribute) mutability(m string) Attribute {
	a.Mutability = m
	return a
}

func typeOf(values ...string) Attribute {
	a := text("type", "What it is for.")
	a.CanonicalValues = values
	return a
}

// User and Group are the kinds that are served.
var (
	User = &Kind{
		Name: "User", Endpoint: "/Users", Description: "A person.", URN: userSchema,
		Attributes: []Attribute{
			text("userName", "What the directory calls the user, unique without regard to case.").required().unique(),
			object("name", "The parts of the person's name.",
				text("formatted", "The whole name."), text("familyName", "Family name."), text("givenName", "Given name."),
				text("middleName", "Middle names."), text("honorificPrefix", "Title before the name."), text("honorificSuffix", "Suffix after the name.")),
			text("displayName", "The name that is shown."),
			text("nickName", "Nickname."),
			link("profileUrl", "The person's page.", "external"),
			text("title", "Job title."),
			text("userType", "Member, Guest or another relation; guests are not texted."),
			text("preferredLanguage", "Language tag such as nb-NO."),
			text("locale", "Locale such as nb-NO."),
			text("timezone", "IANA time zone such as Europe/Oslo."),
			flag("active", "Whether the account may be used; who is not active is not texted."),
			list("emails", "E-mail addresses.", text("value", "The address."), text("display", "How it is shown."), typeOf("work", "home", "other")),
			list("phoneNumbers", "Telephone numbers, kept as they are sent. A mobile number is texted, else the first work number.",
				text("value", "The number."), text("display", "How it is shown."), typeOf("work", "home", "mobile", "fax", "pager", "other")),
			list("addresses", "Postal addresses. The work address's country says where numbers without a country code belong.",
				text("formatted", "The whole address."), text("streetAddress", "Street and number."), text("locality", "Town."),
				text("region", "Region."), text("postalCode", "Postal code."), text("country", "Country."), typeOf("work", "home", "other")),
			list("roles", "Roles; they are kept and have no effect.", text("value", "The role."), text("display", "How it is shown."), text("type", "What it is for.")),
		},
		Extensions: []Extension{{
			Name: "EnterpriseUser", Description: "A person at work.", URN: enterpriseSchema,
			Attributes: []Attribute{
				text("employeeNumber", "Number or letters that the organisation gave the person."),
				text("costCenter", "Cost centre."),
				text("organization", "The organisation."),
				text("division", "The division."),
				text("department", "The department."),
				object("manager", "The person's manager.",
					text("value", "The id of the manager's user.").caseExact(), link("$ref", "Where the manager's user is.", "User"),
					text("displayName", "The manager's name.").mutability(readOnly)),
			},
		}},
		ignored: []string{"password", "ims", "photos", "entitlements", "x509Certificates", "groups"},
		common:  common,
	}
	Group = &Kind{
		Name: "Group", Endpoint: "/Groups", Description: "A group of users and groups.", URN: groupSchema,
		Attributes: []Attribute{
			text("displayName", "The group's name, unique without regard to case.").required().unique(),
			{Name: membersName, Type: objectType, MultiValued: true, Description: "Users and groups that are in it.",
				Mutability: readWrite, Returned: byDefault, Uniqueness: notUnique, SubAttributes: []Attribute{
					text("value", "The member's id.").caseExact().mutability(immutable),
					link("$ref", "Where the member is.", "User", "Group").mutability(immutable),
					typeOf("User", "Group").mutability(immutable),
				}},
		},
		common: common,
	}
	kinds = []*Kind{User, Group}
)

const membersName = "members"

var common = []Attribute{
	text("id", "").caseExact().mutability(readOnly),
	text("externalId", "").caseExact(),
	{Name: "schemas", Type: linkType, MultiValued: true, CaseExact: true, Mutability: readOnly},
	{Name: "meta", Type: objectType, Mutability: readOnly, SubAttributes: []Attribute{
		text("resourceType", "").caseExact(), {Name: "created", Type: timeType}, {Name: "lastModified", Type: timeType},
		text("location", "").caseExact(), text("version", "").caseExact(),
	}},
}

// attribute finds one by its name, whose case does not matter (RFC 7643 2.1).
func attribute(among []Attribute, name string) (Attribute, bool) {
	i := slices.IndexFunc(among, func(a Attribute) bool { return strings.EqualFold(a.Name, name) })
	if i < 0 {
		return Attribute{}, false
	}
	return among[i], true
}

func (a Attribute) sub(name string) (Attribute, bool) { return attribute(a.SubAttributes, name) }

// find answers the attribute that a path begins with, and the URN of the
// extension that it is in, if any.
func (k *Kind) find(p Path) (urn string, a Attribute, ok bool) {
	if p.URN == "" || strings.EqualFold(p.URN, k.URN) {
		if a, ok = attribute(k.Attributes, p.Attribute); !ok {
			a, ok = attribute(k.common, p.Attribute)
		}
		return "", a, ok
	}
	if e, known := k.extension(p.URN); known {
		a, ok = attribute(e.Attributes, p.Attribute)
		return e.URN, a, ok
	}
	return "", Attribute{}, false
}

// lookUp is find for filters: Entra asks for manager without its URN.
func (k *Kind) lookUp(p Path) (urn string, a Attribute, ok bool) {
	urn, a, ok = k.find(p)
	for _, e := range k.Extensions {
		if !ok && p.URN == "" {
			urn = e.URN
			a, ok = attribute(e.Attributes, p.Attribute)
		}
	}
	return urn, a, ok
}

func (k *Kind) extension(urn string) (Extension, bool) {
	i := slices.IndexFunc(k.Extensions, func(e Extension) bool { return strings.EqualFold(e.URN, urn) })
	if i < 0 {
		return Extension{}, false
	}
	return k.Extensions[i], true
}

// tolerates says that a path names something that others keep and we do not:
// it may be written to, and nothing comes of it.
func (k *Kind) tolerates(p Path) bool {
	if p.URN != "" && !strings.EqualFold(p.URN, k.URN) {
		_, ours := k.extension(p.URN)
		return !ours
	}
	return slices.ContainsFunc(k.ignored, func(name string) bool { return strings.EqualFold(name, p.Attribute) })
}
