package contacts

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Region is where a person's numbers without a country code belong, as ISO 3166
// alpha-2: the directory's usage location, else its country, which is free text
// ('Norge', 'Norway', 'NO'), else the account's own region.
func Region(usageLocation, country, accountRegion string) string {
	for _, said := range []string{usageLocation, country} {
		if region := regionOf(said); region != "" {
			return region
		}
	}
	return accountRegion
}

func regionOf(said string) string {
	said = strings.ReplaceAll(strings.Join(strings.Fields(said), " "), ".", "")
	if code := strings.ToUpper(said); supported[code] {
		return code
	}
	return regionsByName[strings.ToLower(said)]
}

var (
	supported     = phonenumbers.GetSupportedRegions()
	regionsByName = readCountries(countries)
)

func readCountries(text string) map[string]string {
	byName := map[string]string{}
	for line := range strings.Lines(text) {
		region, names, _ := strings.Cut(strings.TrimSpace(line), " ")
		for name := range strings.SplitSeq(names, ",") {
			byName[strings.TrimSpace(name)] = region
		}
	}
	return byName
}

// countries are Europe's, in English and in their own languages, also without
// accents and as ISO 3166 alpha-3.
const countries = `AD andorra, and
AL albania, shqipëria, shqipëri, shqiperia, alb
AT austria, österreich, osterreich, oesterreich, aut
BA bosnia and herzegovina, bosnia, bosna i hercegovina, bosnia-herzegovina, bih
BE belgium, belgië, belgie, belgique, belgien, bel
BG bulgaria, българия, bgr
BY belarus, беларусь, blr
CH switzerland, schweiz, die schweiz, suisse, la suisse, svizzera, svizra, che
CY cyprus, κύπρος, kıbrıs, kypros, cyp
CZ czechia, czech republic, the czech republic, česko, cesko, česká republika, ceska republika, cze
DE germany, deutschland, deu, ger
DK denmark, danmark, dnk
EE estonia, eesti, est
ES spain, españa, espana, esp
FI finland, suomi, fin
FO faroe islands, the faroe islands, føroyar, færøerne, færøyene, fro
FR france, fra
GB united kingdom, the united kingdom, great britain, britain, uk, england, scotland, wales, northern ireland, gbr
GI gibraltar, gib
GL greenland, kalaallit nunaat, grønland, grl
GR greece, hellas, ελλάδα, ελλαδα, ellada, grc
HR croatia, hrvatska, hrv
HU hungary, magyarország, magyarorszag, hun
IE ireland, éire, eire, republic of ireland, irl
IS iceland, ísland, island, isl
IT italy, italia, ita
LI liechtenstein, lie
LT lithuania, lietuva, ltu
LU luxembourg, luxemburg, lëtzebuerg, letzebuerg, lux
LV latvia, latvija, lva
MC monaco, mco
MD moldova, republica moldova, mda
ME montenegro, crna gora, црна гора, mne
MK north macedonia, macedonia, северна македонија, severna makedonija, mkd
MT malta, mlt
NL netherlands, the netherlands, nederland, holland, nld
NO norway, norge, noreg, norga, nor
PL poland, polska, pol
PT portugal, prt
RO romania, românia, rou
RS serbia, srbija, србија, srb
SE sweden, sverige, swe
SI slovenia, slovenija, svn
SJ svalbard, svalbard and jan mayen, svalbard og jan mayen, sjm
SK slovakia, slovak republic, slovensko, slovenská republika, slovenska republika, svk
SM san marino, smr
TR turkey, türkiye, turkiye, tur
UA ukraine, україна, ukraina, ukr
US united states, united states of america, usa
VA vatican, vatican city, città del vaticano, holy see, vat
XK kosovo, kosova, косово, xkx`
