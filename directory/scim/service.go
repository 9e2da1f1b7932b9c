package scim

// Limits that the service provider's configuration tells.
const (
	MostResults = 200 // in one page of a list
)

// ServiceProviderConfig is what is served and what is not (RFC 7643 5).
func ServiceProviderConfig(base string) map[string]any {
	supported := func(is bool) map[string]any { return map[string]any{"supported": is} }
	return map[string]any{
		"schemas":        []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"patch":          supported(true),
		"bulk":           map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         map[string]any{"supported": true, "maxResults": MostResults},
		"changePassword": supported(false),
		"sort":           supported(false),
		"etag":           supported(true),
		"authenticationSchemes": []map[string]any{{
			"type": "oauthbearertoken", "name": "Bearer token", "primary": true,
			"description": "A secret token that belongs to one connection, sent as Authorization: Bearer (RFC 6750).",
			"specUri":     "https://www.rfc-editor.org/info/rfc6750",
		}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": base + "/ServiceProviderConfig"},
	}
}

// Schemas are the schemas of what is served (RFC 7643 7).
func Schemas(base string) (all []map[string]any) {
	add := func(urn, name, description string, attributes []Attribute) {
		all = append(all, map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"},
			"id":      urn, "name": name, "description": description, "attributes": attributes,
			"meta": map[string]any{"resourceType": "Schema", "location": base + "/Schemas/" + urn},
		})
	}
	for _, k := range kinds {
		add(k.URN, k.Name, k.Description, k.Attributes)
		for _, e := range k.Extensions {
			add(e.URN, e.Name, e.Description, e.Attributes)
		}
	}
	return all
}

// ResourceTypes are the types of what is served (RFC 7643 6).
func ResourceTypes(base string) (all []map[string]any) {
	for _, k := range kinds {
		extensions := []map[string]any{}
		for _, e := range k.Extensions {
			extensions = append(extensions, map[string]any{"schema": e.URN, "required": false})
		}
		all = append(all, map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"},
			"id":      k.Name, "name": k.Name, "endpoint": k.Endpoint, "description": k.Description,
			"schema": k.URN, "schemaExtensions": extensions,
			"meta": map[string]any{"resourceType": "ResourceType", "location": base + "/ResourceTypes/" + k.Name},
		})
	}
	return all
}
