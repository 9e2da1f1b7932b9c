package keywords_test

import (
	"strings"
	"testing"

	"github.com/varsel/varsel/smsqueue/keywords"
)

// read classifies every line of a table.
func read(t *testing.T, want keywords.Kind, lines string) {
	t.Helper()
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		line = strings.TrimSpace(line)
		if got := keywords.Classify(line); got != want {
			t.Errorf("%q is %q, not %q", line, got, want)
		}
	}
}

func TestStopInLocalWordsExactAndPolite(t *testing.T) { // U21
	read(t, keywords.Stop, `
		STOP
		stop
		Stop.
		stop!!
		"STOP"
		«Stopp»
		‘stop’
		STOP 🙏
		🛑 stop 🛑
		S T O P
		s.t.o.p.
		stoppp!!!
		STOP STOP STOP
		ＳＴＯＰ
		STOPALL
		Stop all
		stop now
		Stop it
		Please stop
		Please stop texting me
		Stop texting me please.
		stop sending me these messages
		Stop the messages
		Can you please stop sending me texts?
		I want to unsubscribe
		Unsubscribe
		Unsubscribe me
		unsubscribe me from this list please
		Opt out
		opt-out
		Please opt me out
		Remove me from your list
		take me off your list
		Don't text me again
		Don’t text me anymore
		Do not send me messages
		END
		Quit
		cancel
		Cancel, please
		Stopp takk
		Nei takk, stopp
		No thanks. STOP
		stopp, takk!
		Stopp nå
		Vennligst stopp
		Vær så snill stopp
		vaer saa snill, stopp
		Stopp meldingene
		Stopp å sende meg meldinger
		stopp med å sende sms
		Meld meg av
		avmeld
		Slutt
		SLUTT.
		Avslutt takk
		Ikke send meg flere meldinger
		Stoppa
		Avsluta
		avsluta tack
		Snälla sluta skicka sms
		snalla sluta skicka sms
		Avregistrera mig
		Afmeld
		Afmeld mig tak
		Stop med at sende beskeder
		Slut
		Ophør
		Lopeta
		lopeta kiitos
		Seis
		Poista minut listalta
		poista minut
		Älkää lähettäkö enää viestejä
		alkaa lahettako enaa viesteja
		Abmelden
		Bitte abmelden
		Bitte stoppen Sie diese Nachrichten
		Keine SMS mehr
		Ende
		Aufhören
		aufhoren
		Melden Sie mich bitte ab
		Rezygnuję
		rezygnuje
		REZYGNUJĘ!
		Proszę mnie wypisać
		prosze mnie wypisac z listy
		Wypisz mnie
		Koniec
		Stop proszę
		Nie wysyłajcie mi więcej wiadomości
		nie wysylajcie mi wiecej wiadomosci
		Afmelden
		Uitschrijven aub
		Stop met sturen van berichten
		Schrijf me uit
		Opzeggen
		Arrêt
		ARRET
		Arrêtez svp
		Stop SMS svp
		Désabonnez-moi
		desabonnez moi s'il vous plait
		Arrêtez de m'envoyer des messages
		Je veux me désinscrire
		Baja
		baja por favor
		Darme de baja
		Quiero darme de baja
		No me envíen más mensajes
		no me envien mas mensajes
		Cancelar
		Basta
		basta grazie
		Cancellatemi dalla lista
		Disiscrivimi per favore
		Non inviatemi più messaggi
		non inviatemi piu messaggi`)
}

func TestASentenceWithTheWordInItIsNoStop(t *testing.T) { // U21
	read(t, keywords.None, `
		I will stop by at 5
		The bus stop is closed
		Don't stop
		dont stop
		Don’t stop texting me
		Please don't stop
		Never stop
		Non-stop service
		Stop the machine in hall 3
		Stop at the gate
		Where is the stop?
		stop 5
		One stop shop
		Full stop
		It stopped raining
		Stop press: we are open
		We had to stop, Anna is hurt
		Stop, please call me
		stop start
		Fine
		No thanks
		Nei takk
		STOP ACME
		STOP or START?
		Cancel my appointment on Friday
		Please cancel my order
		The end is near
		In the end we all came
		I quit my job
		I start at 7
		When do we start?
		The meeting will start now at nine
		Help me please, I am locked in
		Help me
		We need help
		Can you help?
		Yes
		No
		OK
		Thanks!
		🙏
		?
		👍
		1
		Please
		Hi
		Bussen stopper ikke her
		Ikke stopp
		Ikke slutt
		Jeg slutter på jobb kl 4
		Slutt på møtet kl 15
		Når er det slutt?
		Jeg kommer til stoppestedet
		Vi må stoppe maskinen
		Heisen har stoppet
		Stopp maskinen
		Hjelp meg ut av heisen
		Bussen är sen, jag stannar vid stoppet
		Sluta aldrig
		Jag slutar kl 4
		Mødet er slut
		Bussen stopper ved hallen
		Älä lopeta
		Lopetan kello 4
		Bitte nicht stoppen
		Nicht abmelden
		Am Ende der Straße
		Ich höre um 4 auf
		Nie rezygnuję
		Nie rezygnuję z pracy
		To nie koniec
		Autobus nie ma tu przystanku
		Proszę o pomoc w hali 3
		Ik stop om 5 uur
		Niet stoppen
		De bushalte is dicht
		Arrêt de bus fermé
		N'arrêtez pas
		Je finis à 17 h
		La parada está cerrada
		No pares
		Estoy de baja médica
		Non fermare la macchina
		La fermata è chiusa
		Stop: Acme AS will send you no more messages, whatever else there may be to say about it all`)
}

func TestAWishMayNameWhoIsAsked(t *testing.T) { // U21
	for text, want := range map[string]keywords.Kind{"STOP ACME": keywords.Stop, "Stopp Acme AS takk": keywords.Stop, "Acme: stop": keywords.Stop,
		"Start Acme": keywords.Start, "Acme": keywords.None, "Stop the Acme bus": keywords.None, "Don't stop Acme": keywords.None} {
		if got := keywords.Classify(text, "acme", "Acme AS", "ACME"); got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
	for text, want := range map[string]bool{"STOP ACME": true, "Stopp det": true, "Acme": false, "I will stop": false, "": false} {
		if got := keywords.Begins(text); got != want {
			t.Errorf("%q begins like a wish: %v", text, got)
		}
	}
}

func TestStartAndHelp(t *testing.T) { // U21
	read(t, keywords.Start, `
		START
		start!
		Please start
		Start sending me messages again
		unstop
		Subscribe
		Start takk
		Meld meg på
		Starta
		Tilmeld mig
		Aloita
		Anmelden
		Wznów
		wznow
		Aanmelden
		Reprendre
		Alta
		Riprendi`)
	read(t, keywords.Help, `
		HELP
		help?
		Help please
		INFO
		Hjelp
		hjälp
		Hjælp
		Ohje
		Hilfe
		Pomoc
		Aide
		Ayuda
		Aiuto`)
}

func TestNothingIsAskedByNothing(t *testing.T) {
	for _, text := range []string{"", " ", "\u200b", "...", strings.Repeat("stop ", 13), strings.Repeat("stop me ", 5000)} {
		if got := keywords.Classify(text); got != keywords.None {
			t.Errorf("%.20q is %q", text, got)
		}
	}
}
