package invoice_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// order is the sequence of children in the UBL 2.1 schemas (UBL-Invoice-2.1.xsd,
// UBL-CreditNote-2.1.xsd, UBL-CommonAggregateComponents-2.1.xsd), of what we may write.
// A + marks what may be there more than once.
var order = map[string]string{
	"Invoice": `CustomizationID ProfileID ID IssueDate DueDate InvoiceTypeCode Note TaxPointDate DocumentCurrencyCode TaxCurrencyCode
		AccountingCost BuyerReference InvoicePeriod OrderReference BillingReference AccountingSupplierParty AccountingCustomerParty
		Delivery PaymentMeans PaymentTerms AllowanceCharge TaxTotal+ LegalMonetaryTotal InvoiceLine+`,
	"CreditNote": `CustomizationID ProfileID ID IssueDate TaxPointDate CreditNoteTypeCode Note DocumentCurrencyCode TaxCurrencyCode
		AccountingCost BuyerReference InvoicePeriod OrderReference BillingReference AccountingSupplierParty AccountingCustomerParty
		Delivery PaymentMeans PaymentTerms AllowanceCharge TaxTotal+ LegalMonetaryTotal CreditNoteLine+`,
	"InvoicePeriod":              "StartDate EndDate",
	"BillingReference":           "InvoiceDocumentReference",
	"InvoiceDocumentReference":   "ID IssueDate",
	"AccountingSupplierParty":    "Party",
	"AccountingCustomerParty":    "Party",
	"Party":                      "EndpointID PartyIdentification PartyName PostalAddress PartyTaxScheme+ PartyLegalEntity Contact",
	"PostalAddress":              "StreetName AdditionalStreetName CityName PostalZone CountrySubentity AddressLine Country",
	"Country":                    "IdentificationCode",
	"PartyTaxScheme":             "CompanyID TaxScheme",
	"TaxScheme":                  "ID",
	"PartyLegalEntity":           "RegistrationName CompanyID CompanyLegalForm",
	"Contact":                    "Name Telephone ElectronicMail",
	"PaymentMeans":               "PaymentMeansCode PaymentID CardAccount PayeeFinancialAccount PaymentMandate",
	"PayeeFinancialAccount":      "ID Name FinancialInstitutionBranch",
	"FinancialInstitutionBranch": "ID",
	"PaymentTerms":               "Note",
	"TaxTotal":                   "TaxAmount TaxSubtotal+",
	"TaxSubtotal":                "TaxableAmount TaxAmount TaxCategory",
	"TaxCategory":                "ID Percent TaxExemptionReasonCode TaxExemptionReason TaxScheme",
	"ClassifiedTaxCategory":      "ID Percent TaxScheme",
	"LegalMonetaryTotal":         "LineExtensionAmount TaxExclusiveAmount TaxInclusiveAmount AllowanceTotalAmount ChargeTotalAmount PrepaidAmount PayableRoundingAmount PayableAmount",
	"InvoiceLine":                "ID Note InvoicedQuantity LineExtensionAmount AccountingCost InvoicePeriod OrderLineReference DocumentReference AllowanceCharge Item Price",
	"CreditNoteLine":             "ID Note CreditedQuantity LineExtensionAmount AccountingCost InvoicePeriod OrderLineReference DocumentReference AllowanceCharge Item Price",
	"Item":                       "Description Name ClassifiedTaxCategory",
	"Price":                      "PriceAmount BaseQuantity",
}

// inOrder sees that every element stands where its parent's schema has it.
func inOrder(t *testing.T, document []byte) {
	t.Helper()
	type place struct {
		name string
		at   int // of the last child, in the parent's order
	}
	var open []place
	decoder := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("the XML is not well-formed: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if len(open) > 0 {
				parent := &open[len(open)-1]
				children := strings.Fields(order[parent.name])
				at := slices.IndexFunc(children, func(c string) bool { return strings.TrimSuffix(c, "+") == e.Name.Local })
				if at < 0 {
					t.Fatalf("%s does not belong in %s", e.Name.Local, parent.name)
				}
				if at < parent.at || at == parent.at && !strings.HasSuffix(children[at], "+") {
					t.Fatalf("%s stands too late in %s, or twice", e.Name.Local, parent.name)
				}
				parent.at = at
			}
			open = append(open, place{e.Name.Local, -1})
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}
