package invoice

import "fmt"

// phrases are what documents say to people. The names of things are not translated.
var phrases = map[string]map[string]string{
	"en": {
		"380": "Invoice", "381": "Credit note",
		"number": "Number", "issued": "Issue date", "due": "Due date", "period": "Date of supply", "reference": "Your reference",
		"corrects": "Credits invoice", "corrects_of": "%s of %s",
		"seller": "Seller", "buyer": "Customer", "name": "Name", "address": "Address", "country": "Country", "registration": "Registration number", "vat_id": "VAT number",
		"contact": "Contact", "description": "Description", "quantity": "Quantity", "unit": "Unit", "price": "Unit price excl. VAT", "rate": "VAT", "net": "Amount excl. VAT",

		"breakdown": "VAT", "base": "Taxable amount", "tax": "VAT amount", "sums": "Sums",
		"sum_net": "Sum excl. VAT", "sum_vat": "VAT", "sum_gross": "Sum incl. VAT", "prepaid": "Paid in advance", "payable": "To be paid", "credited": "Credited",
		"payment": "Payment", "iban": "IBAN", "bic": "BIC", "pay_reference": "Payment reference",
		"books": "VAT in %s: %s (rate %s, %s, %s)",
		"terms": "To be paid by %s.", "settled": "Paid in advance: nothing is to be paid.", "credit_terms": "Set off against invoice %s, or paid back.",
		"C62": "pcs", "MON": "months", "DAY": "days",
		"none": "no VAT",
	},
	"nb": {
		"380": "Faktura", "381": "Kreditnota",
		"number": "Nummer", "issued": "Fakturadato", "due": "Forfallsdato", "period": "Leveringsdato", "reference": "Deres referanse",
		"corrects": "Krediterer faktura", "corrects_of": "%s av %s",
		"seller": "Selger", "buyer": "Kunde", "name": "Navn", "address": "Adresse", "country": "Land", "registration": "Organisasjonsnummer", "vat_id": "Mva-nummer",
		"contact": "Kontakt", "description": "Beskrivelse", "quantity": "Antall", "unit": "Enhet", "price": "Enhetspris ekskl. mva", "rate": "Mva", "net": "Beløp ekskl. mva",

		"breakdown": "Merverdiavgift", "base": "Grunnlag", "tax": "Mva-beløp", "sums": "Summer",
		"sum_net": "Sum ekskl. mva", "sum_vat": "Mva", "sum_gross": "Sum inkl. mva", "prepaid": "Betalt på forhånd", "payable": "Å betale", "credited": "Kreditert",
		"payment": "Betaling", "iban": "IBAN", "bic": "BIC", "pay_reference": "Betalingsreferanse",
		"books": "Mva i %s: %s (kurs %s, %s, %s)",
		"terms": "Betales innen %s.", "settled": "Betalt på forhånd: det er ikke noe å betale.", "credit_terms": "Motregnes i faktura %s eller betales tilbake.",
		"C62": "stk.", "MON": "måneder", "DAY": "dager",
		"none": "uten mva",
	},
	"pl": {
		"380": "Faktura", "381": "Faktura korygująca",
		"number": "Numer", "issued": "Data wystawienia", "due": "Termin płatności", "period": "Data dostawy lub wykonania usługi", "reference": "Państwa numer referencyjny",
		"corrects": "Koryguje fakturę", "corrects_of": "%s z dnia %s",
		"seller": "Sprzedawca", "buyer": "Nabywca", "name": "Nazwa", "address": "Adres", "country": "Kraj", "registration": "Numer w rejestrze", "vat_id": "NIP / numer VAT",
		"contact": "Kontakt", "description": "Nazwa towaru lub usługi", "quantity": "Ilość", "unit": "J.m.", "price": "Cena jednostkowa netto", "rate": "VAT", "net": "Wartość netto",

		"breakdown": "Podatek VAT", "base": "Podstawa opodatkowania", "tax": "Kwota VAT", "sums": "Podsumowanie",
		"sum_net": "Razem netto", "sum_vat": "VAT", "sum_gross": "Razem brutto", "prepaid": "Zapłacono z góry", "payable": "Do zapłaty", "credited": "Kwota korekty",
		"payment": "Płatność", "iban": "IBAN", "bic": "BIC", "pay_reference": "Tytuł przelewu",
		"books": "VAT w %s: %s (kurs %s, %s, %s)",
		"terms": "Termin płatności: %s.", "settled": "Zapłacono z góry: nie ma nic do zapłaty.", "credit_terms": "Do rozliczenia z fakturą %s lub do zwrotu.",
		"C62": "szt.", "MON": "mies.", "DAY": "dni",
		"none": "bez VAT",
	},
}

// phrase is a text in a language; English where we do not speak it.
func phrase(language, id string, args ...any) string {
	words, ok := phrases[language]
	if !ok {
		words = phrases["en"]
	}
	if len(args) == 0 {
		return words[id]
	}
	return fmt.Sprintf(words[id], args...)
}
