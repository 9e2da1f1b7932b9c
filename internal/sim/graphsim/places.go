package graphsim

// country is one we have offices in.
type country struct {
	region   string // ISO 3166 alpha-2, as in usageLocation
	name     string
	spelled  []string // as people fill in the country field
	language string   // preferredLanguage
	names    *names
	mobile   numbering
	cities   []city
}

// city is an office.
type city struct {
	name   string
	weight int // of all people, per thousand
	desk   numbering
}

var countries = []country{
	{
		region: "NO", name: "Norway", spelled: []string{"Norway", "Norge"}, language: "nb-NO", names: &norwegian,
		mobile: norwegianMobile,
		cities: []city{
			{"Oslo", 190, desks("22", 8, "+47 ## ## ## ##", "########")},
			{"Bergen", 85, desks("55", 8, "+47 ## ## ## ##", "## ## ## ##")},
			{"Trondheim", 75, desks("73", 8, "+47 ########", "## ## ## ##")},
		},
	},
	{
		region: "SE", name: "Sweden", spelled: []string{"Sverige", "Sweden"}, language: "sv-SE", names: &swedish,
		mobile: swedishMobile,
		cities: []city{
			{"Stockholm", 85, desks("85", 9, "+46 # ### ### ##", "0#-### ### ##")},
			{"Göteborg", 65, desks("317", 9, "+46 ## ### ## ##", "0##-### ## ##")},
		},
	},
	{
		region: "DK", name: "Denmark", spelled: []string{"Danmark", "Denmark"}, language: "da-DK", names: &danish,
		mobile: danishMobile,
		cities: []city{
			{"København", 70, desks("33", 8, "+45 ## ## ## ##", "########")},
			{"Aarhus", 40, desks("86", 8, "+45 ## ## ## ##", "## ## ## ##")},
		},
	},
	{
		region: "FI", name: "Finland", spelled: []string{"Suomi", "Finland"}, language: "fi-FI", names: &finnish,
		mobile: finnishMobile,
		cities: []city{
			{"Helsinki", 50, desks("94", 8, "+358 # #### ###", "0# #### ###")},
		},
	},
	{
		region: "PL", name: "Poland", spelled: []string{"Polska", "Poland"}, language: "pl-PL", names: &polish,
		mobile: polishMobile,
		cities: []city{
			{"Gdańsk", 70, desks("583", 9, "+48 ## ### ## ##", "(##) ### ## ##")},
			{"Warszawa", 55, desks("225", 9, "+48 ## ### ## ##", "## ### ## ##")},
			{"Kraków", 45, desks("126", 9, "+48 ## ### ## ##", "## ### ## ##")},
		},
	},
	{
		region: "DE", name: "Germany", spelled: []string{"Deutschland", "Germany"}, language: "de-DE", names: &german,
		mobile: germanMobile,
		cities: []city{
			{"Hamburg", 55, desks("403", 9, "+49 ## *", "0##/*")},
			{"Berlin", 45, desks("302", 9, "+49 (0)## *", "0## *")},
		},
	},
	{
		region: "GB", name: "United Kingdom", spelled: []string{"United Kingdom", "Great Britain"}, language: "en-GB", names: &british,
		mobile: britishMobile,
		cities: []city{
			{"London", 40, desks("207", 10, "+44 (0)## #### ####", "0## #### ####")},
			{"Leeds", 30, desks("1132", 10, "+44 (0)### ### ####", "0### ### ####")},
		},
	},
}

// place of work for a roll of 1000.
func workplace(roll int) (*country, *city) {
	for i := range countries {
		for j := range countries[i].cities {
			c := &countries[i].cities[j]
			if roll -= c.weight; roll < 0 {
				return &countries[i], c
			}
		}
	}
	panic("graphsim: the weights of the cities are less than 1000")
}
