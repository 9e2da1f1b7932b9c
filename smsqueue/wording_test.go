package smsqueue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// staff puts contacts into a group.
func (h *house) staff(name string, list ...contacts.NewContact) (contacts.Group, []int64) {
	h.t.Helper()
	for i := range list {
		if list[i].Region = "NO"; list[i].Phone == "" {
			list[i].Phone = number(i)
		}
	}
	ids, err := h.book.AddContacts(h.t.Context(), h.account.ID, list)
	must(h.t, err)
	g, err := h.book.AddGroup(h.t.Context(), h.account.ID, name, ids)
	must(h.t, err)
	return g, ids
}

func (h *house) preview(n smsqueue.NewCampaign) smsqueue.Preview {
	h.t.Helper()
	p, err := h.queue.Preview(h.t.Context(), h.account.ID, n)
	must(h.t, err)
	return p
}

// said is the text that the SMSC put together for a number.
func (h *house) said(i int) string {
	h.t.Helper()
	all := h.smsc.Texts(strings.TrimPrefix(number(i), "+"))
	if len(all) > 1 {
		h.t.Errorf("%s received %d messages", number(i), len(all))
	}
	return strings.Join(all, "")
}

func TestEverybodyIsSentTheirOwnText(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		g, ids := h.staff("All staff",
			contacts.NewContact{Name: "Kari Nordmann", Office: "Oslo"},
			contacts.NewContact{Name: "Żak, Łucja Anna", Office: "Kraków"},
			contacts.NewContact{Name: "Ola Nordmann"},
			contacts.NewContact{Name: "Per Hansen"})
		for i, badge := range []string{"A1", "B2", "", "D4"} {
			_, err := h.book.SetFields(t.Context(), h.account.ID, ids[i], map[string]string{"badge": badge})
			must(t, err)
		}
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID,
			Text: "Hi {{first_name}}, {{office|your office}} closes. Badge {{custom.badge}}."}), finished)

		want := []string{"Hi Kari, Oslo closes. Badge A1.", "Hi Łucja, Kraków closes. Badge B2.", "", "Hi Per, your office closes. Badge D4."}
		for i, text := range want {
			if got := h.said(i); got != text {
				t.Errorf("%s received %q, not %q", number(i), got, text)
			}
		}
		if diff := cmp.Diff(smsqueue.LeftOut{Unresolved: 1}, c.LeftOut); diff != "" || c.Counts[smsqueue.Delivered] != 3 {
			t.Errorf("%s %v", diff, c.Counts)
		}
		if !c.Merged || c.Parts != 1 || c.AllParts != 3 || c.Encoding != smstext.UCS2 {
			t.Errorf("%+v", c)
		}
		shown, err := h.queue.Messages(t.Context(), h.account.ID, smsqueue.MessageFilter{Campaign: c.ID, Limit: 1})
		must(t, err)
		if shown[0].Text != want[3] {
			t.Errorf("the list shows %q", shown[0].Text)
		}
	})
}

// A text that is the same for everybody stands in the campaign alone.
func TestATextWithoutFieldsIsStoredOnce(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		g, _ := h.staff("All staff", contacts.NewContact{Name: "Kari"}, contacts.NewContact{Name: "Łucja", Language: "pl"})
		plain := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello, Łódź", Transliterate: true})
		one, err := h.queue.AddTemplate(t.Context(), h.account.ID, smsqueue.NewTemplate{Name: "One", Texts: []smsqueue.TemplateText{{"nb", "Hei"}}})
		must(t, err)
		kept := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Template: one.ID})
		two, err := h.queue.AddTemplate(t.Context(), h.account.ID, smsqueue.NewTemplate{Name: "Two", Texts: []smsqueue.TemplateText{{"nb", "Hei"}, {"pl", "Cześć"}}})
		must(t, err)
		both := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Template: two.ID})
		for _, each := range []struct {
			c      smsqueue.Campaign
			text   string
			merged bool
			bodies []string
		}{
			{plain, "Hello, Lodz", false, []string{"", ""}},
			{kept, "Hei", false, []string{"", ""}},
			{both, "Hei", true, []string{"", "Cześć"}},
		} {
			c := h.until(each.c, finished)
			bodies, err := db.Column[string](t.Context(), h.db, `SELECT body FROM messages WHERE campaign_id = $1 ORDER BY id`, c.ID)
			must(t, err)
			if diff := cmp.Diff(each.bodies, bodies); diff != "" || c.Merged != each.merged || c.Text != each.text {
				t.Errorf("%s: %s %v", c.Text, diff, c.Merged)
			}
		}
	})
}

