package graphsim

import "strings"

// names of a country's people. Where a surname has a feminine form, feminine
// makes it.
type names struct {
	women, men, surnames []string
	feminine             func(string) string
}

func list(s string) []string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = strings.ReplaceAll(w, "_", " ")
	}
	return words
}

var norwegian = names{
	women: list(`Ingrid Kari Åse Sølvi Bjørg Marte Silje Astrid Solveig Ragnhild Hege Gro Tuva Oddny
		Jorunn Liv Synnøve Maiken Guro Anne_Marie Turid Åshild Frøydis Signe Ronja`),
	men: list(`Bjørn Lars Øyvind Håkon Pål Tor_Arne Ståle Jørgen Sindre Eirik Torbjørn Magnus Geir Åge
		Kåre Sverre Øystein Jon Trygve Vegard Espen Ole_Petter Áilu Frode Snorre`),
	surnames: list(`Hansen Bjørnstad Ødegård Østby Åsheim Kvåle Sæther Nygård Solberg Brekke Lønning
		Fjeldstad Haugen Strømme Tveit Moen Rønning Engen Grøtting Vågen Myhre Bakken Særsten Løkken
		Hætta Kjærstad Næss Lie Aasen Sørby Flåten Bjørkli`),
}

var swedish = names{
	women: list(`Åsa Annika Linnéa Märta Saga Elin Birgitta Sigrid Ebba Maj-Britt Ylva Stina Görel
		Johanna Tyra Anna-Karin Viveka Hedvig Alva Gunilla`),
	men: list(`Björn Göran Sören Håkan Åke Lennart Mårten Jörgen Gustav Nils Pär Örjan Viktor Hjalmar
		Karl-Erik Stellan Torsten Love Måns Fredrik`),
	surnames: list(`Lindström Sjöberg Öberg Åkesson Bergström Hägglund Nyström Wåhlin Söderlund Ekström
		Hallgren Björk Lövgren Sandström Åström Källman Forsgren Höglund Rådström Dahl Wikström Grönvall
		Märtens Östlund Norén Hjelm`),
}

var danish = names{
	women: list(`Mette Kirsten Sørine Bodil Karen Lærke Inge Pernille Astrid Maja Dorthe Gitte Freja
		Signe Hanne Asta Tove Rikke Josefine Åse`),
	men: list(`Søren Jens Jørgen Bjarne Niels Rasmus Asger Kåre Mikkel Troels Svend Åge Palle Lars
		Frederik Esben Villads Kjeld Mogens Øjvind`),
	surnames: list(`Sørensen Nørgaard Kjær Østergaard Møller Bæk Holm Lauridsen Højgaard Thygesen
		Skovgaard Brøndum Degn Mølgaard Krogh Søndergaard Bech Friis Aagaard Rønne Vestergård Næsby
		Hald Juul Birkedal`),
}

var finnish = names{
	women: list(`Päivi Kaisa Anna-Liisa Tuuli Aino Hilkka Sinikka Maarit Pirjo Venla Helmi Riikka Jenni
		Eeva Marjatta Siiri Outi Kerttu Iida Annikki`),
	men: list(`Pekka Jyrki Väinö Antti Hannu Mika Eero Juhani Tapio Olli Heikki Sampo Perttu Kyösti Jussi
		Lauri Ilkka Ville Onni Aarne`),
	surnames: list(`Mäkinen Hämäläinen Järvinen Lehtonen Kärkkäinen Salmela Niemelä Räsänen Pöyhönen
		Kettunen Väisänen Lindroos Sillanpää Määttä Rantala Hyvönen Koskela Ylönen Peltola Vähäkangas
		Nurmela Öhman Tähtinen Saari`),
}

var polish = names{
	women: list(`Małgorzata Agnieszka Żaneta Łucja Świętosława Katarzyna Bożena Elżbieta Zofia Joanna
		Wiesława Grażyna Halina Jadwiga Monika Danuta Józefina Beata Iwona Natalia`),
	men: list(`Łukasz Paweł Michał Grzegorz Zbigniew Wojciech Rafał Stanisław Mirosław Józef Kacper
		Bolesław Przemysław Krzysztof Wacław Tomasz Jarosław Dariusz Bogusław Żelisław`),
	surnames: list(`Wiśniewski Kamiński Dąbrowski Zieliński Kędzierski Łukasik Żak Wójcik Śliwa Gołąb
		Jabłoński Górecki Źrebiec Krawczyk Piątek Ćwikła Stępień Rożek Głowacki Ostrowski Mróz Pająk
		Święcicki Borkowski Maćkowiak Wrzesiński Kołodziej`),
	feminine: func(s string) string {
		for _, end := range []string{"ski", "cki", "dzki"} {
			if stem, ok := strings.CutSuffix(s, end); ok {
				return stem + strings.TrimSuffix(end, "i") + "a"
			}
		}
		return s
	},
}

var german = names{
	women: list(`Jördis Käthe Renate Ursula Sabine Heike Gönül Annegret Friederike Anja Bärbel Ilse
		Katrin Mathilda Doris Lieselotte Ute Svenja Hannelore Gudrun`),
	men: list(`Jürgen Günther Jörg Björn Rüdiger Uwe Dieter Holger Matthias Sönke Götz Karl-Heinz Ansgar
		Lutz Detlef Volker Henning Fiete Wolfgang Cem`),
	surnames: list(`Groß Weiß Müller Krüger Schäfer Köhler Jäger Böhm Strauß Vogt Lüders Petersen
		Nußbaum Brandt Kröger Hövelmann Schröder Fuß Wichmann Behrens Lütjens Thießen Möhring Graef
		Yıldız Burmeister`),
}

var british = names{
	women: list(`Siobhan Emily Gwen Harriet Fiona Chloë Nadia Imogen Priya Zoë Beatrice Rosalind Maureen
		Aisha Philippa Hazel Morag Eleanor Catrin Joyce`),
	men: list(`Alistair Rhys Graham Oliver Duncan Imran Nigel Callum Gareth Rupert Harvinder Owen Trevor
		Seamus Desmond Winston Ewan Hugh Kwame Barnaby`),
	surnames: list(`O'Brien Hartley Ashworth Braithwaite Llewellyn Patel Fairclough Murray Okafor Whitaker
		Penhaligon Singh Thackeray McAllister Brontley Ormerod Haigh Sutcliffe Nwosu Lister Ackroyd
		Cavendish Tomlinson Rafferty`),
}

// asciiName spells a name for an address.
var asciiName = strings.NewReplacer(
	"æ", "ae", "ø", "o", "å", "a", "ä", "a", "ö", "o", "ü", "u", "ß", "ss", "á", "a", "é", "e", "ë", "e",
	"ą", "a", "ć", "c", "ę", "e", "ł", "l", "ń", "n", "ó", "o", "ś", "s", "ź", "z", "ż", "z", "ı", "i",
	" ", "", "'", "",
)
