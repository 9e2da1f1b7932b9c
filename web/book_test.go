package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
)

// contact is the contact with that name.
func (w *world) contact(name string) contacts.Contact {
	w.Helper()
	found := must(w.book.Find(w.Context(), w.account.ID, name, 2))
	if len(found) != 1 {
		w.Fatalf("%d contacts are named %s", len(found), name)
	}
	return found[0]
}

func (w *world) contactPath(name string) string {
	return "/contacts/" + w.names.Of(secrets.Contact, w.contact(name).ID)
}

func (w *world) groupPath(g contacts.Group) string {
	return "/groups/" + w.names.Of(secrets.Group, g.ID)
}

func (w *world) byHand(name, phone string) contacts.Contact {
	w.Helper()
	return must(w.book.AddContact(w.Context(), w.account.ID, name, phone, "NO"))
}

func (w *world) has(page answer, status int, texts ...string) {
	w.Helper()
	if page.status != status {
		w.Errorf("%d, want %d: %s", page.status, status, page.body)
	}
	for _, text := range texts {
		if !strings.Contains(page.body, text) {
			w.Errorf("the page lacks %q:\n%s", text, page.body)
		}
	}
}

// sent checks that the visitor is sent on.
func (w *world) sent(got answer, to string) {
	w.Helper()
	if got.status != http.StatusSeeOther || got.header.Get("Location") != to {
		w.Fatalf("%d to %q, want %q: %s", got.status, got.header.Get("Location"), to, got.body)
	}
}

func TestContactIsAddedAndEditedByHand(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	form := url.Values{"name": {"Kari"}, "phone": {"12"}, "email": {"kari@acme.test"}, "language": {"nb"}}
	wrong := w.post("/contacts/new", form, "Accept-Language", "nb")
	w.has(wrong, 422, `value="Kari"`, `href="#phone"`, `id="phone-wrong"`, "Dette nummeret kan ikke få SMS: Uten nummer.")
	form.Set("phone", "401 00 001")
	got := w.post("/contacts/new", form)
	path := w.contactPath("Kari")
	w.sent(got, path)
	w.golden("contact-manual-en", w.get(path).body)

	w.has(w.post(path, url.Values{"name": {"Kari"}, "phone": {"401 00 001"}, "email": {"nonsense"}}), 422, `id="email-wrong"`, `value="nonsense"`)
	w.sent(w.post(path, url.Values{"name": {"Kari Moe"}, "phone": {"401 00 001"}, "office": {"Oslo"}}), path)
	c := w.contact("Kari Moe")
	want := contacts.Person{Name: "Kari Moe", Office: "Oslo", Phone: contacts.Choice{Raw: "401 00 001", Rule: "manual", E164: "+4740100001", Country: "NO"}}
	if diff := cmp.Diff(want, c.Person); diff != "" {
		t.Error(diff)
	}
	w.has(w.get(path+"/delete"), 200, "Delete Kari Moe?", "deleted for good")
	w.sent(w.post(path+"/delete", url.Values{}), "/contacts")
	w.has(w.get(path), 404)
}

