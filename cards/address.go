package cards

import "strings"

// Address is where a card is found, for people and in an SMS. public is the
// installation's own address.
func Address(public, slug string) string { return address(public, "/c/"+slug) }

// CodeAddress is the same for a QR code.
func CodeAddress(public, slug string) string { return codeAddress(public, "/c/"+slug) }

// InviteAddress is where an invite is found.
func InviteAddress(public, slug string) string { return address(public, "/i/"+slug) }

// InviteCodeAddress is the same for a QR code.
func InviteCodeAddress(public, slug string) string { return codeAddress(public, "/i/"+slug) }

func address(public, path string) string { return strings.TrimRight(public, "/") + path }

// codeAddress is in capitals, where host and path may have them, because these need fewer
// modules (ISO/IEC 18004, alphanumeric mode). A path of the installation's own stays as
// it is, as it may tell small letters from capitals.
func codeAddress(public, path string) string {
	scheme, rest, _ := strings.Cut(strings.TrimRight(public, "/"), "://")
	if strings.Contains(rest, "/") {
		return scheme + "://" + rest + path
	}
	return strings.ToUpper(scheme + "://" + rest + path)
}
