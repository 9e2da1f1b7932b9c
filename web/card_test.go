package web_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"iter"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/smsqueue"
)

const cardTenant = "acme-tenant"

// cardBody has a field of every policy, and everything that a page can offer.
func cardBody() cards.Body {
	b := cards.Usual()
	always := func(id string, kind cards.Kind, from string) cards.Field {
		return cards.Field{ID: id, Kind: kind, From: from, Sync: cards.Always}
	}
	b.Sections = []cards.Section{
		{Fields: []cards.Field{always("name", cards.FullName, "displayName"), always("given", cards.GivenName, "givenName"), always("family", cards.FamilyName, "surname"),
			always("title", cards.JobTitle, "jobTitle"), always("department", cards.Department, "department"), always("company", cards.Company, "companyName")}},
		{Title: "Reach me", Fields: []cards.Field{always("mobile", cards.Mobile, "mobilePhone"), always("mail", cards.Email, "mail"),
			{ID: "site", Kind: cards.Website, Sync: cards.Never, Editable: true, Default: "https://www.acme.test"},
			{ID: "note", Kind: cards.Note, Sync: cards.Never, Editable: true},
			{ID: "badge", Kind: cards.Text, Label: "Badge", From: "employeeId", Sync: cards.Always, Hidden: true}}},
		{Title: "Find me", Fields: []cards.Field{always("street", cards.Street, "streetAddress"), always("code", cards.PostalCode, "postalCode"), always("city", cards.City, "city"),
			{ID: "office", Kind: cards.Office, From: "officeLocation", Sync: cards.Once, Editable: true}}},
	}
	b.Settings = cards.Settings{Buttons: cards.Buttons, TextMe: true, Offline: true}
	return b
}

func kari() map[string]string {
	return map[string]string{"displayName": "Kari Nørdmann; PhD", "givenName": "Kari", "surname": "Nørdmann", "jobTitle": "Nurse <lead>", "department": "Ward 3",
		"companyName": "Acme AS", "mobilePhone": "+47 401 00 001", "mail": "kari@acme.test", "employeeId": "E-9911", "streetAddress": "Storgata 1", "postalCode": "0155", "city": "Oslo"}
}

const cardsAt = "http://cards.acme.test"

// cardWorld is a world with a card in a design.
func cardWorld(t *testing.T, change func(*cards.Body)) (*world, cards.Card) {
	t.Helper()
	return cardWorldAt(t, cardsAt, change)
}

func cardWorldAt(t *testing.T, public string, change func(*cards.Body)) (*world, cards.Card) {
	t.Helper()
	w := newWorldAt(t, public)
	must(w.cards.SaveGrouping(t.Context(), w.account.ID, cards.Grouping{Tenant: cardTenant, Method: cards.InOne}, ""))
	b := cardBody()
	if change != nil {
		change(&b)
	}
	design := must(w.cards.SaveTemplate(t.Context(), w.account.ID, 0, "Design", b))
	if err := w.cards.Apply(t.Context(), w.account.ID, design.ID, nil); err != nil {
		t.Fatal(err)
	}
	contact := must(w.book.Add(t.Context(), w.account.ID, contacts.NewContact{Name: "Kari", Phone: "+4740100001", Region: "NO"}))
	return w, w.synced(cards.Person{DirectoryID: "kari", Contact: contact.ID, Values: kari()})[0]
}

// synced is a sync that sees those people.
func (w *world) synced(people ...cards.Person) []cards.Card {
	w.Helper()
	must(w.cards.Follow(w.Context(), w.account.ID, cardTenant, each(people)))
	return must(w.cards.List(w.Context(), w.account.ID, cards.ListFilter{}, 0, 100))
}

