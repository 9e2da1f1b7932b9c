package graphsim

import "strings"

// numbering is a block of numbers and the ways people write them. In a layout #
// stands for the next digit of the national number, * for all that are left.
type numbering struct {
	blocks  []block
	layouts []string
}

// block is the numbers that begin with prefix, of a length without the trunk 0.
type block struct {
	prefix string
	length int
}

func blocks(length int, prefixes string) []block {
	var all []block
	for p := range strings.FieldsSeq(prefixes) {
		all = append(all, block{p, length})
	}
	return all
}

func desks(prefix string, length int, layouts ...string) numbering {
	return numbering{blocks(length, prefix), layouts}
}

var (
	norwegianMobile = numbering{
		blocks(8, "40 41 45 46 47 48 90 91 92 93 95 97 98 99"),
		[]string{"+47 ### ## ###", "+47########", "0047 ########", "### ## ###", "## ## ## ##", "########", "tel:+47########", "(+47) ### ## ###"},
	}
	swedishMobile = numbering{
		blocks(9, "70 72 73 76 79"),
		[]string{"(+46) ##-### ## ##", "+46 ## ### ## ##", "0## ### ## ##", "0##-### ## ##", "0046 #########", "+46 (0)## ### ## ##", "tel:+46#########"},
	}
	danishMobile = numbering{
		blocks(8, "20 21 22 23 24 25 26 27 28 29 30 31 40 42 50 51 52 53 60 61"),
		[]string{"+45 ## ## ## ##", "## ## ## ##", "########", "0045 ########", "+45########", "tel:+45########"},
	}
	finnishMobile = numbering{
		blocks(9, "40 41 44 45 46 50"),
		[]string{"0#########", "+358 ## ### ####", "0## ### ####", "+358 (0)## #######", "00358 #########", "tel:+358#########"},
	}
	polishMobile = numbering{
		blocks(9, "50 51 53 57 60 66 69 72 73 78 79 88"),
		[]string{"+48 ### ### ###", "###-###-###", "### ### ###", "#########", "0048 #########", "(+48) ### ### ###", "tel:+48#########"},
	}
	germanMobile = numbering{
		append(blocks(11, "151 152 157 159"), blocks(10, "160 170 171 172 173 175 176")...),
		[]string{"0### *", "+49 (0)### *", "+49 ### *", "0049 *", "0###/*", "tel:+49*"},
	}
	britishMobile = numbering{
		blocks(10, "7400 7401 7402 7403 7500 7501 7710 7711 7801 7802 7901 7902"),
		[]string{"0#### ######", "+44 (0) #### ######", "+44 #### ######", "0044 ##########", "0##########", "tel:+44##########"},
	}
)

// Serial numbers from here on are for switchboards, so no person gets one.
const firstSwitchboard = 800_000

// The last six digits of a number are a permutation of the serial number, as the
// factors have no common divisor with tailSpace: no two are alike. They do not
// begin with 0, which Denmark does not have there.
const (
	firstTail = 100_000
	tailSpace = 900_000
)

func mobileTail(serial int) int { return firstTail + (serial*387_467+271_828)%tailSpace }

func deskTail(serial int) int { return firstTail + (serial*618_031+141_421)%tailSpace }

// write makes a number with that tail, in one of the block's layouts.
func (n numbering) write(d *dice, tail int) string {
	b := n.blocks[d.roll(len(n.blocks))]
	digits := append(make([]byte, 0, 16), b.prefix...)
	for len(digits) < b.length-6 {
		digits = append(digits, byte('0'+d.roll(10)))
	}
	for place := firstTail; place > 0; place /= 10 {
		digits = append(digits, byte('0'+tail/place%10))
	}
	return fill(n.layouts[d.roll(len(n.layouts))], string(digits))
}

func fill(layout, digits string) string {
	var s strings.Builder
	for _, r := range layout {
		switch r {
		case '#':
			s.WriteByte(digits[0])
			digits = digits[1:]
		case '*':
			s.WriteString(digits)
		default:
			s.WriteRune(r)
		}
	}
	return s.String()
}

// handled adds what pasting and typing leave behind, now and then.
func handled(d *dice, number string) string {
	switch d.roll(30) {
	case 0, 1:
		return strings.ReplaceAll(number, " ", "\u00a0")
	case 2:
		return number + " "
	case 3:
		return number + "\u00a0"
	case 4:
		return "\u202a" + number + "\u202c" // as the address book of Windows copies it
	case 5:
		return "\u200e" + number
	}
	return number
}