func TestATemplateSpeaksTheRecipientsLanguage(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		g, _ := h.staff("All staff",
			contacts.NewContact{Name: "Kari Nordmann", Language: "nb-NO"},
			contacts.NewContact{Name: "Jan Kowalski", Language: "pl"},
			contacts.NewContact{Name: "Ann Smith", Language: "fr"},
			contacts.NewContact{Name: "Bo Ek"})
		tpl, err := h.queue.AddTemplate(t.Context(), h.account.ID, smsqueue.NewTemplate{Name: "Welcome", Language: "en", Texts: []smsqueue.TemplateText{
			{"nb", "Hei {{first_name}}"}, {"PL", "Cześć {{first_name}}"}, {"en", "Hi {{first_name}}"}}})
		must(t, err)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Template: tpl.ID})
		changed, err := h.queue.ChangeTemplate(t.Context(), h.account.ID, tpl.ID, smsqueue.NewTemplate{Texts: []smsqueue.TemplateText{{"en", "Changed"}}})
		must(t, err)
		must(t, h.queue.ArchiveTemplate(t.Context(), h.account.ID, tpl.ID))
		c = h.until(c, finished)
		for i, want := range []string{"Hei Kari", "Cześć Jan", "Hi Ann", "Hi Bo"} {
			if got := h.said(i); got != want {
				t.Errorf("%q, not %q", got, want)
			}
		}
		if c.Template != tpl.ID || c.Version != 1 || changed.Version.Number != 2 || c.Name != "Welcome" || c.TemplateName != "Welcome" {
			t.Errorf("version %d of %d, then %d, %q", c.Version, c.Template, changed.Version.Number, c.Name)
		}
		if _, err := h.queue.StartCampaign(t.Context(), h.account.ID, smsqueue.NewCampaign{Group: g.ID, Template: tpl.ID}); !problem.Has(err, "template_archived") {
			t.Errorf("an archived template is sent: %v", err)
		}
	})
}

