package privacy_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/privacy"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

// terminate ends the agreement as the customer does, with 30 days.
func (e *estate) terminate(atEnd string) {
	e.Helper()
	now := time.Now()
	e.exec(`UPDATE agreements SET state = 'terminated', terminated_at = $1, at_end = $2, end_deadline = $3 WHERE account_id = $4 AND state = 'concluded'`,
		now.UnixMilli(), atEnd, now.AddDate(0, 0, 30).UnixMilli(), e.account.ID)
}

// unpack reads an export by the names of its files.
func (e *estate) unpack(x privacy.Export) map[string]string {
	e.Helper()
	f, _, err := e.desk.FetchExport(e.Context(), e.account.ID, x.ID)
	check(e.T, err)
	defer f.Close()
	raw := got(io.ReadAll(f))
	sum := sha256.Sum256(raw)
	same(e.T, "SHA-256 of the file", x.SHA256, hex.EncodeToString(sum[:]))
	files := map[string]string{}
	for _, one := range got(zip.NewReader(bytes.NewReader(raw), int64(len(raw)))).File {
		files[one.Name] = string(got(io.ReadAll(got(one.Open()))))
	}
	return files
}

func (e *estate) export() privacy.Export {
	e.Helper()
	x := got(e.desk.AskExport(e.Context(), e.account.ID))
	check(e.T, e.desk.RunExports(e.Context(), time.Now()))
	return got(e.desk.ExportOf(e.Context(), e.account.ID, x.ID))
}

func TestAnExportHasEverythingAndItsManifestIsTrue(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		check(t, e.desk.SetRetention(t.Context(), e.account.ID, privacy.MessageTexts, 20))
		x := e.export()
		same(t, "state", x.State, privacy.ExportReady)
		files := e.unpack(x)
		var m struct {
			Account string
			Files   []struct {
				Name, SHA256 string
				Rows, Bytes  int
			}
		}
		check(t, json.Unmarshal([]byte(files["manifest.json"]), &m))
		rows := map[string]int{}
		for _, f := range m.Files {
			sum := sha256.Sum256([]byte(files[f.Name]))
			same(t, f.Name, f.SHA256, hex.EncodeToString(sum[:]))
			rows[f.Name] = f.Rows
			if list, ok := strings.CutSuffix(f.Name, ".csv"); ok {
				read := got(csv.NewReader(strings.NewReader(files[f.Name])).ReadAll())
				same(t, f.Name+" and its manifest", len(read)-1, f.Rows)
				same(t, list+".jsonl", strings.Count(files[list+".jsonl"], "\n"), f.Rows)
			}
		}
		same(t, "files beside the manifest", len(files), len(m.Files)+1)
		for name, want := range map[string]int{"contacts.csv": people, "groups.csv": 1, "memberships.csv": people, "campaigns.csv": 2, "messages.csv": 2*people + 1,
			"receipts.jsonl": 2*people + 1, "inbound.csv": 3, "roll_answers.csv": 3, "suppressions.csv": 1, "agreements.csv": 1, "retention_settings.csv": 1} {
			if rows[name] != want {
				t.Errorf("%s has %d rows, want %d", name, rows[name], want)
			}
		}
		for name, says := range map[string]string{"contacts.jsonl": nameOf(3), "messages.csv": numberOf(3), "inbound.csv": "basement"} {
			if !strings.Contains(files[name], says) {
				t.Errorf("%s is without %q", name, says)
			}
		}
		for name, text := range files {
			if strings.Contains(text, "other account") {
				t.Errorf("%s has something of another account", name)
			}
		}
	})
}