func TestAContactsOwnFieldsAreSetAndForgotten(t *testing.T) {
	w := newWorld(t)
	w.connect()
	w.signIn()
	path := w.contactPath("Cecilie")
	own := func() map[string]string {
		return must(w.book.Fields(t.Context(), w.account.ID, w.contact("Cecilie").ID))
	}
	w.sent(w.post(path+"/fields", url.Values{"new-name": {"badge"}, "new-value": {"A-117 <b>"}}), path+"#own")
	w.sent(w.post(path+"/fields", url.Values{"own-badge": {"B-2"}, "new-name": {"shift"}, "new-value": {"night"}}), path+"#own")
	if diff := cmp.Diff(map[string]string{"badge": "B-2", "shift": "night"}, own()); diff != "" {
		t.Error(diff)
	}
	w.golden("contact-own-nb", w.get(path, "Accept-Language", "nb").body)
	w.has(w.post(path+"/fields", url.Values{"own-badge": {"B-3"}, "own-shift": {"day"}, "new-name": {"Desk No"}, "new-value": {"7"}}), 422,
		`value="B-3"`, `value="day"`, `value="Desk No"`, `value="7"`, `href="#new-name"`, "small letters")
	w.has(w.post(path+"/fields", url.Values{"own-badge": {strings.Repeat("x", 201)}}), 422, "xxx", `href="#own"`, "at most 200 characters")
	w.has(w.post(path+"/fields", url.Values{"new-value": {"nameless"}}), 422, `value="nameless"`, `aria-invalid="true"`)
	w.sent(w.post(path+"/fields", url.Values{"forget": {"badge"}, "own-shift": {"ignored"}}), path+"#own")
	w.sent(w.post(path+"/fields", url.Values{}), path+"#own")
	if diff := cmp.Diff(map[string]string{"shift": "night"}, own()); diff != "" {
		t.Error(diff)
	}
	w.sent(w.post(path+"/fields", url.Values{"own-shift": {" "}}), path+"#own")
	if len(own()) != 0 {
		t.Errorf("%v", own())
	}
	must(w.book.SetFields(t.Context(), w.account.ID, w.contact("Cecilie").ID, map[string]string{"badge": "A-1"}))
	w.as("viewer")
	w.has(w.get(path), 200, "A-1")
	w.has(w.post(path+"/fields", url.Values{"own-badge": {"B"}}), 403)
}

func TestSyncedContactIsReadAndNotEdited(t *testing.T) { // S12, S14, S15
	w := newWorld(t)
	w.connect()
	w.signIn()
	path := w.contactPath("Cecilie")
	w.golden("contact-synced-pl", w.get(path, "Accept-Language", "pl").body)
	w.has(w.post(path, url.Values{"name": {"Else"}, "phone": {"+47 401 00 003"}}), 409, "the directory decides")
	if name := w.contact("Cecilie").Name; name != "Cecilie Eng" {
		t.Errorf("the name is %q", name)
	}
	w.has(w.get(path+"/delete"), 200, "comes back with the next sync", "Hide until the next sync")
	w.sent(w.post(path+"/delete", url.Values{}), "/contacts")
	w.has(w.get(path), 404)
}

func TestViewerOfTheAddressBookChangesNothing(t *testing.T) {
	w := newWorld(t)
	c := w.byHand("Kari", "+4740100001")
	g := must(w.book.AddGroup(t.Context(), w.account.ID, "Night", []int64{c.ID}))
	contact, group := w.contactPath("Kari"), w.groupPath(g)
	w.as("viewer")
	for _, path := range []string{"/contacts", contact, "/groups", group, "/contacts/quality"} {
		page := w.get(path)
		w.has(page, 200)
		for _, form := range []string{`method="post" action="/contacts`, `method="post" action="/groups`, `/delete"`, `/new"`} {
			if strings.Contains(page.body, form) {
				t.Errorf("%s offers %s", path, form)
			}
		}
	}
	for _, path := range []string{"/contacts/new", "/contacts/import", contact + "/delete", "/groups/new", "/groups/new/rule", group + "/rule", group + "/delete"} {
		w.has(w.get(path), 403)
	}
	for _, path := range []string{"/contacts/new", contact, contact + "/delete", "/groups/new", group, group + "/add", group + "/remove", group + "/delete",
		"/contacts/import", "/contacts/import/upl_x"} {
		w.has(w.post(path, url.Values{"name": {"x"}, "contact": {"x"}}), 403)
	}
}

