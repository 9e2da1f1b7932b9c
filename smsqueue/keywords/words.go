package keywords

import (
	"maps"
	"slices"
	"strings"
)

// vocabulary is the phrases of a language, separated by commas, as a dictionary
// writes them. Those of alone mean other things in longer texts ('cancel my
// appointment', 'help me out of here'), and count with nothing but thanks.
type vocabulary struct {
	stop, start                 string
	aloneStop, aloneStart, help string
	thanks, polite              string
}

var lexicons = func() (all []lexicon) {
	for _, code := range slices.Sorted(maps.Keys(vocabularies)) {
		all = append(all, vocabularies[code].all(), vocabularies[code].few())
	}
	return all
}()

// all reads wishes that say what is meant.
func (v vocabulary) all() lexicon {
	return newLexicon(map[Kind]string{Stop: v.stop, Start: v.start, None: v.thanks + "," + v.polite})
}

// few reads words that stand alone.
func (v vocabulary) few() lexicon {
	return newLexicon(map[Kind]string{Stop: v.aloneStop, Start: v.aloneStart, Help: v.help, None: v.thanks})
}

func newLexicon(of map[Kind]string) lexicon {
	l := lexicon{phrases: map[string][]phrase{}}
	for _, kind := range []Kind{Stop, Start, Help, None} {
		for one := range strings.SplitSeq(of[kind], ",") {
			l.add(one, kind)
			if spelt := spelling.Replace(one); spelt != one {
				l.add(spelt, kind)
			}
		}
	}
	return l
}

// spelling is how letters are typed on a keyboard that does not have them; without
// their marks they are understood anyway.
var spelling = strings.NewReplacer("å", "aa", "ä", "ae", "ö", "oe", "ø", "oe", "ü", "ue")

func (l lexicon) add(text string, kind Kind) {
	if words := strings.Fields(fold(text)); len(words) > 0 {
		l.phrases[words[0]] = append(l.phrases[words[0]], phrase{words, kind})
	}
}