func TestTheExportedAuditChainCanBeVerifiedByItsHashes(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		check(t, e.desk.SetRetention(t.Context(), e.account.ID, privacy.MessageTexts, 20))
		_, err := e.desk.Hold(t.Context(), e.account.ID, "", "a <court> & its reasons")
		check(t, err)
		lines := strings.Split(strings.TrimSpace(e.unpack(e.export())["audit.jsonl"]), "\n")
		before := ""
		for _, line := range lines {
			var r map[string]any
			check(t, json.Unmarshal([]byte(line), &r))
			text := func(name string) string { return r[name].(string) }
			quoted := func(name string) string { return string(got(json.Marshal(r[name]))) }
			covered := fmt.Sprintf(`["%s",%s,%v,%s,%s,%s,%s,%s,%s,%s,%s]`, before, text("account_id"), r["seq"], text("at"), quoted("action"), quoted("actor"),
				text("actor_id"), quoted("subject"), text("subject_id"), quoted("facts"), quoted("commitment"))
			sum := sha256.Sum256([]byte(covered))
			same(t, "hash of entry", text("hash"), hex.EncodeToString(sum[:]))
			before = text("hash")
		}
		if len(lines) < 2 {
			t.Errorf("only %d entries", len(lines))
		}
	})
}

func TestAnExportThatItsWriterLeftIsBegunAnew(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		x := got(e.desk.AskExport(ctx, e.account.ID))
		same(t, "asked twice", got(e.desk.AskExport(ctx, e.account.ID)).ID, x.ID)
		// The process was killed while it wrote.
		e.exec(`UPDATE account_exports SET state = 'running', tries = 1, busy_until = $1 WHERE id = $2`, time.Now().Add(30*time.Second).UnixMilli(), x.ID)
		check(t, e.desk.RunExports(ctx, time.Now()))
		same(t, "while the lease lasts", got(e.desk.ExportOf(ctx, e.account.ID, x.ID)).State, privacy.ExportRunning)
		check(t, e.desk.RunExports(ctx, time.Now().Add(time.Minute)))
		x = got(e.desk.ExportOf(ctx, e.account.ID, x.ID))
		same(t, "after it", x.State, privacy.ExportReady)
		info := got(os.Stat(filepath.Join(e.exports, x.File)))
		same(t, "who may read it", info.Mode().Perm(), os.FileMode(0o600))
	})
}

func TestAnExportGoesAfterItsTime(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		x := e.export()
		check(t, e.desk.RunExports(ctx, x.KeepUntil.Add(time.Second)))
		same(t, "files left", len(got(os.ReadDir(e.exports))), 0)
		if _, _, err := e.desk.FetchExport(ctx, e.account.ID, x.ID); !problem.Has(err, "export_not_ready") {
			t.Errorf("fetched afterwards: %v", err)
		}
		if _, _, err := e.desk.FetchExport(ctx, e.open(t, "other").ID, x.ID); !problem.Has(err, "export_not_found") {
			t.Errorf("fetched by another account: %v", err)
		}
	})
}

func TestReturnMakesTheExportAtOnceAndDeletesAtTheDeadline(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		e.terminate(privacy.AtEndReturn)
		check(t, e.desk.RunExits(ctx, time.Now()))
		check(t, e.desk.RunExports(ctx, time.Now()))
		all := got(e.desk.Exports(ctx, e.account.ID))
		same(t, "exports", len(all), 1)
		exit := got(e.desk.Exit(ctx, e.account.ID))
		same(t, "days left", exit.DaysLeft(time.Now()), 30)
		same(t, "kept until the deadline", all[0].KeepUntil.Equal(exit.Deadline), true)
		check(t, e.desk.RunExits(ctx, inDays(29)))
		same(t, "contacts before the deadline", e.count(`SELECT COUNT(*) FROM contacts`), people)
		check(t, e.desk.RunExits(ctx, inDays(31)))
		same(t, "contacts after it", e.count(`SELECT COUNT(*) FROM contacts`), 0)
		same(t, "exported files after it", len(got(os.ReadDir(e.exports))), 0)
	})
}

func TestWhatIsToBeReturnedIsNotDeletedBeforeItCouldBeFetched(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		e.terminate(privacy.AtEndReturn)
		check(t, e.desk.RunExits(t.Context(), inDays(31)))
		same(t, "contacts", e.count(`SELECT COUNT(*) FROM contacts`), people)
	})
}