func TestGroupIsFilledByHand(t *testing.T) {
	w := newWorld(t)
	w.connect()
	w.byHand("Kari", "+4740100002") // Bjørn has it too
	w.signIn()
	w.has(w.post("/groups/new", url.Values{"name": {" "}, "do": {"list"}}), 422, `id="name-wrong"`)
	got := w.post("/groups/new", url.Values{"name": {"Night"}, "do": {"list"}})
	path := got.header.Get("Location")
	w.sent(got, path)
	name := func(who string) string { return w.names.Of(secrets.Contact, w.contact(who).ID) }
	w.has(w.get(path+"?find=BJØRN"), 200, `value="`+name("Bjørn")+`"`, "Add Bjørn Dahl")
	w.has(w.get(path+"?find=nobody"), 200, "Nobody was found")
	w.sent(w.post(path+"/add", url.Values{"contact": {name("Bjørn")}, "find": {"BJØRN"}}), path+"?find=BJ%C3%98RN#add")
	w.sent(w.post(path+"/add", url.Values{"contact": {name("Cecilie")}}), path)
	w.sent(w.post(path+"/add", url.Values{"contact": {name("Kari")}}), path)
	w.sent(w.post(path, url.Values{"name": {"Late"}}), path)
	w.has(w.post(path, url.Values{"name": {""}}), 422, `id="name-wrong"`)
	w.golden("group-nb", w.get(path, "Accept-Language", "nb").body)

	desks := w.get(path + "?reason=desk_line")
	w.has(desks, 200, "Cecilie Eng")
	if strings.Contains(desks.body, "Bjørn Dahl") {
		t.Error("the filter shows somebody with a mobile number")
	}
	w.sent(w.post(path+"/remove", url.Values{"contact": {name("Kari")}}), path)
	if page := w.get(path).body; strings.Contains(page, "Kari</a>") {
		t.Error("who was taken out is still there")
	}
	w.has(w.get(path+"/delete"), 200, "Its 2 members stay contacts.")
	w.sent(w.post(path+"/delete", url.Values{}), "/groups")
	w.has(w.get(path), 404)
}

func TestSyncedGroupIsNotChanged(t *testing.T) { // S12, S15
	w := newWorld(t)
	w.connect()
	g := must(w.book.Groups(t.Context(), w.account.ID, 0, 1))[0]
	w.signIn()
	w.has(w.get(w.groupPath(g)), 200, "the directory decides who is in it")
	w.has(w.post(w.groupPath(g), url.Values{"name": {"x"}}), 409, "the directory decides")
	w.has(w.post(w.groupPath(g)+"/remove", url.Values{"contact": {w.names.Of(secrets.Contact, w.contact("Anna").ID)}}), 409)
	w.has(w.post(w.groupPath(g)+"/delete", url.Values{}), 409)
}

func TestGroupIsFoundByARule(t *testing.T) { // Q24
	w := newWorld(t)
	w.connect()
	w.signIn()
	got := w.post("/groups/new", url.Values{"name": {"Nurses"}, "do": {"rule"}})
	w.sent(got, "/groups/new/rule?name=Nurses")
	form := url.Values{"name": {"Nurses"}, "field": {"job_title", "department", ""}, "op": {"one_of", "starts_with", "is"}, "value": {"nurse; doctor", "WARD", ""}, "do": {"preview"}}
	preview := w.post("/groups/new/rule", form, "Accept-Language", "pl")
	w.golden("rule-preview-pl", preview.body)
	if n := len(must(w.book.Groups(t.Context(), w.account.ID, 0, 9))); preview.status != 200 || n != 1 {
		t.Errorf("%d, %d groups", preview.status, n)
	}
	form.Set("do", "save")
	made := w.post("/groups/new/rule", form)
	path := made.header.Get("Location")
	w.has(w.get(path), 200, "Anna Berg", "Job title is one of nurse, doctor", "Department begins with WARD")
	w.has(w.get(path+"/rule"), 200, `value="nurse; doctor"`)

	form.Set("do", "preview")
	form["value"] = []string{"", "", ""}
	w.has(w.post(path+"/rule", form), 422, `role="alert"`, "Look at the conditions")
	form = url.Values{"field": {"source"}, "op": {"is"}, "value": {"katalog"}, "do": {"save"}}
	w.sent(w.post(path+"/rule", form, "Accept-Language", "nb"), path)
	w.has(w.get(path), 200, "Source is Directory", "David Foss")
	w.has(w.post("/groups/new/rule", url.Values{"name": {""}, "field": {"office"}, "op": {"empty"}, "value": {""}, "do": {"save"}}), 422, `id="name-wrong"`)
}

