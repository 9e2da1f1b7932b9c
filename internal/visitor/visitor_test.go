package visitor

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAVisitorIsTheLastWhoIsNoProxyOfOurs(t *testing.T) {
	ours, err := Parse("10.0.0.0/8, 192.0.2.7 ,2001:db8:1::/48, ::ffff:198.51.100.9")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"a visitor":                         {"203.0.113.5", nil, "203.0.113.5"},
		"a visitor who makes one up":        {"203.0.113.5", []string{"198.51.100.1"}, "203.0.113.5"},
		"a visitor who claims to be ours":   {"203.0.113.5", []string{"10.0.0.1"}, "203.0.113.5"},
		"behind a proxy":                    {"10.0.0.1", []string{"203.0.113.5"}, "203.0.113.5"},
		"behind one, one made up":           {"10.0.0.1", []string{"198.51.100.1, 203.0.113.5"}, "203.0.113.5"},
		"behind one, a line made up":        {"10.0.0.1", []string{"198.51.100.1", "203.0.113.5"}, "203.0.113.5"},
		"behind one, ours made up":          {"10.0.0.1", []string{"10.0.0.9, 203.0.113.5"}, "203.0.113.5"},
		"behind two":                        {"10.0.0.1", []string{"198.51.100.1, 203.0.113.5, 192.0.2.7"}, "203.0.113.5"},
		"behind one in two lines":           {"10.0.0.1", []string{"203.0.113.5", "192.0.2.7"}, "203.0.113.5"},
		"a proxy that says nothing":         {"10.0.0.1", nil, "10.0.0.1"},
		"a proxy that says what nobody is":  {"10.0.0.1", []string{"203.0.113.5, unknown"}, "10.0.0.1"},
		"a proxy that ends with a comma":    {"10.0.0.1", []string{"203.0.113.5,"}, "10.0.0.1"},
		"ours alone":                        {"10.0.0.1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"with a port":                       {"10.0.0.1", []string{"203.0.113.5:4711"}, "203.0.113.5"},
		"IPv6":                              {"2001:db8:1::1", []string{"2001:db8:2::5"}, "2001:db8:2::5"},
		"IPv6 in brackets":                  {"10.0.0.1", []string{"[2001:db8:2::5]"}, "2001:db8:2::5"},
		"IPv6 with a port":                  {"10.0.0.1", []string{"[2001:db8:2::5]:4711"}, "2001:db8:2::5"},
		"a proxy whose IPv4 comes as IPv6":  {"::ffff:10.0.0.1", []string{"::ffff:203.0.113.5"}, "203.0.113.5"},
		"a proxy that is set as IPv6":       {"198.51.100.9", []string{"203.0.113.5"}, "203.0.113.5"},
		"an interface is not of an address": {"fe80::1%eth0", nil, "fe80::1"},
	} {
		if got := ours.Address(netip.MustParseAddr(c.peer), c.forwarded); got.String() != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestWithoutProxiesNothingIsBelieved(t *testing.T) {
	got := Proxies(nil).Address(netip.MustParseAddr("127.0.0.1"), []string{"203.0.113.5"})
	if got.String() != "127.0.0.1" {
		t.Errorf("%s", got)
	}
}

func TestWhatIsNoNetworkIsNamed(t *testing.T) {
	for _, list := range []string{"proxy.example", "10.0.0.0/33", "10.0.0.1, 300.1.1.1", "10.0.0.1 10.0.0.2"} {
		if _, err := Parse(list); err == nil {
			t.Errorf("%q was taken", list)
		}
	}
	_, err := Parse("10.0.0.1,proxy.example")
	if err == nil || !strings.Contains(err.Error(), `"proxy.example"`) {
		t.Errorf("%v", err)
	}
	for _, list := range []string{"", " , "} {
		if all, err := Parse(list); err != nil || len(all) != 0 {
			t.Errorf("%q: %v, %v", list, all, err)
		}
	}
}

func TestIPv6IsCountedByItsNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.5": "203.0.113.5", "::ffff:203.0.113.5": "::ffff:203.0.113.5",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::1": "2001:db8:1:2::/64", "2001:db8:1:3::1": "2001:db8:1:3::/64", "nobody": "nobody",
	} {
		if got := Counted(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// Whatever a visitor writes, behind one proxy it is the visitor's own address that counts.
func FuzzNobodyMakesUpTheirAddress(f *testing.F) {
	for _, seed := range []string{"", "10.0.0.1", "198.51.100.1, 10.0.0.1", "10.0.0.1,,", "[::1]:1", "unknown", "10.0.0.1, ", "\x00"} {
		f.Add(seed)
	}
	ours, err := Parse("10.0.0.0/8")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, made string) {
		for _, lines := range [][]string{{made + ", 203.0.113.5"}, {made, "203.0.113.5"}} {
			if got := ours.Address(netip.MustParseAddr("10.0.0.1"), lines); got.String() != "203.0.113.5" {
				t.Errorf("%q: %s", lines, got)
			}
		}
	})
}
