package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

// Fields are what a directory's person is made of, under the names that
// Microsoft Graph has for it. What is not there is null, so that what was
// cleared is cleared.
func Fields(doc Document) map[string]json.RawMessage {
	enterprise, _ := doc[enterpriseSchema].(map[string]any)
	name, _ := doc["name"].(map[string]any)
	country := valueOf(doc, "addresses", "country", "work")
	return raw(map[string]any{
		"displayName": firstOf(stringIn(doc, "displayName"), stringIn(name, "formatted"),
			strings.TrimSpace(stringIn(name, "givenName")+" "+stringIn(name, "familyName")), stringIn(doc, "userName")),
		"jobTitle":          stringIn(doc, "title"),
		"department":        stringIn(enterprise, "department"),
		"officeLocation":    valueOf(doc, "addresses", "formatted", "other"), // where Entra maps physicalDeliveryOfficeName to
		"mail":              mail(doc),
		"preferredLanguage": stringIn(doc, "preferredLanguage"),
		"mobilePhone":       valueOf(doc, "phoneNumbers", "value", "mobile"),
		"businessPhones":    valuesOf(doc, "phoneNumbers", "value", "work", ""),
		"usageLocation":     usageLocation(country),
		"country":           country,
		"accountEnabled":    doc["active"],
		"userType":          stringIn(doc, "userType"),
		"employeeId":        stringIn(enterprise, "employeeNumber"),
		"companyName":       stringIn(enterprise, "organization"),
		"givenName":         stringIn(name, "givenName"),
		"surname":           stringIn(name, "familyName"),
		"streetAddress":     valueOf(doc, "addresses", "streetAddress", "work"),
		"city":              valueOf(doc, "addresses", "locality", "work"),
		"state":             valueOf(doc, "addresses", "region", "work"),
		"postalCode":        valueOf(doc, "addresses", "postalCode", "work"),
		"faxNumber":         valueOf(doc, "phoneNumbers", "value", "fax"),
	})
}

// raw writes no value as null.
func raw(values map[string]any) map[string]json.RawMessage {
	all := make(map[string]json.RawMessage, len(values))
	for name, v := range values {
		if v == "" {
			v = nil
		}
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // strings and flags
		}
		all[name] = text
	}
	return all
}

// mail is the work address, the primary one of several, else the primary one,
// else any.
func mail(doc Document) string {
	all := chosen(Attribute{}, doc["emails"], nil)
	rank := func(v any) int {
		n := 0
		if parts, _ := v.(map[string]any); strings.EqualFold(stringIn(parts, "type"), "work") {
			n -= 2
		}
		if isPrimary(v) {
			n--
		}
		return n
	}
	all = slices.DeleteFunc(slices.Clone(all), func(v any) bool {
		parts, _ := v.(map[string]any)
		return blankText(stringIn(parts, "value"))
	})
	if len(all) == 0 {
		return ""
	}
	best := slices.MinFunc(all, func(a, b any) int { return rank(a) - rank(b) })
	return stringIn(best.(map[string]any), "value")
}

// usageLocation is an ISO 3166 alpha-2 code; other ways to write a country are
// read elsewhere.
func usageLocation(country string) string {
	if len(country) == 2 {
		return strings.ToUpper(country)
	}
	return ""
}

func firstOf(all ...string) string {
	for _, s := range all {
		if !blankText(s) {
			return s
		}
	}
	return ""
}

func blankText(s string) bool { return strings.TrimSpace(s) == "" }

func stringIn(parts map[string]any, name string) string {
	s, _ := parts[name].(string)
	return s
}

// valueOf is the first of valuesOf, or empty.
func valueOf(doc Document, name, part, kind string) string {
	return firstOf(valuesOf(doc, name, part, kind)...)
}

// valuesOf are a part of the attribute's values of certain types, in their order.
func valuesOf(doc Document, name, part string, types ...string) []string {
	var all []string
	for _, one := range chosen(Attribute{}, doc[name], nil) {
		parts, _ := one.(map[string]any)
		if slices.Contains(types, Fold(stringIn(parts, "type"))) && !blankText(stringIn(parts, part)) {
			all = append(all, stringIn(parts, part))
		}
	}
	return all
}