func TestAtTheDeadlineAllPersonalDataGoAndACertificateSaysSo(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		other := e.open(t, "other")
		e.exec(`INSERT INTO contacts (id, account_id, source, name, phone_rule, phone, state, created_at, updated_at)
			VALUES (5, $1, 'manual', 'Somebody Else', 'manual', '+4798765432', 'active', 1, 1)`, other.ID)
		ledger := e.count(`SELECT COUNT(*) FROM ledger_entries`)
		check(t, e.desk.SetRetention(ctx, e.account.ID, privacy.MessageTexts, 20))
		e.recordDetail()
		if e.db.Dialect() == db.SQLite && len(e.personal()) < 6 {
			t.Error("there is nothing to be found from the beginning")
		}
		e.terminate(privacy.AtEndDelete)
		check(t, e.desk.RunExits(ctx, inDays(31)))

		for _, table := range []string{"campaigns", "messages", "message_parts", "ranges", "inbound", "roll_answers", "suppressions", "contact_groups", "group_members", "campaign_deltas"} {
			same(t, "rows of "+table, e.count(`SELECT COUNT(*) FROM `+table), 0)
		}
		same(t, "contacts of the other account", e.count(`SELECT COUNT(*) FROM contacts`), 1)
		same(t, "ledger", e.count(`SELECT COUNT(*) FROM ledger_entries`), ledger)
		same(t, "agreements", e.count(`SELECT COUNT(*) FROM agreements WHERE account_id = $1`, e.account.ID), 1)
		if e.db.Dialect() == db.SQLite {
			same(t, "what is found in the files", e.personal(), nil)
		}

		c := got(e.desk.Certificate(ctx, e.account.ID))
		sum := sha256.Sum256(c.PDF)
		same(t, "the certificate's SHA-256", c.SHA256, hex.EncodeToString(sum[:]))
		if !bytes.HasPrefix(c.PDF, []byte("%PDF-")) {
			t.Error("the certificate is no PDF")
		}
		actions := e.chain(e.account.ID)
		same(t, "the chain ends with", actions[len(actions)-1], "account.deleted")
		last := got(audit.List(ctx, e.db, e.account.ID, 0, 1))[0]
		if facts := string(last.Facts.(json.RawMessage)); !strings.Contains(facts, c.SHA256) || !strings.Contains(facts, fmt.Sprintf(`"contacts":%d`, people)) {
			t.Errorf("it says %s", facts)
		}
		check(t, e.desk.RunExits(ctx, inDays(32)))
		same(t, "done again", len(e.chain(e.account.ID)), len(actions))
	})
}

// recordDetail puts a name into the chain, as personal data are kept there.
func (e *estate) recordDetail() {
	e.Helper()
	check(e.T, e.db.InTx(e.Context(), func(tx *db.Tx) error {
		_, err := audit.Record(e.Context(), tx, audit.Entry{Account: e.account.ID, Action: "contact.edited", Detail: map[string]string{"name": nameOf(1)}})
		return err
	}))
}

// personal are the names, numbers and words that are found in the bytes of SQLite's
// files.
func (e *estate) personal() (found []string) {
	e.Helper()
	for _, file := range []string{e.db.Path(), e.db.Path() + "-wal"} {
		raw, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			e.Fatal(err)
		}
		for _, word := range []string{"Ragnhild", "Solbakken", "4740012", "basement", "blue folder", "water is shut off"} {
			if bytes.Contains(raw, []byte(word)) {
				found = append(found, filepath.Base(file)+" has "+word)
			}
		}
	}
	return found
}

