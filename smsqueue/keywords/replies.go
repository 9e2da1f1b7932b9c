package keywords

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// replies are the answers to each kind of wish, in each language.
var replies = map[string]map[Kind]string{
	"en": {
		Stop:  "{name}: you will get no more messages from us. Text START to get them again.",
		Start: "{name}: you will get our messages again. Text STOP to stop them.",
		Help:  "These messages are from {name}. Text STOP to stop them, and START to get them again.",
	},
	"nb": {
		Stop:  "{name}: du får ikke flere meldinger fra oss. Send START for å få dem igjen.",
		Start: "{name}: du får meldingene våre igjen. Send STOPP for å stoppe dem.",
		Help:  "Disse meldingene er fra {name}. Send STOPP for å stoppe dem, og START for å få dem igjen.",
	},
	"sv": {
		Stop:  "{name}: du får inga fler meddelanden från oss. Skicka START för att få dem igen.",
		Start: "{name}: du får våra meddelanden igen. Skicka STOPP för att stoppa dem.",
		Help:  "Dessa meddelanden är från {name}. Skicka STOPP för att stoppa dem, och START för att få dem igen.",
	},
	"da": {
		Stop:  "{name}: du får ikke flere beskeder fra os. Send START for at få dem igen.",
		Start: "{name}: du får vores beskeder igen. Send STOP for at stoppe dem.",
		Help:  "Disse beskeder er fra {name}. Send STOP for at stoppe dem, og START for at få dem igen.",
	},
	"fi": {
		Stop:  "{name}: et saa meiltä enää viestejä. Lähetä START, niin saat niitä taas.",
		Start: "{name}: saat taas viestejämme. Lähetä STOP, niin ne loppuvat.",
		Help:  "Nämä viestit lähettää {name}. Lähetä STOP, niin ne loppuvat, tai START, niin saat niitä taas.",
	},
	"de": {
		Stop:  "{name}: Sie erhalten keine Nachrichten mehr von uns. Mit START erhalten Sie sie wieder.",
		Start: "{name}: Sie erhalten unsere Nachrichten wieder. Mit STOPP beenden Sie das.",
		Help:  "Diese Nachrichten sind von {name}. Mit STOPP erhalten Sie keine mehr, mit START erhalten Sie sie wieder.",
	},
	"pl": {
		Stop:  "{name}: nie otrzymasz już od nas wiadomości. Wyślij START, aby je znowu otrzymywać.",
		Start: "{name}: znowu będziesz otrzymywać nasze wiadomości. Wyślij STOP, aby zrezygnować.",
		Help:  "Te wiadomości wysyła {name}. Wyślij STOP, aby zrezygnować, lub START, aby je znowu otrzymywać.",
	},
	"nl": {
		Stop:  "{name}: u krijgt geen berichten meer van ons. Stuur START om ze weer te krijgen.",
		Start: "{name}: u krijgt onze berichten weer. Stuur STOP om ze te stoppen.",
		Help:  "Deze berichten zijn van {name}. Stuur STOP om ze te stoppen, en START om ze weer te krijgen.",
	},
	"fr": {
		Stop:  "{name} : vous ne recevrez plus de messages de notre part. Envoyez START pour les recevoir de nouveau.",
		Start: "{name} : vous recevrez de nouveau nos messages. Envoyez STOP pour ne plus les recevoir.",
		Help:  "Ces messages viennent de {name}. Envoyez STOP pour ne plus les recevoir, START pour les recevoir de nouveau.",
	},
	"es": {
		Stop:  "{name}: no recibirá más mensajes nuestros. Envíe START para volver a recibirlos.",
		Start: "{name}: volverá a recibir nuestros mensajes. Envíe STOP para no recibirlos.",
		Help:  "Estos mensajes son de {name}. Envíe STOP para no recibirlos y START para volver a recibirlos.",
	},
	"it": {
		Stop:  "{name}: non riceverà più i nostri messaggi. Invii START per riceverli di nuovo.",
		Start: "{name}: riceverà di nuovo i nostri messaggi. Invii STOP per non riceverli più.",
		Help:  "Questi messaggi sono di {name}. Invii STOP per non riceverli più, START per riceverli di nuovo.",
	},
}

// countries are where one of the languages is what most people read, by ISO 3166
// alpha-2.
var countries = map[string]string{"NO": "nb", "SJ": "nb", "SE": "sv", "AX": "sv", "DK": "da", "GL": "da", "FO": "da", "FI": "fi",
	"DE": "de", "AT": "de", "CH": "de", "LI": "de", "LU": "fr", "PL": "pl", "NL": "nl", "BE": "nl", "FR": "fr", "MC": "fr",
	"ES": "es", "AD": "es", "IT": "it", "SM": "it", "VA": "it"}

// longestName bounds, in characters, what a reply gives of a name.
const longestName = 40

// Reply is what a text of that kind is answered: in the language that the person
// has (BCP 47), else in that of the number's country (ISO 3166 alpha-2), else in
// English. name is who sends.
func Reply(kind Kind, speaks, country, name string) string {
	code := speech(speaks)
	if replies[code] == nil {
		code = countries[country]
	}
	if replies[code] == nil {
		code = "en"
	}
	if utf8.RuneCountInString(name) > longestName {
		name = string([]rune(name)[:longestName-1]) + "."
	}
	return strings.ReplaceAll(replies[code][kind], "{name}", name)
}

// speech is the language of a tag, both written forms of Norwegian being one.
func speech(tag string) string {
	parsed, err := language.Parse(tag)
	if err != nil {
		return ""
	}
	base, _ := parsed.Base()
	switch base.String() {
	case "no", "nn", "nb":
		return "nb"
	}
	return base.String()
}