func each(people []cards.Person) iter.Seq2[cards.Person, error] {
	return func(yield func(cards.Person, error) bool) {
		for _, p := range people {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (w *world) goldenCard(name string, c cards.Card, got answer) {
	w.Helper()
	page := strings.ReplaceAll(got.body, c.Slug, "slug")
	w.golden(name, regexp.MustCompile(`/c/style/[0-9a-f]{16}/|photo\?\d+`).ReplaceAllString(page, "versioned"))
}

// everyCardPath is all that is at a card's address.
var everyCardPath = []string{"", "/card.vcf", "/card.vcf?version=4.0", "/photo", "/logo", "/qr.png", "/qr.svg", "/qr.pdf", "/share", "/offline", "/offline.png", "/text", "/edit"}

func TestNumbersOfACardAreReadDialledAndSaved(t *testing.T) { // Q30, Q36
	w, c := cardWorld(t, func(b *cards.Body) {
		b.Sections[1].Fields = append(b.Sections[1].Fields, cards.Field{ID: "desk", Kind: cards.WorkPhone, From: "businessPhones", Sync: cards.Always})
	})
	said := kari()
	said["mobilePhone"], said["businessPhones"] = "\u200etel:+358404393990", "+49 (0)30 2952816 ext 722"
	w.synced(cards.Person{DirectoryID: "kari", Contact: c.Contact, Values: said})
	w.has(w.get("/c/"+c.Slug), http.StatusOK, ">&#43;358 40 4393990<", `href="tel:&#43;358404393990"`, `href="sms:&#43;358404393990"`,
		">&#43;49 (0)30 2952816 ext 722<", `href="tel:&#43;49302952816;ext=722"`)
	w.has(w.get("/c/"+c.Slug+"/card.vcf"), http.StatusOK, "TEL;TYPE=cell:+358404393990\r\n")
}

func TestACardIsReadAndSavedWithoutAScript(t *testing.T) { // Q30, Q36
	w, c := cardWorld(t, nil)
	for _, code := range []string{"en", "nb", "pl"} {
		got := w.get("/c/"+c.Slug, "Accept-Language", code)
		if got.status != http.StatusOK || !strings.Contains(got.body, `<html lang="`+code+`">`) {
			t.Errorf("%s: %d", code, got.status)
		}
		w.goldenCard("card-"+code, c, got)
	}
	page := w.get("/c/" + c.Slug)
	for _, hidden := range []string{"E-9911", "Badge"} {
		if strings.Contains(page.body, hidden) || strings.Contains(w.get("/c/"+c.Slug+"/card.vcf").body, hidden) {
			t.Errorf("it tells %q, which is hidden", hidden)
		}
	}
	for _, link := range []string{`href="tel:&#43;4740100001"`, `href="sms:&#43;4740100001"`, `href="mailto:kari@acme.test"`, `/card.vcf"`, `/share"`, `openstreetmap.org/search?query=Storgata&#43;1`} {
		if !strings.Contains(page.body, link) {
			t.Errorf("there is no %s", link)
		}
	}
	if len(page.body) > 60_000 {
		t.Errorf("the page has %d bytes", len(page.body))
	}
	style := regexp.MustCompile(`href="(/c/style/[^"]*)"`).FindStringSubmatch(page.body)[1]
	sheet := w.get(style)
	if sheet.status != http.StatusOK || !strings.Contains(sheet.body, "--primary: #1f4e79;") || !strings.Contains(sheet.header.Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %d", style, sheet.status)
	}
	if len(page.body)+len(sheet.body) > 60_000 {
		t.Errorf("page and style sheet have %d bytes", len(page.body)+len(sheet.body))
	}
	for _, wrong := range []string{strings.Replace(style, "1f4e79", "zzzzzz", 1), strings.Replace(style, ".css", "", 1), "/c/style/0/1f4e79ffffff1a1a1a.css"} {
		if got := w.get(wrong); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, got.status)
		}
	}
}

func TestACardsPagesLoadNothingOfOthersAndAreNotListed(t *testing.T) {
	w, c := cardWorld(t, nil)
	for _, path := range everyCardPath {
		got := w.get("/c/" + c.Slug + path)
		if got.header.Get("X-Robots-Tag") != "noindex" || !strings.HasPrefix(got.header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self';") {
			t.Errorf("%s: %v", path, got.header)
		}
		if control := got.header.Get("Cache-Control"); control != "private, no-cache" && control != "no-store" {
			t.Errorf("%s may be kept: %q", path, control)
		}
		for _, inline := range []string{"<style", " style=", " onclick=", "javascript:", `src="http`} {
			if strings.Contains(got.body, inline) {
				t.Errorf("%s has %s", path, inline)
			}
		}
	}
	page := w.get("/c/" + c.Slug).body
	if !strings.Contains(page, `<meta name="robots" content="noindex">`) || !strings.Contains(page, `<meta property="og:title" content="Business card">`) {
		t.Error("a preview of the link tells whose it is, or search engines may list it")
	}
	w, c = cardWorld(t, func(b *cards.Body) { b.Settings.Indexed, b.Settings.Language = true, "pl" })
	got := w.get("/c/"+c.Slug, "Accept-Language", "nb")
	if got.header.Get("X-Robots-Tag") != "" || strings.Contains(got.body, "noindex") || !strings.Contains(got.body, `<html lang="pl">`) ||
		!strings.Contains(got.body, `<meta property="og:title" content="Kari Nørdmann; PhD">`) {
		t.Error("the template's settings are not obeyed")
	}
}

func TestASlugTypedFromPaperLeadsToTheCard(t *testing.T) {
	w, c := cardWorld(t, nil)
	for _, typed := range []string{strings.ToUpper(c.Slug), strings.NewReplacer("0", "O", "1", "l").Replace(strings.ToUpper(c.Slug))} {
		for _, path := range []string{"/C/" + typed, "/c/" + typed + "/card.vcf?version=4.0"} {
			want := strings.Replace(strings.Replace(path, typed, c.Slug, 1), "/C/", "/c/", 1)
			got := w.get(path)
			if got.status != http.StatusFound || !strings.EqualFold(got.header.Get("Location"), want) || !strings.Contains(got.header.Get("Location"), c.Slug) {
				t.Errorf("%s: %d to %q", path, got.status, got.header.Get("Location"))
			}
		}
	}
}

func TestAfterALeaverNothingOfTheirCardIsLeft(t *testing.T) { // Q53
	w, c := cardWorld(t, nil)
	must(0, w.cards.SetPhoto(t.Context(), w.account.ID, c.ID, photo(t)))
	for _, path := range everyCardPath {
		if got := w.get("/c/" + c.Slug + path); got.status != http.StatusOK && path != "/logo" {
			t.Errorf("before: %s: %d", path, got.status)
		}
	}
	w.synced()
	seen := time.Now()
	w.until("the card is gone", func() bool { return w.get("/c/"+c.Slug).status == http.StatusGone })
	if took := time.Since(seen); took > time.Minute {
		t.Errorf("it was gone after %v", took)
	}
	for _, path := range everyCardPath {
		for code, says := range map[string]string{"en": "no longer in use", "nb": "ikke lenger i bruk", "pl": "nie jest już używana"} {
			for _, name := range []string{c.Slug, strings.ToUpper(c.Slug)} {
				got := w.get("/c/"+name+path, "Accept-Language", code)
				if got.status != http.StatusGone || !strings.Contains(got.body, says) || strings.Contains(got.body, "Kari") || strings.Contains(got.body, "Acme") {
					t.Errorf("%s in %s: %d %s", path, code, got.status, got.body)
				}
			}
		}
	}
	for _, path := range []string{"/text", "/edit", "/edit/code", "/edit/proof", "/edit/photo", "/edit/photo/remove", "/edit/leave"} {
		if got := w.post("/c/"+c.Slug+path, url.Values{}); got.status != http.StatusGone {
			t.Errorf("POST %s: %d", path, got.status)
		}
	}
	w.goldenCard("card-gone-nb", c, w.get("/c/"+c.Slug, "Accept-Language", "nb"))
	back := w.synced(cards.Person{DirectoryID: "kari", Contact: c.Contact, Values: kari()})[0]
	if got := w.get("/c/" + c.Slug); got.status != http.StatusOK || back.Slug != c.Slug {
		t.Errorf("after they returned: %d", got.status)
	}
	for _, never := range []string{"0123456789abcdef", "x", "0123456789abcdefg"} {
		for _, path := range everyCardPath {
			if got := w.get("/c/" + never + path); got.status != http.StatusNotFound || !strings.Contains(got.body, "There is no such card") {
				t.Errorf("%s%s: %d", never, path, got.status)
			}
		}
	}
}

func TestABrowserAsksWhetherACardIsAsItWas(t *testing.T) {
	w, c := cardWorld(t, nil)
	for _, path := range []string{"", "/card.vcf", "/qr.png", "/qr.svg", "/qr.pdf"} {
		first := w.get("/c/" + c.Slug + path)
		tag := first.header.Get("ETag")
		if again := w.get("/c/"+c.Slug+path, "If-None-Match", tag); tag == "" || again.status != http.StatusNotModified || again.body != "" {
			t.Errorf("%s: %d with %q", path, again.status, tag)
		}
	}
	tag := w.get("/c/" + c.Slug).header.Get("ETag")
	said := kari()
	said["jobTitle"] = "Director"
	w.synced(cards.Person{DirectoryID: "kari", Contact: c.Contact, Values: said})
	w.until("the page shows the new title", func() bool { return strings.Contains(w.get("/c/"+c.Slug, "If-None-Match", tag).body, "Director") })
}

func TestAVCardIsNamedAfterItsHolder(t *testing.T) { // Q36
	w, c := cardWorld(t, nil)
	got := w.get("/c/" + c.Slug + "/card.vcf")
	if want := `attachment; filename="Kari N_rdmann; PhD.vcf"; filename*=UTF-8''Kari%20N%C3%B8rdmann%3B%20PhD.vcf`; got.header.Get("Content-Disposition") != want {
		t.Errorf("%s", got.header.Get("Content-Disposition"))
	}
	if got.header.Get("Content-Type") != "text/vcard; charset=utf-8" {
		t.Error(got.header.Get("Content-Type"))
	}
	for version, want := range map[string]string{"": "VERSION:3.0", "?version=3.0": "VERSION:3.0", "?version=4.0": "VERSION:4.0"} {
		if got := w.get("/c/" + c.Slug + "/card.vcf" + version); !strings.Contains(got.body, want+"\r\n") || !strings.Contains(got.body, `FN:Kari Nørdmann\; PhD`) {
			t.Errorf("%s: %s", version, got.body)
		}
	}
	if got := w.get("/c/" + c.Slug + "/card.vcf?version=2.1"); got.status != http.StatusBadRequest {
		t.Errorf("%d", got.status)
	}
}

// scanned is what another reader reads in a picture.
func scanned(t *testing.T, file string) string {
	t.Helper()
	out, err := exec.Command("zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil {
		t.Fatalf("zbarimg: %v", err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func TestTheCodesOfACardAreRead(t *testing.T) { // Q38
	w, c := cardWorld(t, func(b *cards.Body) { b.Code.Caption = "Scan me" })
	dir := t.TempDir()
	file := func(path string) string {
		got := w.get("/c/" + c.Slug + path)
		name := filepath.Join(dir, strings.TrimPrefix(path, "/"))
		if err := os.WriteFile(name, []byte(got.body), 0o600); err != nil || got.status != http.StatusOK {
			t.Fatalf("%s: %d %v", path, got.status, err)
		}
		return name
	}
	run := func(name string, args ...string) {
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", name, err, out)
		}
	}
	run("rsvg-convert", "-w", "800", "-o", filepath.Join(dir, "svg.png"), file("/qr.svg"))
	run("pdftoppm", "-png", "-r", "300", "-singlefile", file("/qr.pdf"), filepath.Join(dir, "pdf"))
	want := "HTTP://CARDS.ACME.TEST/C/" + strings.ToUpper(c.Slug)
	for _, picture := range []string{file("/qr.png"), filepath.Join(dir, "svg.png"), filepath.Join(dir, "pdf.png")} {
		if got := scanned(t, picture); got != want {
			t.Errorf("%s says %q", picture, got)
		}
	}
	if got := scanned(t, file("/offline.png")); !strings.Contains(got, "BEGIN:VCARD") || !strings.Contains(got, ":+4740100001") {
		t.Errorf("the code for use without a network says %q", got)
	}
	w.goldenCard("card-share-en", c, w.get("/c/"+c.Slug+"/share"))
	w.goldenCard("card-offline-pl", c, w.get("/c/"+c.Slug+"/offline", "Accept-Language", "pl"))

	w, c = cardWorld(t, func(b *cards.Body) { b.Settings.Offline, b.Settings.TextMe = false, false })
	for _, path := range []string{"/offline", "/offline.png", "/text"} {
		if got := w.get("/c/" + c.Slug + path); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := w.post("/c/"+c.Slug+"/text", url.Values{"number": {"+4740100009"}, "agree": {"yes"}, "notice": {cards.ConsentNotice}}); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
}

// photo is a wide picture.
func photo(t *testing.T) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 900, 600))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i * 7)
	}
	picture.Set(0, 0, color.Black)
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// texts are those that were accepted, the newest first.
func (w *world) texts() []smsqueue.Message {
	w.Helper()
	return must(w.queue.Messages(w.Context(), w.account.ID, smsqueue.MessageFilter{Limit: 100}))
}

