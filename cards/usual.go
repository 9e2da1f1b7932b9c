package cards

import "github.com/varsel/varsel/cards/qr"

// Usual is what a new template begins with: what an organisation tells of its people as
// the directory has it, with a photo and a website that holders may write themselves.
func Usual() Body {
	from := func(k Kind, property string) Field {
		return Field{ID: string(k), Kind: k, From: property, Sync: Always}
	}
	return Body{
		Sections: []Section{
			{Fields: []Field{from(FullName, "displayName"), from(GivenName, "givenName"), from(FamilyName, "surname"),
				from(JobTitle, "jobTitle"), from(Department, "department"), from(Company, "companyName")}},
			{Fields: []Field{from(Mobile, "mobilePhone"), from(WorkPhone, "businessPhones"), from(Email, "mail"),
				{ID: string(Website), Kind: Website, Sync: Never, Editable: true}}},
			{Fields: []Field{from(Street, "streetAddress"), from(PostalCode, "postalCode"), from(City, "city"), from(Country, "country")}},
		},
		Looks: Looks{Layout: Banner, Primary: "#1f4e79", Background: "#ffffff", Ink: "#1a1a1a", Font: Sans, Photo: true},
		Code: Code{Foreground: "#000000", Background: "#ffffff", Modules: qr.SquareModules, Finders: qr.SquareFinders,
			Level: qr.M, Frame: qr.NoFrame},
		Settings: Settings{Buttons: []Button{Save, Call, SMS, Mail, Share}},
	}
}
