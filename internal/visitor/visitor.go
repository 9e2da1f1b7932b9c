// Package visitor tells whose address a request comes from, where proxies stand in
// front (docs/decisions/0036).
package visitor

import (
	"fmt"
	"net/netip"
	"strings"
)

// Proxies are those in front of us: what they add to X-Forwarded-For is believed.
type Proxies []netip.Prefix

// Parse reads addresses and networks (CIDR) separated by commas; an error names the one
// that is neither.
func Parse(list string) (all Proxies, err error) {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		network, err := netip.ParsePrefix(one)
		if address, single := netip.ParseAddr(one); single == nil {
			address = plain(address)
			network, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network, as in 10.0.0.0/8", one)
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

func (p Proxies) has(address netip.Addr) bool {
	for _, network := range p {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// Address is the visitor's, for a peer of a connection and the lines of X-Forwarded-For.
// Every proxy adds whom it was asked by at the right end, so it is the first from there
// that is no proxy of ours; what stands left of it anybody can have made up.
func (p Proxies) Address(peer netip.Addr, forwarded []string) netip.Addr {
	address := plain(peer)
	steps := strings.Split(strings.Join(forwarded, ","), ",")
	for len(steps) > 0 && p.has(address) {
		next, err := parse(steps[len(steps)-1])
		if err != nil {
			break // what our own proxy wrote there tells nothing: it is the last we know
		}
		address, steps = next, steps[:len(steps)-1]
	}
	return address
}

// parse reads an address; some proxies write its port too.
func parse(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	if both, err := netip.ParseAddrPort(text); err == nil {
		return plain(both.Addr()), nil
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return plain(address), err
}

// plain writes one address one way: IPv4 as IPv4, and without the name of an interface.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

// subscriber is the bits of an IPv6 address that a subscriber cannot choose: a site gets
// a /64 at the least (RFC 6177 2), and every address in it for the asking (RFC 8981).
const subscriber = 64

// Counted is what limits count a visitor's address as: IPv4 whole, IPv6 by its network.
func Counted(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || !plain(a).Is6() {
		return address
	}
	return netip.PrefixFrom(plain(a), subscriber).Masked().String()
}