// prove lets the visitor in as the holder.
func (w *world) prove(c cards.Card) {
	w.Helper()
	if got := w.post("/c/"+c.Slug+"/edit/code", url.Values{}); got.status != http.StatusSeeOther {
		w.Fatalf("ask for a code: %d %s", got.status, got.body)
	}
	code := sixDigits.FindString(w.texts()[0].Text)
	if got := w.post("/c/"+c.Slug+"/edit/proof", url.Values{"code": {code[:3] + " " + code[3:]}}); got.status != http.StatusSeeOther {
		w.Fatalf("prove: %d %s", got.status, got.body)
	}
}

func TestAHolderProvesWhoTheyAreByACode(t *testing.T) { // Q31, Q64
	w, c := cardWorld(t, nil)
	w.carrier("main", `{}`)
	edit := "/c/" + c.Slug + "/edit"
	w.goldenCard("card-prove-en", c, w.get(edit))
	if page := w.get(edit).body; !strings.Contains(page, "ends in 01") || strings.Contains(page, "401") {
		t.Error("it shows other than the last two digits of the number")
	}
	for _, path := range []string{"", "/photo", "/photo/remove", "/leave"} {
		if got := w.post(edit+path, url.Values{"field.note": {"mine"}}); got.status != http.StatusSeeOther || got.header.Get("Location") != edit {
			t.Errorf("POST %s before a proof: %d to %q", path, got.status, got.header.Get("Location"))
		}
	}
	if got := w.post(edit+"/code", url.Values{}); got.status != http.StatusSeeOther || got.header.Get("Location") != edit+"?sent=1" {
		t.Fatalf("%d to %q", got.status, got.header.Get("Location"))
	}
	w.goldenCard("card-prove-sent-nb", c, w.get(edit+"?sent=1", "Accept-Language", "nb"))
	sent := w.texts()
	if len(sent) != 1 || sent[0].Phone != "+4740100001" || sent[0].Lane != smsqueue.Urgent {
		t.Fatalf("%+v", sent)
	}
	code := sixDigits.FindString(sent[0].Text)
	wrong := map[bool]string{true: "000001", false: "000000"}[code == "000000"]
	if got := w.post(edit+"/proof", url.Values{"code": {wrong}}); got.status != http.StatusUnauthorized || len(got.header["Set-Cookie"]) > 0 {
		t.Errorf("a wrong code: %d", got.status)
	}
	got := w.post(edit+"/proof", url.Values{"code": {code}})
	cookie := got.header.Get("Set-Cookie")
	if got.status != http.StatusSeeOther || !strings.Contains(cookie, "path=/c/"+c.Slug) || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") {
		t.Fatalf("%d %s", got.status, cookie)
	}
	if again := w.post(edit+"/proof", url.Values{"code": {code}}); again.status != http.StatusUnauthorized {
		t.Errorf("the code is good a second time: %d", again.status)
	}
	w.goldenCard("card-edit-en", c, w.get(edit))
	if page := w.get("/"); page.status != http.StatusUnauthorized && page.status != http.StatusSeeOther {
		t.Errorf("the proof opens the console: %d", page.status)
	}
	if got := w.post(edit+"/leave", url.Values{}); got.status != http.StatusSeeOther {
		t.Errorf("%d", got.status)
	}
	if page := w.get(edit).body; !strings.Contains(page, "Is this your card?") {
		t.Error("it is still open")
	}
}