func TestPhoneReportSaysWhatToDo(t *testing.T) { // S8
	w := newWorld(t)
	w.connect()
	w.byHand("=HYPERLINK(\"x\")", "401 00 001") // Anna's
	w.signIn()
	w.golden("quality-en", w.get("/contacts/quality").body)
	w.has(w.get("/contacts?reason=too_short"), 200, "Eva Gran", `<h1>Contacts: Too short</h1>`)
	w.has(w.get("/contacts?reason=shared_number"), 200, "Anna Berg", "Shared with 1 other")
	w.has(w.get("/contacts?reason=ugly"), 404)
	w.has(w.get("/contacts/quality.csv?reason=ugly"), 404)

	got := w.get("/contacts/quality.csv", "Accept-Language", "nb")
	want := "\ufeffNavn;Objekt-ID i katalogen;Kilde;Slik det står;Nummer fra;Nummer;Grunn;Delt med;Merknad\r\n" +
		"Anna Berg;person-0;Katalog;+47 401 00 001;Mobiltelefon;+4740100001;;1;\r\n" +
		"Cecilie Eng;person-2;Katalog;+47 401 00 003;Jobbtelefon;+4740100003;;0;Bordtelefon\r\n" +
		"David Foss;person-3;Katalog;;–;;Uten nummer;0;\r\n" +
		"Eva Gran;person-4;Katalog;+47 12;Mobiltelefon;;For kort;0;\r\n" +
		"\"'=HYPERLINK(\"\"x\"\")\";;For hånd;401 00 001;Skrevet inn for hånd;+4740100001;;1;\r\n"
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Error(diff)
	}
	if at := got.header.Get("Content-Disposition"); at != `attachment; filename="phone-quality.csv"` {
		t.Error(at)
	}
}

func TestWhatIsExportedCanBeImported(t *testing.T) { // Q43
	w := newWorld(t)
	w.connect()
	w.byHand("Kari", "401 00 009")
	w.signIn()
	got := w.get("/contacts/export.csv")
	lines := strings.Split(strings.TrimSpace(got.body), "\r\n")
	if len(lines) != 7 || !strings.HasSuffix(lines[0], "directory_id,name,source,phone_raw,phone_rule,phone,reason,groups") ||
		!strings.HasPrefix(lines[6], ",Kari,manual,401 00 009,manual,+4740100009,,") {
		t.Errorf("%q", lines)
	}
	read, err := w.book.PreviewImport(t.Context(), w.account.ID, strings.NewReader(got.body), contacts.ImportOptions{Region: "NO"})
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Rows) != 6 {
		t.Errorf("%d rows", len(read.Rows))
	}
	for _, row := range read.Rows {
		if row.Action != contacts.RowUnchanged && row.Action != contacts.RowSynced && row.Phone != "" {
			t.Errorf("%+v", row)
		}
	}
}

func TestPoorCoverageIsAdvisedAgainst(t *testing.T) { // S8
	w := newWorld(t)
	w.signIn()
	w.has(w.get("/contacts/quality"), 200, "There are no contacts yet")
	w.byHand("Kari", "+4740100009")
	w.has(w.get("/contacts/quality"), 200, "none is shared")
	w.connect() // two of five have no number that can be texted
	w.has(w.get("/contacts/quality"), 200, "Only 66% can be texted", "advised against")
}

// upload sends a list of contacts as the form does.
func (w *world) upload(name, text string, headers ...string) answer {
	w.Helper()
	return w.uploadTo("/contacts/import", name, text, headers...)
}

func (w *world) uploadTo(path, name, text string, headers ...string) answer {
	w.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if name != "" {
		must(must(form.CreateFormFile("file", name)).Write([]byte(text)))
	}
	form.Close()
	req := must(http.NewRequestWithContext(w.Context(), "POST", w.home+path, &body))
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return w.send(req)
}

