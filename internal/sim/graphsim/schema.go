package graphsim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// schema is what a type of object has: its properties by name, those that come
// without being asked for, and those Graph has but delta does not follow.
type schema struct {
	odataType string
	names     []string
	index     map[string]uint16
	defaults  []string
	lists     []string // properties that are a list, and when cleared an empty one
	relations []string // names that $select takes on delta only
	untracked []string
}

func newSchema(s schema) *schema {
	s.index = make(map[string]uint16, len(s.names))
	for i, name := range s.names {
		s.index[name] = uint16(i)
	}
	return &s
}

// Graph's own names (api resources user and group, v1.0).
var userSchema = newSchema(schema{
	odataType: "#microsoft.graph.user",
	names: strings.Fields(`
		accountEnabled ageGroup assignedLicenses businessPhones city companyName consentProvidedForMinor country
		createdDateTime creationType department displayName employeeHireDate employeeId
		employeeOrgData employeeType externalUserState faxNumber givenName imAddresses jobTitle
		legalAgeGroupClassification mail mailNickname mobilePhone officeLocation
		onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes
		onPremisesImmutableId onPremisesLastSyncDateTime onPremisesSamAccountName
		onPremisesSecurityIdentifier onPremisesSyncEnabled onPremisesUserPrincipalName otherMails
		postalCode preferredDataLocation preferredLanguage proxyAddresses showInAddressList state
		streetAddress surname usageLocation userPrincipalName userType`),
	defaults: strings.Fields(`
		businessPhones displayName givenName jobTitle mail mobilePhone officeLocation
		preferredLanguage surname userPrincipalName`),
	lists:     strings.Fields(`assignedLicenses businessPhones imAddresses otherMails proxyAddresses`),
	untracked: strings.Fields(`aboutMe birthday interests mySite photo responsibilities schools skills`),
})

var groupSchema = newSchema(schema{
	odataType: "#microsoft.graph.group",
	names: strings.Fields(`
		createdDateTime description displayName groupTypes mail mailEnabled mailNickname
		securityEnabled visibility`),
	defaults: strings.Fields(`
		createdDateTime description displayName groupTypes mail mailEnabled mailNickname
		securityEnabled visibility`),
	lists:     strings.Fields(`groupTypes`),
	relations: []string{membersRelation},
})

var organizationSchema = newSchema(schema{
	odataType: "#microsoft.graph.organization",
	names:     strings.Fields(`countryLetterCode displayName tenantType verifiedDomains`),
	defaults:  strings.Fields(`countryLetterCode displayName tenantType verifiedDomains`),
})

const membersRelation = "members"

// selected reads $select for a plain read, without id, which always comes.
func (s *schema) selected(q url.Values) ([]string, *graphError) {
	names := s.split(q)
	if names == nil {
		return s.defaults, nil
	}
	for _, name := range names {
		if !s.has(name) {
			return nil, s.unknown(name)
		}
	}
	return names, nil
}

// tracked reads $select for a delta round, where relations may be followed too.
func (s *schema) tracked(q url.Values) ([]string, *graphError) {
	names := s.split(q)
	if names == nil {
		return s.defaults, nil
	}
	for _, name := range names {
		switch {
		case s.has(name) || slices.Contains(s.relations, name):
		case slices.Contains(s.untracked, name):
			return nil, &graphError{status: http.StatusNotImplemented, code: "NotImplemented", message: "Delta does not follow the property '" + name + "'."}
		default:
			return nil, s.unknown(name)
		}
	}
	return names, nil
}

// split is nil only when there is no $select.
func (s *schema) split(q url.Values) []string {
	if q.Get("$select") == "" {
		return nil
	}
	names := []string{}
	for name := range strings.SplitSeq(q.Get("$select"), ",") {
		if name = strings.TrimSpace(name); name != "id" && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (s *schema) has(name string) bool {
	_, ok := s.index[name]
	return ok
}

func (s *schema) unknown(name string) *graphError {
	return badQuery("Parsing OData Select and Expand failed: there is no property '%s' on type '%s'.", name, strings.TrimPrefix(s.odataType, "#"))
}

// blank is what a plain read shows of a property that was never set.
func (s *schema) blank(name string) any {
	if slices.Contains(s.lists, name) {
		return []string{}
	}
	if name == "onPremisesExtensionAttributes" {
		return noExtensions
	}
	return nil
}

// noExtensions is the object that Graph shows when none of the 15 was set.
var noExtensions = func() map[string]any {
	all := map[string]any{}
	for i := range 15 {
		all["extensionAttribute"+strconv.Itoa(i+1)] = nil
	}
	return all
}()