// U23: what is sent again is what was sent, whatever became of the template.
func TestSendingAgainSaysWhatTheTemplateSaidThen(t *testing.T) {
	faults := smscsim.Faults{ReceiptDelay: time.Millisecond, Fail: map[string]string{on(0): "UNDELIV", on(1): "UNDELIV"}}
	eachHouse(t, faults, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		g, _ := h.staff("All staff", contacts.NewContact{Name: "Kari Nordmann", Language: "nb"}, contacts.NewContact{Name: "Ann Smith"}, contacts.NewContact{Name: "Bo Ek"})
		add := func(name string, texts ...smsqueue.TemplateText) smsqueue.Template {
			tpl, err := h.queue.AddTemplate(t.Context(), h.account.ID, smsqueue.NewTemplate{Name: name, Texts: texts})
			must(t, err)
			return tpl
		}
		merged := add("Welcome", smsqueue.TemplateText{"en", "Hi {{first_name}}"}, smsqueue.TemplateText{"nb", "Hei {{first_name}}"})
		plain := add("Plain", smsqueue.TemplateText{"en", "Żółw"})
		var first []smsqueue.Campaign
		for _, n := range []smsqueue.NewCampaign{{Template: merged.ID}, {Template: plain.ID, Transliterate: true}} {
			n.Group = g.ID
			first = append(first, h.until(h.campaign(h.account.ID, n), finished))
		}
		changed := smsqueue.NewTemplate{Texts: []smsqueue.TemplateText{{"en", "Changed"}, {"pl", "Zmienione"}}}
		for _, tpl := range []smsqueue.Template{merged, plain} {
			_, err := h.queue.ChangeTemplate(t.Context(), h.account.ID, tpl.ID, changed)
			must(t, err)
		}
		must(t, h.queue.ArchiveTemplate(t.Context(), h.account.ID, merged.ID))
		for i, c := range first {
			again, err := h.queue.Resend(t.Context(), h.account.ID, c.ID, smsqueue.AudienceFilter{}, "", "")
			must(t, err)
			again = h.until(again, finished)
			if again.Template != []int64{merged.ID, plain.ID}[i] || again.Version != 1 || again.Counts.Total() != 2 || again.Name != c.Name {
				t.Errorf("%+v", again)
			}
			twice, err := h.queue.Resend(t.Context(), h.account.ID, again.ID, smsqueue.AudienceFilter{}, "", "")
			must(t, err)
			h.until(twice, finished)
		}
		for i, want := range [][]string{{"Hei Kari", "Zolw", "Hei Kari", "Hei Kari", "Zolw", "Zolw"}, {"Hi Ann", "Zolw", "Hi Ann", "Hi Ann", "Zolw", "Zolw"}, {"Hi Bo", "Zolw"}} {
			if diff := cmp.Diff(want, h.smsc.Texts(on(i))); diff != "" {
				t.Errorf("%s: %s", number(i), diff)
			}
		}
	})
}

func TestAReminderSaysWhatTheTemplateSaidThen(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.number(h.account.ID, "2440", "")
		h.work()
		g := h.group(h.account.ID, "All staff", 1, 0)
		tpl, err := h.queue.AddTemplate(t.Context(), h.account.ID, smsqueue.NewTemplate{Name: "Drill", Texts: []smsqueue.TemplateText{{"en", "Are you safe?"}}})
		must(t, err)
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Template: tpl.ID, Asks: safety()}), finished)
		_, err = h.queue.ChangeTemplate(t.Context(), h.account.ID, tpl.ID, smsqueue.NewTemplate{Texts: []smsqueue.TemplateText{{"en", "Changed"}}})
		must(t, err)
		reminder, err := h.queue.RemindRollCall(t.Context(), h.account.ID, c.ID, smsqueue.Reminder{})
		must(t, err)
		h.until(reminder, finished)
		if diff := cmp.Diff([]string{"Are you safe?", "Are you safe?"}, h.smsc.Texts(on(0))); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAFaultyTextIsRefusedAtOnce(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		g, _ := h.staff("All staff", contacts.NewContact{Name: "Kari"})
		for text, code := range map[string]string{
			"Hi {{fist_name}}":                             "unknown_field",
			"Hi {{custom.Badge}}":                          "unknown_field",
			"Hi {{card_photo}}":                            "unknown_field", // nothing resolves it yet
			"Hi {{first_name":                              "unclosed_field",
			"{{name}}" + strings.Repeat("0123456789", 160): "invalid_text",
			" ": "invalid_text",
		} {
			n := smsqueue.NewCampaign{Group: g.ID, Text: text}
			_, started := h.queue.StartCampaign(t.Context(), h.account.ID, n)
			_, previewed := h.queue.Preview(t.Context(), h.account.ID, n)
			if !problem.Has(started, code) || !problem.Has(previewed, code) {
				t.Errorf("%.20q: %v, %v", text, started, previewed)
			}
		}
		_, err := h.queue.StartCampaign(t.Context(), h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Ølen {{fist_name}}"})
		if p := problem.As(err); p == nil || p.Field != "text" || !strings.HasPrefix(p.Text, `there is no field "fist_name", which stands at character 6; there are first_name, `) {
			t.Errorf("%v", err)
		}
	})
}