func TestADeletionThatWasBrokenOffGoesOn(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		e.terminate(privacy.AtEndDelete)
		exit := got(e.desk.Exit(ctx, e.account.ID))
		e.exec(`INSERT INTO account_deletions (account_id, agreement_id, began_at, counts) VALUES ($1, $2, $3, '{"contacts":12}')`,
			e.account.ID, exit.Agreement, exit.Deadline.UnixMilli())
		got(e.queue.ForgetAccount(ctx, e.account.ID)) // the first lot
		check(t, e.desk.RunExits(ctx, inDays(31)))
		exit = got(e.desk.Exit(ctx, e.account.ID))
		same(t, "what was counted at its beginning", exit.Counts["contacts"], people)
		same(t, "contacts", e.count(`SELECT COUNT(*) FROM contacts`), 0)
		same(t, "running", exit.Running(), false)
	})
}

func TestANewAgreementStopsTheClock(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		e.terminate(privacy.AtEndDelete)
		same(t, "running", got(e.desk.Exit(ctx, e.account.ID)).Running(), true)
		e.conclude(e.account.ID)
		same(t, "running after it", got(e.desk.Exit(ctx, e.account.ID)).Running(), false)
		check(t, e.desk.RunExits(ctx, inDays(31)))
		same(t, "contacts", e.count(`SELECT COUNT(*) FROM contacts`), people)
		if _, err := e.desk.Certificate(ctx, e.account.ID); !problem.Has(err, "certificate_not_found") {
			t.Errorf("a certificate: %v", err)
		}
	})
}

func TestAHoldKeepsTheDataBeyondTheDeadline(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		e.terminate(privacy.AtEndDelete)
		h := got(e.desk.Hold(ctx, 0, "", "an investigation of all accounts"))
		check(t, e.desk.RunExits(ctx, inDays(31)))
		same(t, "contacts", e.count(`SELECT COUNT(*) FROM contacts`), people)
		check(t, e.desk.LiftHold(ctx, 0, h.ID))
		check(t, e.desk.RunExits(ctx, inDays(31)))
		same(t, "contacts after it", e.count(`SELECT COUNT(*) FROM contacts`), 0)
	})
}

// Who leaves does not leave money reserved for what waits for somebody.
func TestWhatTheAccountLeavesWaitingIsCancelledBeforeItsDataGo(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		at := (time.Now().UTC().Hour() + 6) % 24
		closed := got(window.Parse(fmt.Sprintf("Mon-Sun %02d:00-%02d:01", at, at)))
		check(t, e.queue.SetRules(ctx, e.account.ID, smsqueue.Rules{Windows: closed, Zone: "UTC"}))
		stop := e.work()
		c := got(e.queue.StartCampaign(ctx, e.account.ID, smsqueue.NewCampaign{Group: e.campaign.Group, Text: "Lunch"}))
		campaign := func() smsqueue.Campaign { return got(e.queue.Campaign(ctx, e.account.ID, c.ID)) }
		e.until(func() bool { return campaign().Expanded })
		got(e.queue.Pause(ctx, e.account.ID, c.ID))
		stop()
		later := got(e.queue.StartCampaign(ctx, e.account.ID, smsqueue.NewCampaign{Group: e.campaign.Group, Text: "Later", Start: inDays(60)}))
		e.terminate(privacy.AtEndDelete)
		check(t, e.desk.RunExits(ctx, inDays(29)))
		same(t, "before the deadline", campaign().State, smsqueue.CampaignPaused)

		check(t, e.desk.RunExits(ctx, inDays(31)))
		same(t, "contacts while money is reserved", e.count(`SELECT COUNT(*) FROM contacts`), people)
		same(t, "the paused campaign", campaign().State, smsqueue.CampaignCancel)
		same(t, "the scheduled one", got(e.queue.Campaign(ctx, e.account.ID, later.ID)).State, smsqueue.CampaignCancel)

		stop = e.work()
		e.until(func() bool { return campaign().Counts[smsqueue.Cancelled] == people-1 }) // one is suppressed
		stop()
		check(t, e.desk.RunExits(ctx, inDays(31)))
		same(t, "contacts after it", e.count(`SELECT COUNT(*) FROM contacts`), 0)
		same(t, "reserved", got(billing.NewLedger(e.db).Balance(ctx, e.account.ID)).Reserved, 0)
	})
}