func TestListIsLookedAtThenImported(t *testing.T) {
	w := newWorld(t)
	w.connect()
	w.byHand("Kari", "+4740100009")
	w.signIn()
	file := "Navn;Mobil;Avdeling;Gruppe;Skonummer\nKari Moe;401 00 009;Ward 3;Natt;38\nAnna;401 00 001;;Natt;39\nOla;401 00 008;;\"Natt|Ward 3 & <friends>\";40\n" +
		"Ola;401 00 008;;;40\n=cmd;1234;;;\nPia;401 00 007;;;41\n"
	looked := w.upload("people.csv", file)
	path := looked.header.Get("Location")
	w.sent(looked, path)
	w.golden("import-preview-en", w.get(path).body)
	if n := must(w.book.Coverage(t.Context(), w.account.ID)).Contacts; n != 6 {
		t.Errorf("looking made %d contacts", n)
	}
	w.sent(w.post(path, url.Values{}), path)
	w.golden("import-done-nb", w.get(path, "Accept-Language", "nb").body)
	if n := must(w.book.Coverage(t.Context(), w.account.ID)).Contacts; n != 8 {
		t.Errorf("%d contacts", n)
	}
	w.has(w.post(path, url.Values{}), 404, "Send it again") // a double click
	got := w.get(path + "/report.csv")
	want := "\ufeffRow,Result,Reason,Name,As written,Number,Groups,Groups not filled\r\n" +
		"2,Changed: the number was kept by hand already,,Kari Moe,401 00 009,+4740100009,Natt,\r\n" +
		"3,\"In the directory: not changed, only added to the groups\",,Anna,401 00 001,+4740100001,Natt,\r\n" +
		"4,New contact,,Ola,401 00 008,+4740100008,Natt|Ward 3 & <friends>,Ward 3 & <friends>\r\n" +
		"5,Same number as an earlier row,See row 4,Ola,401 00 008,+4740100008,,\r\n" +
		"6,Refused,Too short,'=cmd,1234,,,\r\n" +
		"7,New contact,,Pia,401 00 007,+4740100007,,\r\n"
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Error(diff)
	}
	if name := w.contact("Anna").Name; name != "Anna Berg" { // Q43, S15
		t.Errorf("the directory's contact is now %q", name)
	}
}

func TestListThatCannotBeReadIsRefusedInWords(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.has(w.upload("", ""), 422, "Choose a file.")
	w.has(w.upload("a.csv", ""), 422, "The file is empty.")
	w.has(w.upload("a.xlsx", "PK\x03\x04"), 422, "Save the list as CSV")
	w.has(w.upload("a.csv", "Navn;Sko\n", "Accept-Language", "nb"), 422, "Ingen kolonne i første rad er et telefonnummer")
	w.has(w.get("/contacts/import/upl_x"), 404)
	w.has(w.upload("large.csv", "name,phone\n"+strings.Repeat("Kari,1234,"+strings.Repeat("x", 1000)+"\n", 3000)), 303)
	w.has(w.upload("larger.csv", strings.Repeat("x", contacts.MaxImportBytes+1)), 422, "larger than 32 MiB")
}

func TestCellsThatASpreadsheetWouldWorkOutAreText(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	path := w.upload("a.csv", "name,phone\n=1+1,1\n+47 900,2\n+1-2,3\n-1,4\n@SUM(A1),5\n\"Kari =\",6\n").header.Get("Location")
	report := w.get(path + "/report.csv").body
	for _, want := range []string{",'=1+1,", ",+47 900,", ",'+1-2,", ",'-1,", ",'@SUM(A1),", ",Kari =,"} {
		if !strings.Contains(report, want) {
			t.Errorf("%s is not in\n%s", want, report)
		}
	}
}

func TestAnotherAccountsAddressBookIsNotFound(t *testing.T) {
	w := newWorld(t)
	c := w.byHand("Kari", "+4740100001")
	g := must(w.book.AddGroup(t.Context(), w.account.ID, "Night", []int64{c.ID}))
	w.signIn()
	paths := []string{w.contactPath("Kari"), w.groupPath(g), w.upload("a.csv", "name,phone\nOla,40100002\n").header.Get("Location")}
	other := must(w.accounts.Create(t.Context(), otherAccount))
	must(w.accounts.CreateUser(t.Context(), other.ID, "spy@other.test", "owner", password))
	w.post("/sign-in", url.Values{"email": {"spy@other.test"}, "password": {password}})
	for _, path := range paths {
		w.has(w.get(path), 404)
		w.has(w.post(path, url.Values{"name": {"x"}, "phone": {"40100003"}}), 404)
	}
	w.has(w.post(paths[0]+"/delete", url.Values{}), 404)
	w.has(w.post(paths[1]+"/delete", url.Values{}), 404)
}