// U8: what the preview says is what the carrier receives and the ledger charges.
func TestThePreviewIsWhatIsReceivedAndCharged(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		const people = 10_000
		h.route(1000, 0)
		g, tpl := h.variedCrowd(people)
		n := smsqueue.NewCampaign{Group: g.ID, Template: tpl.ID}
		p := h.preview(n)
		n.CeilingMicro = p.CostMicro // to the micro-unit: less would hold it
		h.work()
		c := h.until(h.campaign(h.account.ID, n), finished)

		parts, encodings, all := map[int]int{}, map[smstext.Encoding]int{}, 0
		longest := smsqueue.Sample{}
		for i := range people {
			text := h.said(i)
			if text == "" {
				continue
			}
			split := smstext.Split(text)
			parts[len(split.Parts)]++
			encodings[split.Encoding]++
			all += len(split.Parts)
			if len(split.Parts) > longest.Parts || len(split.Parts) == longest.Parts && split.Units > longest.Units {
				longest = smsqueue.Sample{Text: text, Parts: len(split.Parts), Units: split.Units}
			}
		}
		received := h.smsc.Counts().Accepted
		if diff := cmp.Diff([]any{p.Parts, p.Encodings, p.AllParts, p.AllParts}, []any{parts, encodings, all, received}); diff != "" {
			t.Errorf("the preview against the carrier: %s", diff)
		}
		if p.Longest.Parts != longest.Parts || p.Longest.Units != longest.Units || h.smsc.Texts(strings.TrimPrefix(p.Longest.Phone, "+"))[0] != p.Longest.Text {
			t.Errorf("the longest is %+v, not %+v", p.Longest, longest)
		}
		money, err := campaignMoney(t.Context(), h.db, h.account.ID, c.ID)
		must(t, err)
		if diff := cmp.Diff(moneyOf{Reserved: p.CostMicro, Charged: p.CostMicro}, money); diff != "" {
			t.Errorf("the preview against the ledger: %s", diff)
		}
		if diff := cmp.Diff(p.LeftOut, c.LeftOut); diff != "" || p.Recipients != c.Counts[smsqueue.Delivered] || p.AllParts != c.AllParts {
			t.Errorf("%s; %d recipients, %v", diff, p.Recipients, c.Counts)
		}
		h.checkVaried(people, p)
	})
}

// variedCrowd is a group whose texts differ in language, length, alphabet and price, and
// of whom some can get none.
func (h *house) variedCrowd(people int) (contacts.Group, smsqueue.Template) {
	h.t.Helper()
	list := make([]contacts.NewContact, people)
	for i := range list {
		one := &list[i]
		one.Name, one.Office, one.Language = fmt.Sprintf("Kari%d Nordmann", i), "Oslo", "nb-NO"
		switch i % 10 {
		case 1:
			one.Name, one.Language = fmt.Sprintf("Łucja%d Żak", i), "pl-PL"
		case 2:
			one.Language = "pl" // GSM but for its text
		case 3:
			one.Department = strings.Repeat("Department of long names ", 7) + "and more"
		case 4:
			one.Office = ""
		case 5:
			one.Name, one.Department = fmt.Sprintf("Ещё%d Иван", i), strings.Repeat("Отдел ", 30)
		}
	}
	g, ids := h.staff("Crowd", list...)
	for i := 7; i < people; i += 500 { // a text that is far too long
		fields := map[string]string{}
		for k := range 10 {
			fields[fmt.Sprintf("note%d", k)] = strings.Repeat("x", 190)
		}
		_, err := h.book.SetFields(h.t.Context(), h.account.ID, ids[i], fields)
		must(h.t, err)
	}
	_, err := h.db.ExecContext(h.t.Context(), `UPDATE contacts SET phone_country = 'SE' WHERE phone LIKE '%3'`)
	must(h.t, err)
	notes := ""
	for k := range 10 {
		notes += fmt.Sprintf("{{custom.note%d|}}", k)
	}
	tpl, err := h.queue.AddTemplate(h.t.Context(), h.account.ID, smsqueue.NewTemplate{Name: "Crowd", Language: "nb", Texts: []smsqueue.TemplateText{
		{"nb", "Hei {{first_name}}, {{office}} stenger. {{department|}}" + notes}, {"pl", "Cześć {{first_name}}! Biuro {{office}} jest zamknięte."}}})
	must(h.t, err)
	return g, tpl
}

