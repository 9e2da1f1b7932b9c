package cards

import "strings"

// Address is where a card is found, for people and in an SMS. public is the
// installation's own address.
func Address(public, slug string) string {
	return strings.TrimRight(public, "/") + "/c/" + slug
}

// CodeAddress is the same for a QR code: in capitals, where host and path may have them,
// because these need fewer modules (ISO/IEC 18004, alphanumeric mode). A path before
// /c/ stays as it is, as it may tell small letters from capitals.
func CodeAddress(public, slug string) string {
	scheme, rest, _ := strings.Cut(strings.TrimRight(public, "/"), "://")
	if host, path, has := strings.Cut(rest, "/"); has {
		return scheme + "://" + host + "/" + path + "/c/" + slug
	}
	return strings.ToUpper(scheme + "://" + rest + "/c/" + slug)
}