// vocabularies are by language, BCP 47.
var vocabularies = map[string]vocabulary{
	"en": {
		stop:       "stop, stopall, unsubscribe, unsub, opt out, optout, opt me out, remove me, take me off, dont text me, do not text me, dont message me, do not message me, dont send me, do not send me",
		aloneStop:  "end, cancel, quit, revoke",
		start:      "start, unstop, subscribe, resubscribe, opt in, optin, opt me in",
		aloneStart: "resume",
		help:       "help, info",
		thanks:     "please, pls, plz, no thanks, no thank you, thanks, thank you, thx, ty, hi, hello",
		polite: "me, us, now, at once, immediately, all, any, these, those, your, it, this, the, more, anymore, any more, again, to, from, of, " +
			"text, texts, texting, texting me, message, messages, messaging, messaging me, sms, smses, sending, sending me, send, list, mailing list, your list, spam, spamming, " +
			"can you, could you, would you, will you, i want to, i want you to, i would like to, id like to, i wish to, i said, ok, okay, just, kindly, already, and",
	},
	"nb": {
		stop:       "stop, stopp, stans, meld meg av, meld av, avmeld, avmeld meg, avmelding, reserver meg, slett meg, fjern meg, stryk meg, ikke send meg, ikke send, stogg, meld meg ut",
		aloneStop:  "slutt, avslutt, slutte",
		start:      "start, meld meg på, påmelding, abonner",
		aloneStart: "fortsett",
		help:       "hjelp, help, info",
		thanks:     "nei, nei takk, takk, tusen takk, vær så snill, vær så god, ver så snill, vennligst, hei, please",
		polite: "å sende, å sende meg, med, med å sende, med å sende meg, sende, sending, sendingen, utsending, meg, oss, nå, no, straks, med en gang, alle, alt, disse, denne, dette, det, flere, fler, mer, mere, igjen, til, fra, av, på, " +
			"sms, sms er, sms ene, smser, smsene, melding, meldinger, meldingene, meldingar, meldingane, tekstmelding, tekstmeldinger, tekstmeldingene, liste, listen, lista, kan du, kan dere, kunne dere, jeg vil, eg vil, jeg ønsker å, ønsker, ha, få, og, spam",
	},
	"sv": {
		stop:       "stop, stopp, stoppa, avregistrera, avregistrera mig, avsluta prenumeration, avsluta prenumerationen, avprenumerera, ta bort mig, sluta skicka, sluta sms a, sluta smsa, skicka inte, avanmäl, avanmäl mig, avanmälan",
		aloneStop:  "avsluta, sluta, slut",
		start:      "start, starta, prenumerera, anmäl mig",
		aloneStart: "fortsätt, återuppta",
		help:       "hjälp, help, info",
		thanks:     "nej, nej tack, tack, snälla, vänligen, hej, var snäll, please",
		polite: "skicka, att skicka, skickandet, mig, oss, nu, genast, alla, allt, dessa, denna, detta, det, fler, flera, mer, mera, igen, till, från, av, " +
			"sms, sms et, smsen, meddelande, meddelanden, meddelandena, textmeddelanden, lista, listan, kan du, kan ni, jag vill, få, ha, och, och sluta, spam",
	},
	"da": {
		stop:       "stop, stopp, afmeld, afmeld mig, afmelding, framelding, frameld, frameld mig, slet mig, fjern mig, send ikke, ikke send",
		aloneStop:  "slut, afslut, annuller, ophør",
		start:      "start, tilmeld, tilmeld mig, tilmelding",
		aloneStart: "fortsæt, genoptag",
		help:       "hjælp, help, info",
		thanks:     "nej, nej tak, tak, mange tak, venligst, vær venlig, vær sød, hej, please",
		polite: "at sende, med at sende, med, at, sende, mig, os, nu, straks, alle, alt, disse, denne, dette, det, flere, mere, igen, til, fra, af, " +
			"sms, sms er, smser, smserne, besked, beskeder, beskederne, liste, listen, kan du, kan i, jeg vil, jeg ønsker at, få, have, og, spam",
	},
	"fi": {
		stop:       "stop, stoppi, seis, lopeta viestit, lopettakaa, peruuta tilaus, peru tilaus, poista minut, en halua viestejä, älä lähetä, älkää lähettäkö",
		aloneStop:  "lopeta, peruuta, peru, loppu, poista, lopetus",
		start:      "start, aloita viestit, tilaa viestit",
		aloneStart: "aloita, jatka, tilaa",
		help:       "apua, apu, ohje, ohjeet, help, info",
		thanks:     "kiitos, kiitti, hei, ystävällisesti, pliis, please",
		polite: "lopeta, nämä, nää, kaikki, nyt, heti, enää, lisää, minulle, mulle, viestit, viestien, viestejä, viestien lähettäminen, lähettäminen, lähettämästä, " +
			"tekstiviestit, tekstiviestejä, tekstiviestien, sms, listalta, voitko, voitteko, haluan, jo, ja, spam",
	},
	"de": {
		stop:       "stop, stopp, stoppen, stoppen sie, abmelden, abmeldung, melden sie mich ab, melde mich ab, melden sie mich bitte ab, mich abmelden, abbestellen, austragen, widerruf, widerrufen, keine sms mehr, keine nachrichten mehr, bitte keine sms, bitte keine nachrichten",
		aloneStop:  "ende, aus, beenden, aufhören, kündigen, abbruch, stornieren, hören sie auf, hör auf",
		start:      "start, starten, anmelden, anmeldung, abonnieren",
		aloneStart: "weiter, fortsetzen",
		help:       "hilfe, help, info",
		thanks:     "nein, nein danke, bitte, danke, vielen dank, hallo, please",
		polite: "mir, mich, uns, sie, jetzt, sofort, alle, alles, diese, diesen, das, die, der, den, keine, mehr, weitere, weiteren, wieder, von, an, zu, " +
			"sms, smsen, nachricht, nachrichten, textnachrichten, senden, schicken, zu senden, zu schicken, verteiler, aus dem verteiler, liste, können sie, könnt ihr, ich möchte, ich will, und, endlich, spam",
	},
	"pl": {
		stop:       "stop, stopp, rezygnuję, rezygnacja, wypisz, wypisz mnie, wypisać, wypisuję się, proszę mnie wypisać, usuń mnie, nie wysyłaj, nie wysyłajcie, nie pisz, nie piszcie, przestań pisać, przestańcie pisać, przestań wysyłać, przestańcie wysyłać, proszę przestać wysyłać, proszę nie wysyłać, wycofuję zgodę, cofam zgodę",
		aloneStop:  "koniec, anuluj, zakończ, przestań, przestańcie",
		start:      "start, zapisz mnie, subskrybuj, wracam",
		aloneStart: "wznów, wznowić, kontynuuj",
		help:       "pomoc, pomocy, help, info, informacja",
		thanks:     "proszę, dziękuję, dzięki, prosze was, cześć, dzień dobry, please",
		polite: "mi, mnie, do mnie, nam, już, teraz, natychmiast, wszystkie, wszystkich, te, tych, to, więcej, ponownie, znowu, z, ze, od, do, " +
			"sms, smsy, sms y, smsów, sms ów, esemesy, wiadomość, wiadomości, listy, lista, z listy, wysyłać, wysyłania, wysyłanie, otrzymywać, otrzymywania, otrzymywanie, chcę, chciałbym, chciałabym, czy możecie, i, spam, spamu",
	},
	"nl": {
		stop:       "stop, stopp, stoppen, afmelden, afmelding, meld mij af, meld me af, uitschrijven, schrijf mij uit, schrijf me uit, opzeggen, verwijder mij, verwijder me, geen sms meer, geen berichten meer",
		aloneStop:  "einde, annuleren, annuleer",
		start:      "start, starten, aanmelden, inschrijven, meld mij aan",
		aloneStart: "hervatten, doorgaan",
		help:       "hulp, help, info",
		thanks:     "nee, nee bedankt, aub, alstublieft, alsjeblieft, graag, bedankt, dank u, dank je, dankjewel, hallo, please",
		polite: "mij, me, ons, nu, direct, meteen, alle, alles, deze, dit, de, het, geen, meer, weer, opnieuw, van, met, naar, aan, u, je, jullie, " +
			"sms, sms jes, smsjes, sms en, bericht, berichten, sturen, te sturen, het sturen, van de lijst, lijst, kunt u, kun je, kunnen jullie, ik wil, ik wil me, ik wil mij, en, spam",
	},
	"fr": {
		stop:       "stop, stopp, stopper, stoppez, stop sms, désabonner, désabonnez moi, me désabonner, désabonnement, désinscrire, désinscrivez moi, me désinscrire, désinscription, ne plus recevoir, ne m’envoyez plus, n’envoyez plus, arrêtez d’envoyer, arrêtez de m’envoyer",
		aloneStop:  "arrêt, arrêter, arrêtez, arrête, fin, annuler, résilier, assez",
		start:      "start, réabonner, réabonnez moi, m’abonner, abonnez moi, inscrivez moi",
		aloneStart: "reprendre, démarrer, recommencer",
		help:       "aide, help, info, infos",
		thanks:     "merci, svp, s’il vous plaît, s’il te plaît, stp, bonjour, please",
		polite: "me, moi, nous, maintenant, immédiatement, tout de suite, tous, toutes, tout, ces, ce, cet, les, des, de, du, vos, la, le, plus, encore, à, d’envoyer, de m’envoyer, envoyer, envoi, envois, " +
			"sms, message, messages, texto, textos, liste, de la liste, pouvez vous, je veux, je souhaite, je voudrais, et, spam",
	},
	"es": {
		stop:       "stop, stopp, baja, darme de baja, dar de baja, dame de baja, deme de baja, denme de baja, dadme de baja, quiero la baja, cancelar suscripción, anular suscripción, no enviar, no me envíen, no me envíes, no envíen, no más mensajes, no más sms, dejen de enviar, deje de enviar, dejen de enviarme, deja de enviarme, deje de enviarme, borradme, bórrenme",
		aloneStop:  "alto, parar, para, pare, paren, parad, cancelar, fin, basta, detener, terminar",
		start:      "start, alta, darme de alta, suscribirme, suscribir",
		aloneStart: "inicio, iniciar, empezar, reanudar, comenzar",
		help:       "ayuda, help, info",
		thanks:     "por favor, porfavor, gracias, muchas gracias, hola, please",
		polite: "me, nos, ya, ahora, inmediatamente, todos, todas, todo, estos, este, estas, los, las, el, la, sus, más, otra vez, de, del, a, " +
			"sms, mensaje, mensajes, enviar, enviarme, enviando, envío, envíos, recibir, lista, de la lista, pueden, puede, quiero, quisiera, y, spam",
	},
	"it": {
		stop:       "stop, stopp, disiscrivi, disiscrivimi, disiscrivetemi, disiscrizione, disiscrivermi, cancellami, cancellatemi, cancellarmi, rimuovimi, rimuovetemi, annulla iscrizione, disdire, disdetta, non inviare, non inviate, non inviatemi, non mandatemi, non scrivetemi, smettete di inviare, smettetela di inviare, smetti di inviare, smettete di inviarmi, smettetela",
		aloneStop:  "basta, ferma, fermare, fermate, annulla, smetti, smettila, smettete, cancella",
		start:      "start, iscrivimi, iscrivetemi, iscrivermi, riattiva",
		aloneStart: "inizia, avvia, riprendi, iniziare, riprendere",
		help:       "aiuto, help, info",
		thanks:     "per favore, perfavore, per piacere, grazie, grazie mille, ciao, buongiorno, please",
		polite: "mi, ci, ora, adesso, subito, tutti, tutte, tutto, questi, questo, queste, i, gli, le, la, il, vostri, più, ancora, di nuovo, di, dei, del, dalla, a, " +
			"sms, messaggio, messaggi, inviare, inviarmi, invio, ricevere, lista, dalla lista, potete, può, voglio, vorrei, e, spam",
	},
}