func (h *house) checkVaried(people int, p smsqueue.Preview) {
	h.t.Helper()
	tenth, long := people/10, (people+492)/500
	if diff := cmp.Diff(smsqueue.LeftOut{Unresolved: tenth, TooLong: long}, p.LeftOut); diff != "" {
		h.t.Error(diff)
	}
	if diff := cmp.Diff([]smsqueue.UnresolvedField{{Name: "office", Count: tenth, Whose: []string{
		"Kari4 Nordmann", "Kari14 Nordmann", "Kari24 Nordmann", "Kari34 Nordmann", "Kari44 Nordmann"}}}, p.Unresolved); diff != "" {
		h.t.Error(diff)
	}
	if p.Encodings[smstext.UCS2] != 3*tenth || p.Languages["pl"] != 2*tenth || len(p.Parts) < 3 || len(p.TooLong) == 0 {
		h.t.Errorf("%v %v %v %v", p.Encodings, p.Languages, p.Parts, p.TooLong)
	}
	first := p.Forcing[0]
	if first.Messages != 2*tenth || !strings.Contains("śćę", first.Text) {
		h.t.Errorf("%+v", p.Forcing)
	}
	if len(p.Countries) != 2 || p.Countries[0].Country != "NO" || p.Countries[0].Micro+p.Countries[1].Micro != p.CostMicro ||
		p.Countries[1].Micro != int64(p.Countries[1].Parts)*42000 {
		h.t.Errorf("%+v of %d", p.Countries, p.CostMicro)
	}
	if p.Samples[0].Text != "Hei Kari0, Oslo stenger. " || p.Samples[0].Name != "Kari0 Nordmann" {
		h.t.Errorf("%+v", p.Samples)
	}
}

// A preview and a campaign leave the same people out, and neither fails when
// everybody is.
func TestACampaignThatNobodyCanGetEnds(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.work()
		g, _ := h.staff("All staff", contacts.NewContact{Name: "Kari"}, contacts.NewContact{Name: "Ola"}, contacts.NewContact{Name: "Per", Phone: number(1)})
		n := smsqueue.NewCampaign{Group: g.ID, Text: "{{office|}}"} // blank for all of them
		p := h.preview(n)
		c := h.until(h.campaign(h.account.ID, n), finished)
		want := smsqueue.LeftOut{Unresolved: 2, SharedNumber: 1}
		if diff := cmp.Diff([]smsqueue.LeftOut{want, want}, []smsqueue.LeftOut{p.LeftOut, c.LeftOut}); diff != "" || p.Recipients != 0 || c.Counts.Total() != 0 {
			t.Error(diff)
		}
		money, err := campaignMoney(t.Context(), h.db, h.account.ID, c.ID)
		must(t, err)
		if (money != moneyOf{}) {
			t.Errorf("%+v", money)
		}
	})
}

// A text can end with the recipient's own link to stop messages. // U21
func TestATextHasTheRecipientsOwnLink(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		g, _ := h.staff("All staff", contacts.NewContact{Name: "Kari"}, contacts.NewContact{Name: "Ola"})
		n := smsqueue.NewCampaign{Group: g.ID, Text: "Bake sale. Stop: {{opt_out_link}}"}
		p, err := h.queue.Preview(t.Context(), h.account.ID, n)
		must(t, err)
		h.until(h.campaign(h.account.ID, n), finished)
		links := map[string]bool{}
		for i := range 2 {
			link := h.queue.OptOutLink(h.account.ID, number(i))
			if want := "Bake sale. Stop: " + link; h.said(i) != want || p.Samples[i].Text != want {
				t.Errorf("%s received %q, the preview showed %q", number(i), h.said(i), p.Samples[i].Text)
			}
			links[link] = true
		}
		if len(links) != 2 || links[""] {
			t.Errorf("the links are %v", links)
		}
	})
}