func TestAHolderWritesWhatTheFieldsPolicyLetsThem(t *testing.T) { // Q31, Q36, Q64
	w, c := cardWorld(t, nil)
	w.carrier("main", `{}`)
	w.prove(c)
	edit := "/c/" + c.Slug + "/edit"
	page := w.get(edit).body
	inputs := regexp.MustCompile(`name="field\.(\w+)"`).FindAllStringSubmatch(page, -1)
	var names []string
	for _, m := range inputs {
		names = append(names, m[1])
	}
	if diff := cmp.Diff([]string{"site", "note", "office"}, names); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(page, "&#123;Kari Nørdmann; PhD&#125;") || strings.Contains(page, "E-9911") {
		t.Error("mapped fields do not stand in braces, or hidden ones stand there")
	}
	if got := w.post(edit, url.Values{"field.site": {"https://kari.test"}, "field.note": {"Two\r\nlines"}, "field.office": {""}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := w.get("/c/" + c.Slug).body; !strings.Contains(got, "https://kari.test") || !strings.Contains(got, "Two\nlines") {
		t.Error("what the holder wrote is not shown")
	}
	for field, wrong := range map[string]string{"name": "Somebody else", "badge": "seen", "site": "javascript:alert(1)"} {
		if got := w.post(edit, url.Values{"field." + field: {wrong}}); got.status == http.StatusSeeOther || strings.Contains(w.get("/c/"+c.Slug).body, wrong) {
			t.Errorf("%s: %d", field, got.status)
		}
	}
	if got := w.post(edit, url.Values{"field.site": {""}}); got.status != http.StatusSeeOther || !strings.Contains(w.get("/c/"+c.Slug).body, "https://www.acme.test") {
		t.Error("the default is not back")
	}
	if got := w.post(edit, url.Values{"field.note": {"x"}}, "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
		t.Errorf("from another site: %d", got.status)
	}
}

func (w *world) uploadPhoto(c cards.Card, file []byte) answer {
	w.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part := must(form.CreateFormFile("photo", "me.png"))
	must(part.Write(file))
	form.Close()
	req := must(http.NewRequestWithContext(w.Context(), http.MethodPost, w.home+"/c/"+c.Slug+"/edit/photo", &body))
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return w.send(req)
}

func TestAHolderChangesThePhoto(t *testing.T) {
	w, c := cardWorld(t, nil)
	w.carrier("main", `{}`)
	if got := w.uploadPhoto(c, photo(t)); got.status != http.StatusSeeOther || len(must(w.cards.Photo(t.Context(), w.account.ID, c.ID))) > 0 {
		t.Errorf("before a proof: %d", got.status)
	}
	w.prove(c)
	if got := w.uploadPhoto(c, []byte("GIF89a")); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "choose a JPEG or PNG") {
		t.Errorf("%d", got.status)
	}
	large := append(photo(t), make([]byte, 3<<20)...) // more than other forms may have
	if got := w.uploadPhoto(c, large); got.status != http.StatusSeeOther || !strings.HasSuffix(got.header.Get("Location"), "saved=1") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if page := w.get("/c/" + c.Slug).body; !strings.Contains(page, `class="photo"`) {
		t.Error("the page shows no photo")
	}
	got := w.get("/c/" + c.Slug + "/photo")
	if size, kind, err := image.DecodeConfig(strings.NewReader(got.body)); err != nil || kind != "jpeg" || size.Width != size.Height || len(got.body) > cards.MaxPhoto {
		t.Errorf("%v %s %v, %d bytes", size, kind, err, len(got.body))
	}
	if file := w.get("/c/" + c.Slug + "/card.vcf").body; !strings.Contains(file, "PHOTO;") {
		t.Error("the vCard has no photo")
	}
	if got := w.post("/c/"+c.Slug+"/edit/photo/remove", url.Values{}); got.status != http.StatusSeeOther || w.get("/c/"+c.Slug+"/photo").status != http.StatusNotFound {
		t.Errorf("after it was removed: %d", got.status)
	}
}

func TestWhetherAHolderHasANumberIsNotTold(t *testing.T) {
	w, c := cardWorld(t, nil)
	w.carrier("main", `{}`)
	nobody := w.synced(cards.Person{DirectoryID: "kari", Contact: c.Contact, Values: kari()}, cards.Person{DirectoryID: "ola", Contact: 1, Values: map[string]string{"displayName": "Ola"}})
	i := slices.IndexFunc(nobody, func(c cards.Card) bool { return c.DirectoryID == "ola" })
	digits := regexp.MustCompile(`\d\d\.?,|ends in \d\d`)
	look := func(c cards.Card) string {
		var all strings.Builder
		for _, got := range []answer{w.get("/c/" + c.Slug + "/edit"), w.post("/c/"+c.Slug+"/edit/code", url.Values{}), w.get("/c/" + c.Slug + "/edit?sent=1"),
			w.post("/c/"+c.Slug+"/edit/proof", url.Values{"code": {"123"}})} {
			all.WriteString(http.StatusText(got.status) + got.header.Get("Location") + got.body)
		}
		return digits.ReplaceAllString(strings.ReplaceAll(all.String(), c.Slug, "slug"), "ends")
	}
	if diff := cmp.Diff(look(c), look(nobody[i])); diff != "" {
		t.Error(diff)
	}
	if sent := w.texts(); len(sent) != 1 {
		t.Errorf("%d codes were sent", len(sent))
	}
}

func TestAProofIsForOneCard(t *testing.T) {
	w, c := cardWorld(t, nil)
	w.carrier("main", `{}`)
	w.prove(c)
	all := w.synced(cards.Person{DirectoryID: "kari", Contact: c.Contact, Values: kari()}, cards.Person{DirectoryID: "ola", Contact: 1, Values: map[string]string{"displayName": "Ola"}})
	i := slices.IndexFunc(all, func(c cards.Card) bool { return c.DirectoryID == "ola" })
	address := must(url.Parse(w.home + "/c/" + c.Slug + "/edit"))
	var header []string
	for _, cookie := range w.client.Jar.Cookies(address) {
		header = append(header, cookie.Name+"="+cookie.Value)
	}
	if got := w.get("/c/"+all[i].Slug+"/edit", "Cookie", strings.Join(header, "; ")); len(header) == 0 || !strings.Contains(got.body, "Is this your card?") {
		t.Error("the cookie of one card opens another")
	}
}

func TestAVisitorHasTheCardTexted(t *testing.T) {
	w, c := cardWorld(t, nil)
	w.carrier("main", `{}`)
	text := "/c/" + c.Slug + "/text"
	ask := func(number string, more ...string) answer {
		form := url.Values{"number": {number}, "agree": {"yes"}, "notice": {cards.ConsentNotice}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return w.post(text, form)
	}
	for _, wrong := range []answer{ask("12"), ask("+4740100009", "agree", ""), ask("+4740100009", "notice", "2020-01")} {
		if wrong.status != http.StatusUnprocessableEntity || !strings.Contains(wrong.body, `aria-invalid="true"`) {
			t.Errorf("%d %s", wrong.status, wrong.body)
		}
	}
	if strings.Contains(w.get("/c/"+c.Slug).body, " checked") {
		t.Error("the consent is given beforehand")
	}
	w.goldenCard("card-text-nb", c, w.post(text, url.Values{"number": {"12"}}, "Accept-Language", "nb"))
	if len(w.texts()) != 0 {
		t.Fatal("something was sent")
	}
	good := ask("401 00 009")
	if good.status != http.StatusSeeOther {
		t.Fatalf("%d %s", good.status, good.body)
	}
	sent := w.texts()
	if len(sent) != 1 || sent[0].Phone != "+4740100009" || sent[0].Text != "Kari Nørdmann; PhD: "+cardsAt+"/c/"+c.Slug {
		t.Fatalf("%+v", sent)
	}
	var mark, notice, language string
	if err := w.db.QueryRowContext(t.Context(), `SELECT number_mark, notice, language FROM card_consents WHERE card_id = $1`, c.ID).Scan(&mark, &notice, &language); err != nil ||
		mark != contacts.MarksOf(w.names).Number(w.account.ID, "+4740100009") || notice != cards.ConsentNotice || language != "en" {
		t.Errorf("%s %s %s %v", mark, notice, language, err)
	}
	// The second time nothing is sent, and to somebody who wants no messages neither; both
	// are answered as the first was.
	if _, _, err := w.queue.Suppress(t.Context(), w.account.ID, smsqueue.NewSuppression{Phone: "+4740100008"}); err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{"+4740100009", "+4740100008"} {
		if got := ask(number); got.status != good.status || got.header.Get("Location") != good.header.Get("Location") {
			t.Errorf("%s: %d", number, got.status)
		}
	}
	if len(w.texts()) != 1 {
		t.Errorf("%d texts were sent", len(w.texts()))
	}
	if got := ask("+4740100007"); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("the fourth from one address: %d", got.status)
	}
	if got := w.get(text + "?sent=1"); !strings.Contains(got.body, "the card is on its way") {
		t.Error(got.body)
	}
}

func TestACardIsTextedToOtherCountriesOnlyWhereTheTemplateSaysSo(t *testing.T) {
	for _, abroad := range []bool{false, true} {
		w, c := cardWorld(t, func(b *cards.Body) { b.Settings.TextAbroad = abroad })
		w.carrier("main", `{}`)
		if form := w.get("/c/" + c.Slug + "/text"); strings.Contains(form.body, "From abroad with the country code") != abroad {
			t.Error(form.body)
		}
		got := w.post("/c/"+c.Slug+"/text", url.Values{"number": {"+48 512 345 678"}, "agree": {"yes"}, "notice": {cards.ConsentNotice}})
		sent := w.texts()
		if abroad && (len(sent) != 1 || sent[0].Phone != "+48512345678") {
			t.Errorf("%d, %+v", got.status, sent)
		}
		if !abroad && (got.status != http.StatusUnprocessableEntity || len(sent) != 0 || !strings.Contains(got.body, `id="number-wrong" role="alert">The card is texted only to numbers of the country`)) {
			t.Errorf("%d %s, %d texts", got.status, got.body, len(sent))
		}
	}
}

func TestACardThatWasNotTextedCanBeAskedForAgain(t *testing.T) {
	w, c := cardWorld(t, nil)
	w.carrier("main", `{}`)
	const number = "+4740100008"
	if _, _, err := w.queue.Suppress(t.Context(), w.account.ID, smsqueue.NewSuppression{Phone: number}); err != nil {
		t.Fatal(err)
	}
	ask := func() {
		t.Helper()
		if got := w.post("/c/"+c.Slug+"/text", url.Values{"number": {number}, "agree": {"yes"}, "notice": {cards.ConsentNotice}}); got.status != http.StatusSeeOther {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	ask()
	must(0, w.queue.Unsuppress(t.Context(), w.account.ID, number))
	ask()
	if sent := w.texts(); len(sent) != 1 || sent[0].Phone != number {
		t.Errorf("%+v", sent)
	}
}
