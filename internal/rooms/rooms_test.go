// Package rooms keeps the arrows of imports true: the arrow of imports follows
// the arrow of data.
package rooms

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/varsel/varsel/"

// may says which of our rooms each room may import; internal/* is open to all
// but is a leaf itself. A name ending in /* stands for every folder below.
var may = map[string][]string{
	"cmd/varsel":          {"*"},
	"cmd/sim":             {"internal/sim/*"},
	"api":                 {"billing/invoice", "directory", "directory/scim", "smsqueue", "smsqueue/rollcall", "smsqueue/smstext", "smsqueue/window", "smsqueue/carriers", "cards", "cards/qr", "contacts", "billing", "accounts", "privacy"},
	"web":                 {"billing/invoice", "directory", "smsqueue", "smsqueue/keywords", "smsqueue/merge", "smsqueue/rollcall", "smsqueue/smstext", "smsqueue/window", "cards", "cards/qr", "cards/slug", "cards/vcard", "contacts", "billing", "accounts", "privacy"},
	"directory":           {"directory/scim", "contacts", "cards", "billing", "accounts"},
	"directory/graph":     {"directory"},
	"directory/scim":      {},
	"smsqueue":            {"accounts", "contacts", "billing", "cards", "smsqueue/carriers", "smsqueue/keywords", "smsqueue/merge", "smsqueue/rollcall", "smsqueue/routing", "smsqueue/senders", "smsqueue/smstext", "smsqueue/window"},
	"smsqueue/carriers":   {"smsqueue/smstext"},
	"smsqueue/carriers/*": {"smsqueue/carriers", "smsqueue/carriers/httpcarrier", "smsqueue/smstext"},
	"smsqueue/keywords":   {},
	"smsqueue/merge":      {},
	"smsqueue/rollcall":   {},
	"smsqueue/routing":    {},
	"smsqueue/senders":    {},
	"smsqueue/smstext":    {},
	"smsqueue/window":     {"internal/problem"},
	"cards":               {"cards/qr", "cards/slug", "cards/vcard"},
	"cards/qr":            {"internal/colour", "internal/pdf", "internal/problem"},
	"cards/slug":          {},
	"cards/vcard":         {"internal/problem"},
	"contacts":            {},
	"billing":             {"billing/invoice", "billing/vat", "billing/vies", "smsqueue/window"},
	"billing/invoice":     {},
	"billing/vat":         {"billing/invoice"},
	"billing/vies":        {"internal/problem"},
	"accounts":            {},
	"privacy":             {"directory", "smsqueue", "cards", "contacts", "billing", "accounts"},
	"migrations":          {"internal/db"},
	"internal/db/dbtest":  {"internal/db", "migrations"},
	"internal/secrets":    {"internal/db", "internal/problem"},
	"internal/events":     {"internal/db"},
	"internal/conditions": {"internal/problem"},
	"internal/audit":      {"internal/db", "internal/lots", "internal/problem"},
	"internal/lots":       {"internal/db"},
	"internal/trail":      {"internal/audit", "internal/db", "internal/secrets"},
	"internal/*":          {},
}

// only says which rooms may import a module from outside.
var only = map[string][]string{
	"github.com/microsoftgraph/msgraph-sdk-go": {"directory/graph"},
	"github.com/coreos/go-oidc":                {"directory/graph"},
	"github.com/hibiken/asynq":                 {"smsqueue"},
	"github.com/redis/go-redis":                {"smsqueue"},
	"github.com/linxGnu/gosmpp":                {"smsqueue/carriers/smpp"},
	"github.com/gofiber/fiber":                 {"api", "web", "cmd/varsel"},
	"github.com/danielgtaylor/huma":            {"api"},
	"codeberg.org/go-pdf/fpdf":                 {"internal/pdf"},
	"github.com/wneessen/go-mail":              {"internal/mail"},
	"database/sql":                             {"accounts", "billing", "contacts", "directory", "smsqueue", "cards", "privacy", "internal/audit", "internal/db", "internal/db/dbtest"},
}

func TestImportsFollowTheArrows(t *testing.T) {
	rooms := list(t)
	if len(rooms) < 10 {
		t.Fatalf("only %d rooms were found", len(rooms))
	}
	for room, imports := range rooms {
		for _, path := range imports {
			if ours, ok := strings.CutPrefix(path, module); ok {
				if !allowed(room, ours) {
					t.Errorf("%s imports %s", room, ours)
				}
				continue
			}
			for prefix, users := range only {
				if (path == prefix || strings.HasPrefix(path, prefix+"/")) && !slices.Contains(users, room) {
					t.Errorf("%s imports %s", room, path)
				}
			}
		}
	}
}

func allowed(room, ours string) bool {
	if strings.HasPrefix(ours, "internal/") && !strings.HasPrefix(ours, "internal/sim/") && !strings.HasPrefix(room, "internal/") && !strings.HasPrefix(room, "smsqueue/") && !strings.HasPrefix(room, "cards/") && room != "migrations" {
		return true
	}
	for _, pattern := range rule(room) {
		if matches(pattern, ours) {
			return true
		}
	}
	return false
}

// rule finds the room's own rule, else that of the folders above it.
func rule(room string) []string {
	if r, ok := may[room]; ok {
		return r
	}
	for above := room; strings.Contains(above, "/"); {
		above = above[:strings.LastIndex(above, "/")]
		if r, ok := may[above+"/*"]; ok {
			return r
		}
	}
	return nil
}

func matches(pattern, ours string) bool {
	below, all := strings.CutSuffix(pattern, "*")
	return pattern == ours || all && strings.HasPrefix(ours, below)
}

// list is every package of the module with what it imports, tests left out.
func list(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	rooms := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		rooms[strings.TrimPrefix(words[0], module)] = words[1:]
	}
	return rooms
}
