package web

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
	"time"
	"unicode"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/qr"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/privacy"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/keywords"
	"github.com/varsel/varsel/smsqueue/smstext"
	"github.com/varsel/varsel/smsqueue/window"
)

func classNames() (all []string) {
	for _, c := range privacy.Classes {
		all = append(all, c.Name)
	}
	return all
}

// families are the texts whose ids are put together from a family and one of
// its values, which the rooms below say.
var families = map[string][]string{
	"status":      words(smsqueue.Statuses...),
	"status_help": words(smsqueue.Statuses...),
	"state": words(smsqueue.CampaignAccepted, smsqueue.CampaignRunning, smsqueue.CampaignHeld, smsqueue.CampaignPaused,
		smsqueue.CampaignCancel, smsqueue.CampaignSent, smsqueue.CampaignFinished),
	"held":            {"cost_above_ceiling", "group_gone", "no_funds", "budget_spent", "account_closed", "no_agreement", "agreement_outdated"},
	"per":             words(billing.Pers...),
	"budget_wrong":    {"invalid_name", "invalid_limit", "invalid_warn_percent", "invalid_per", "budget_exists", "too_many_budgets"},
	"team_wrong":      {"invalid_name", "team_exists", "too_many_teams", "team_has_budgets"},
	"lane":            words(smsqueue.Lanes...),
	"lane_help":       words(smsqueue.Lanes...),
	"encoding":        words(smstext.GSM7, smstext.UCS2),
	"link":            append(words(carriers.Connecting, carriers.Bound, carriers.Refusing, carriers.Down), "idle", "disabled"),
	"carrier":         append(words(carriers.Connecting, carriers.Refusing, carriers.Down), "idle", "disabled"),
	"carrier_because": words(carriers.Connecting, carriers.Refusing, carriers.Down),
	"reason": {"no_answer", "throttled", "carrier_refuses", "carrier_away", "carrier_busy", "rejected", "deadline",
		"recipient_removed", "opted_out", "worker_lost", "quiet_hours", "campaign_cancelled"},
	"wait":              smsqueue.Waits,
	"turn":              {"pause", "resume", "cancel"},
	"turn_means":        {"pause", "resume", "cancel"},
	"clocks":            words(window.Skipped, window.Twice),
	"segment":           {"delivered", "underway", "unconfirmed", "lost", "stopped", "waiting"},
	"left_out":          {"without_number", "invalid_number", "shared_number", "suppressed", "unresolved", "too_long", "sender_refused"},
	"kept":              classNames(),
	"kept_help":         classNames(),
	"kept_by":           words(privacy.SaysDefault, privacy.SaysInstallation, privacy.SaysAccount),
	"retention_run":     {privacy.RunDone, privacy.RunHeld, privacy.RunFailed},
	"export":            {privacy.ExportAsked, privacy.ExportRunning, privacy.ExportReady, privacy.ExportFailed, privacy.ExportRemoved},
	"at_end":            {privacy.AtEndReturn, privacy.AtEndDelete},
	"deleted":           privacy.Kinds,
	"suppressed":        words(smsqueue.ByStop, smsqueue.ByLink, smsqueue.ByHand, smsqueue.ByImport),
	"lifted":            words(smsqueue.ByStart, smsqueue.ByLink, smsqueue.ByHand),
	"suppression_wrong": {"phone", "note"},
	"listed":            smsqueue.ListedResults,
	"act":               slices.Sorted(maps.Values(acts)),
	"who":               {audit.User, audit.Key, audit.Command, audit.System, audit.Person},
	"scope":             scopeWords(),
	"held_section":      {"contacts", "uploads", "directory", "cards", "card_consents", "messages", "received", "roll_call_answers", "opt_outs", "audit"},
	"health":            words(smsqueue.HealthStates...),
	"ill":               smsqueue.Ills,
	"coverage":          {"with_number", "without_number", "invalid_number"},
	"phone":             phoneReasons,
	"rule":              {contacts.RuleMobile, contacts.RuleBusiness, contacts.RuleManual, contacts.RuleNone},
	"source":            {contacts.FromDirectory, contacts.ByHand},
	"warning":           {contacts.AnyWarning, contacts.SharedNumber, contacts.DeskLine},
	"todo":              contacts.QualityReasons,
	"person":            append([]string{"name", "first_name", "last_name", "phone", "mobile", "email", "groups"}, contacts.RuleFields...),
	"op":                contacts.RuleOps,
	"row":               contacts.RowActions,
	"row_reason": {contacts.BadQuotes, "invalid_name", "invalid_department", "invalid_job_title", "invalid_office", "invalid_email",
		"invalid_language", "invalid_groups", contacts.ErasedNumber},
	"action":       append(words(keywords.Stop, keywords.Start, keywords.Help), smsqueue.ActionAnswer),
	"roll_state":   {"open", "closed"},
	"roll_person":  append(words(smsqueue.RollStates...), "all"),
	"roll_segment": {"delivered", "lost", "unconfirmed", "waiting"},
	"role":         {"owner", "admin", "sender", "viewer"},
	"connection":   {directory.Connected, directory.Failing, directory.Disconnected},
	"run":          {directory.Running, directory.Waiting, directory.Done, directory.Failed},
	"problem": {"agreement_outdated", "no_processor", "no_controller", "agreement_changed", "agreement_not_viewed", "agreement_not_offered", "agreement_not_concluded",
		"agreement_not_found", "agreement_broken", "version_exists", "owners_only", "sign_in_refused", "signed_out", "other_site", "read_only", "too_many_viewers", "campaign_not_found",
		"message_not_found", "inbound_not_found", "group_not_found", "contact_not_found", "connection_not_found", "no_agreement", "account_closed",
		"no_carrier", "invalid_sender", "invalid_lane", "invalid_text", "idempotency_key_reused", "synced_field", "synced_group",
		"rule_group", "listed_group", "invalid_rule", "invalid_name", "invalid_email", "invalid_language", "invalid_contacts",
		"upload_not_found", "import_running", "file_empty", "file_too_large", "file_too_long", "file_not_text", "file_no_headings",
		"file_no_number", "file_no_name", "file_many_groups",
		"managers_only", "operators_only", "no_account", "carrier_not_found", "budget_not_found", "team_not_found", "user_not_found", "key_not_found", "budget_spent", "vat_unchecked", "vat_rate_changed", "invoice_not_found", "invoice_final", "invoice_cancelled", "no_seller", "no_billing_profile", "no_rate", "already_credited", "already_invoiced", "credit_of_credit", "not_final", "vies_unavailable", "vies_requester", "carrier_exists", "carrier_enabled", "carrier_open",
		"managers_only", "operators_only", "no_account", "carrier_not_found", "plan_lacks_directory", "plan_lacks_cards", "invoices_unpaid", "plan_not_found", "plan_currency", "price_list_not_found", "price_list_exists", "price_list_empty", "price_list_currency", "price_version_not_found", "price_version_exists", "price_version_valid", "no_prices", "no_price", "account_not_found",
		"invalid_directory_price", "invalid_anchor", "invalid_currency", "invalid_prices", "invalid_valid_from", "invalid_from",
		"invoice_not_found", "invoice_final", "no_funds", "invoice_cancelled", "no_seller", "no_billing_profile", "no_rate", "carrier_exists", "carrier_enabled", "carrier_open",
		"managers_only", "operators_only", "no_account", "carrier_not_found", "invoice_not_found", "invoice_final", "invoice_cancelled", "no_seller", "no_billing_profile", "no_rate", "currency_differs", "cost_exists", "reconciliation_not_found", "invalid_month", "carrier_exists", "carrier_enabled", "carrier_open",
		"managers_only", "operators_only", "no_account", "carrier_not_found", "budget_not_found", "team_not_found", "user_not_found", "key_not_found", "budget_spent", "invoice_not_found", "invoice_final", "no_funds", "invoice_cancelled", "no_seller", "no_billing_profile", "no_rate", "carrier_exists", "carrier_enabled", "carrier_open",
		"managers_only", "operators_only", "no_account", "carrier_not_found", "invoice_not_found", "invoice_final", "no_funds", "invoice_cancelled", "no_seller", "no_billing_profile", "no_rate", "currency_differs", "cost_exists", "reconciliation_not_found", "invalid_month", "carrier_exists", "carrier_enabled", "carrier_open",
		"carrier_campaigns", "carrier_numbers", "carrier_rules", "rule_not_found", "not_synced", "disconnected",
		"template_not_found", "template_archived", "template_exists", "invalid_texts",
		"nothing_held", "held_changed", "invalid_people", "sender_not_answerable", "invalid_asks", "roll_call_not_found", "roll_call_closed", "roll_call_begins", "recipient_not_found",
		"invalid_choice", "conversation_not_found", "invalid_to", "invalid_tenant", "invalid_client_id", "invalid_secret", "invalid_certificate",
		"invalid_cloud", "invalid_secret_expires", "invalid_every", "invalid_groups", "invalid_filter",
		"consent_app", "consent_state", "consent_declined", "consent_failed", "consent_not_admin", "consent_tenant",
		"directory_id_token", "token_not_found", "not_scim", "no_such_link", "suppression_not_found", "not_suppressed", "opted_out",
		"invalid_windows", "invalid_fields", "invalid_file", "invalid_zone", "invalid_start_at", "invalid_validity", "invalid_per_hour", "invalid_per_day", "invalid_per_month", "invalid_statuses",

		"subprocessor_not_found", "notice_not_found", "objection_not_found", "feed_not_found", "objection_window_closed", "objection_exists", "objection_ended",
		"notice_in_effect", "notice_meanwhile", "subprocessor_exists", "subprocessor_chain", "invalid_outcome", "invalid_answer", "invalid_reason", "invalid_opt_out_number", "erased_number", "person_not_found", "ambiguous_person", "erasure_not_found", "erasure_lifted", "erasures_file",
		"card_codes_exhausted", "card_code_refused", "card_field_locked", "invalid_photo", "invalid_website", "invalid_mobile", "invalid_work_phone", "invalid_fax", "invalid_note",
		"card_not_found", "card_full_name", "card_group_not_found", "card_grouping_locked", "card_image_not_found", "card_regrouping", "card_template_changed", "card_template_exists", "card_template_in_use", "card_template_not_found", "invalid_caption", "invalid_colour", "invalid_filters", "invalid_finder_colour", "invalid_image", "too_many_card_images", "invalid_logo", "invalid_logo_percent", "invalid_method", "invalid_sections", "no_public_url", "invite_not_found", "invite_gone", "invalid_target", "invalid_ends_at", "ambiguous_number", "invoice_refused", "no_vat_rule", "qr_contrast", "qr_inverted", "qr_logo_too_large", "qr_unreadable",

		"key_not_found", "hold_not_found", "export_not_found", "export_not_ready", "export_elsewhere", "certificate_not_found", "retention_fixed"},
	"card_button":     words(cards.Buttons...),
	"card_kind":       words(cards.Kinds...),
	"finding":         append(slices.Clone(findings), "disconnected", "stopped", "no_agreement", "agreement_outdated"),
	"finding_next":    findings,
	"objection":       append(slices.Clone(accounts.Outcomes), accounts.ObjectionOpen, accounts.ObjectionRetracted),
	"sub_outcome":     accounts.Outcomes,
	"sub_wrong":       {"country", "transfer", "effective_at"},
	"noticed":         {accounts.NoticeViewed, accounts.NoticeRead, accounts.NoticeFetched},
	"mailed":          {"waiting", "sending", "sent", "unconfirmed", "failed"},
	"step":            {directory.StepSignIn, directory.StepPeople, directory.StepGroups, directory.StepMembers, directory.StepOrganisation},
	"outcome":         {directory.Passed, directory.Broken, directory.NotTried, "done", "open"},
	"tab":             {"overview", "check", "tokens", "preview", "held", "skipped", "runs", "settings"},
	"phase":           {directory.ReadingGroups, directory.ReadingPeople, directory.Applying},
	"kind":            {directory.Sync, directory.Preview, directory.Group},
	"cloud":           {directory.GlobalCloud, directory.USGovCloud, directory.DoDCloud, directory.ChinaCloud},
	"preview":         previewLists,
	"change":          {"added", "changed", "removed", "number"},
	"skipped":         {directory.SkippedGuest, directory.SkippedBlocked, directory.SkippedMinor, directory.SkippedUnlicensed, directory.SkippedFilter, directory.SkippedErased, directory.SkippedGroups},
	"filter":          directory.FilterFields,
	"is":              conditions,
	"self_check":      {"sign_in", "people", "groups", "change", "written", "written_change"},
	"self_check_how":  {"sign_in", "people", "groups", "change", "written", "written_change"},
	"agreement_state": {accounts.StandingNone, accounts.StandingOffered, accounts.StandingConcluded, accounts.StandingWithdrawn, "outdated"},
	"agreement_was":   {accounts.AgreementOffered, accounts.AgreementConcluded, accounts.AgreementSuperseded, accounts.AgreementTerminated},
	"agreement_by":    {accounts.BySession, accounts.ByKey, accounts.ByCommand, accounts.ByUpload},
	"agreement_end":   {accounts.AtEndReturn, accounts.AtEndDelete},
	"agreement_wrong": {"signatory", "title", "email", "authority", "agree", "pdf", "signed", "legal_name", "registration", "address", "contact", "dpo",
		"representative", "signatory_title", "version", "texts", "grace_until", "at_end", "confirm"},
	"version":       {"draft", "offered"},
	"version_of":    {accounts.OfProgram, accounts.OfOperator},
	"register_lead": {"installation"},
	"capability":    billing.Capabilities,
	"price_version": {"past", "current", "ahead", "withdrawn"},
	"month_run":     {billing.RunInvoiced, billing.RunNothing, billing.RunSkipped}, "reconciliation": {billing.ReconRunning, billing.ReconDone, billing.ReconFailed},
	"difference":  billing.DifferenceKinds,
	"billing":     {"lead"},
	"entry":       words(billing.Kinds...),
	"ledger":      {billing.Receivable, billing.Reserved, billing.Unbilled, billing.Billed, billing.Rounding, billing.Paid},
	"terms":       {"prepaid", "limit", "unlimited"},
	"balance":     {"available", "limit", "owed", "reserved", "unbilled", "billed", "paid"},
	"money_wrong": {"invalid_limit", "invalid_suspend_days", "invalid_amount", "invalid_reference", "payment_differs", "payment_returned", "payment_not_found"},
	"card_from":   cards.Properties, "card_sync": words(cards.Always, cards.Once), "card_layout": words(cards.Layouts...), "card_font": words(cards.Fonts...),
	"card_modules": words(qr.ModuleShapes...), "card_finders": words(qr.FinderShapes...), "card_level": words(qr.Levels...), "card_frame": words(qr.Frames...),
	"card_method": words(cards.InOne, cards.ByFields, cards.ByFilters), "card_code_warning": words(qr.Dense, qr.Fixed),
	"invoice_state": {billing.Draft, billing.Final, billing.Cancelled},
	"invoice_kind":  words(invoice.Invoice, invoice.CreditNote),
	"invoice_file":  {billing.PDF, billing.XML, "csv"},
	"bill_field":    {"name", "registration", "vat_id", "street", "post_code", "city", "country", "endpoint", "contact_name", "contact_phone", "contact_email", "iban", "bic", "currency", "zone", "prefix", "credit_prefix", "days", "language", "reference", "email"},
	"bill_wrong":    {"name", "registration", "vat_id", "address", "country", "endpoint", "iban", "currency", "zone", "prefix", "days", "language", "email"},
	"invoice_unit":  invoice.Units,
	"invoice_ask":   {"finalise", "cancel"}, "invoice_means": {"finalise", "cancel"}, "invoice_turn": {"finalise", "cancel"},
	"error": {"401", "403", "404", "405", "409", "413", "422", "429", "503", "401_title", "403_title", "404_title", "405_title",
		"409_title", "413_title", "422_title", "429_title", "503_title"},
}

// findings are the codes of what a directory, or the way to it, can be broken by.
var findings = []string{"directory_tenant", "directory_cloud", "directory_client", "directory_secret", "directory_secret_expired",
	"directory_certificate", "directory_app_disabled", "directory_policy", "directory_consent", "directory_names", "directory_network",
	"directory_busy", "directory_unavailable", "directory_answer", "directory_sign_in", "directory_token", "directory_expired"}

func words[T ~string](values ...T) (all []string) {
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

func scopeWords() (all []string) {
	for _, one := range accounts.Scopes() {
		all = append(all, scopeWord(one))
	}
	return all
}

func TestEveryTextIsThereInEveryLanguageAndUsed(t *testing.T) {
	used := usedTexts(t)
	for code, texts := range catalogue(t) {
		for id, where := range used {
			if texts[id] == nil {
				t.Errorf("%s has no text %q, which %s uses", code, id, where)
			}
		}
		for id := range texts {
			if used[id] == "" {
				t.Errorf("%s has a text %q that nothing uses", code, id)
			}
		}
	}
}

// A second part would cost as much as the first.
func TestTheCodeOfACardIsOneSMS(t *testing.T) {
	for _, say := range tongues {
		text := say.count("card_code_sms", int(cards.CodeLife.Minutes()), "Code", "000000")
		if _, parts := smstext.Count(text); parts != 1 {
			t.Errorf("%s: %q has %d parts", say.Code, text, parts)
		}
	}
}

func TestEveryFamilyOfTextsIsKnown(t *testing.T) {
	for family := range templateCalls(t, "word") {
		if families[family] == nil {
			t.Errorf("a template has a word of the family %q, whose values no test knows", family)
		}
	}
	for family := range codeCalls(t, "word") {
		if families[family] == nil {
			t.Errorf("there is a word of the family %q, whose values no test knows", family)
		}
	}
}

func TestEveryTextHasThePluralFormsOfItsLanguage(t *testing.T) {
	names := map[plural.Form]string{plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}
	counted := countedTexts(t)
	for code, texts := range catalogue(t) {
		need := map[string]bool{"other": true}
		for n := range 200 {
			need[names[plural.Cardinal.MatchPlural(language.MustParse(code), n, 0, 0, 0, 0)]] = true
		}
		for id, text := range texts {
			forms, isCounted := text.(map[string]any)
			if isCounted != counted[id] {
				t.Errorf("%s: %s is counted in one place and not in another", code, id)
			}
			for form := range need {
				if isCounted && forms[form] == nil {
					t.Errorf("%s: %s has no form %q", code, id, form)
				}
			}
		}
	}
}

var placeholder = regexp.MustCompile(`\{\{\.(\w+)\}\}`)

func TestTextsNameTheSameThingsInEveryLanguage(t *testing.T) {
	all := catalogue(t)
	for code, texts := range all {
		for id, text := range texts {
			if got, want := named(text), named(all["en"][id]); !slices.Equal(got, want) {
				t.Errorf("%s: %s names %v, in English %v", code, id, got, want)
			}
			if fmt.Sprint(text) == "" {
				t.Errorf("%s: %s is empty", code, id)
			}
		}
	}
}

func named(text any) []string {
	seen := map[string]bool{}
	for _, m := range placeholder.FindAllStringSubmatch(fmt.Sprint(text), -1) {
		seen[m[1]] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func catalogue(t *testing.T) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for _, say := range tongues {
		raw, err := languageFiles.ReadFile("languages/" + say.Code + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]any
		if err := json.Unmarshal(raw, &texts); err != nil {
			t.Fatal(err)
		}
		all[say.Code] = texts
	}
	return all
}

// usedTexts are the ids that templates, code and families use, and where.
func usedTexts(t *testing.T) map[string]string {
	used := map[string]string{}
	for id, in := range templateCalls(t, "t", "count") {
		used[id] = in
	}
	for id, in := range codeCalls(t, "text", "count") {
		used[id] = in
	}
	for family, values := range families {
		for _, v := range values {
			used[family+"_"+v] = "the family " + family
		}
	}
	return used
}

func countedTexts(t *testing.T) map[string]bool {
	counted := map[string]bool{}
	for id := range templateCalls(t, "count") {
		counted[id] = true
	}
	for id := range codeCalls(t, "count") {
		counted[id] = true
	}
	return counted
}

// templateCalls finds {{t "id"}}, also in brackets and pipelines.
func templateCalls(t *testing.T, functions ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	eachTree(t, func(file string, tree *parse.Tree) {
		walk(tree.Root, func(n parse.Node) {
			call, ok := n.(*parse.CommandNode)
			if !ok || len(call.Args) < 2 {
				return
			}
			name, ok := call.Args[0].(*parse.IdentifierNode)
			id, literal := call.Args[1].(*parse.StringNode)
			if ok && literal && slices.Contains(functions, name.Ident) {
				found[id.Text] = file
			}
		})
	})
	return found
}

func eachTree(t *testing.T, do func(file string, tree *parse.Tree)) {
	t.Helper()
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]any(tongues[0].functions())
	builtin := map[string]any{"and": 1, "or": 1, "not": 1, "eq": 1, "ne": 1, "printf": 1, "len": 1}
	for _, file := range files {
		text, err := templateFiles.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		trees, err := parse.Parse(file, string(text), "", "", functions, builtin)
		if err != nil {
			t.Fatal(err)
		}
		for _, tree := range trees {
			do(file, tree)
		}
	}
}

func walk(n parse.Node, see func(parse.Node)) {
	if n == nil {
		return
	}
	see(n)
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, each := range n.Nodes {
				walk(each, see)
			}
		}
	case *parse.ActionNode:
		walk(n.Pipe, see)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			walk(n.Pipe, see)
		}
	case *parse.IfNode:
		walkBranch(n.BranchNode, see)
	case *parse.RangeNode:
		walkBranch(n.BranchNode, see)
	case *parse.WithNode:
		walkBranch(n.BranchNode, see)
	case *parse.PipeNode:
		for _, each := range n.Cmds {
			walk(each, see)
		}
	case *parse.CommandNode:
		for _, each := range n.Args {
			walk(each, see)
		}
	}
}

func walkBranch(n parse.BranchNode, see func(parse.Node)) {
	walk(n.Pipe, see)
	walk(n.List, see)
	if n.ElseList != nil {
		walk(n.ElseList, see)
	}
}

// codeCalls finds say.text("id") in this package.
func codeCalls(t *testing.T, methods ...string) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if id, ok := textCall(n, methods); ok {
				found[id] = file
			}
			return true
		})
	}
	return found
}

func textCall(n ast.Node, methods []string) (id string, ok bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	literal, isLiteral := call.Args[0].(*ast.BasicLit)
	if !ok || !isLiteral || literal.Kind != token.STRING || !slices.Contains(methods, method.Sel.Name) {
		return "", false
	}
	id, err := strconv.Unquote(literal.Value)
	return id, err == nil
}

var (
	tag       = regexp.MustCompile(`(?s)<[^>]*>`)
	spoken    = regexp.MustCompile(`\b(?:title|alt|placeholder|aria-label|aria-description|data-label|label)="([^"]*)"`)
	invisible = "\uFFFC" // stands for what a template puts in
)

func TestTemplatesHaveNoWordsOfTheirOwn(t *testing.T) {
	eachTree(t, func(file string, tree *parse.Tree) {
		var page strings.Builder
		flatten(tree.Root, &page)
		for _, m := range spoken.FindAllStringSubmatch(page.String(), -1) {
			if hasLetter(m[1]) {
				t.Errorf("%s, %s: an attribute says %q", file, tree.Name, m[1])
			}
		}
		for _, text := range strings.Split(tag.ReplaceAllString(page.String(), "\n"), "\n") {
			if hasLetter(text) {
				t.Errorf("%s, %s: %q is not from the catalogue", file, tree.Name, strings.TrimSpace(text))
			}
		}
	})
}

// flatten writes the text of a template, every branch of it.
func flatten(n parse.Node, page *strings.Builder) {
	walk(n, func(n parse.Node) {
		switch n := n.(type) {
		case *parse.TextNode:
			page.Write(n.Text)
		case *parse.ActionNode, *parse.TemplateNode:
			page.WriteString(invisible)
		}
	})
}

func hasLetter(s string) bool { return strings.IndexFunc(s, unicode.IsLetter) >= 0 }

func TestNumbersMoneyAndTimesPerLanguage(t *testing.T) {
	at := time.Date(2026, 3, 5, 14, 7, 9, 0, time.UTC)
	const nbsp = "\u00a0"
	for _, c := range []struct{ code, number, money, day, percent string }{
		{"en", "12,345", "EUR" + nbsp + "1,234.045", "5 Mar 2026, 14:07 UTC", "42%"},
		{"nb", "12" + nbsp + "345", "1" + nbsp + "234,045" + nbsp + "EUR", "5. mars 2026, 14:07 UTC", "42" + nbsp + "%"},
		{"pl", "12" + nbsp + "345", "1" + nbsp + "234,045" + nbsp + "EUR", "5 mar 2026, 14:07 UTC", "42%"},
	} {
		say := tongueNamed(c.code)
		if got := say.number(12345); got != c.number {
			t.Errorf("%s: number %q", c.code, got)
		}
		if got := say.money(1234_045_000, "EUR"); got != c.money {
			t.Errorf("%s: money %q", c.code, got)
		}
		if got := say.percent(421, 1000); got != c.percent {
			t.Errorf("%s: percent %q", c.code, got)
		}
		want := `<time datetime="2026-03-05T14:07:09Z" data-exact="minute">` + c.day + `</time>`
		if got := string(say.when(at)); got != want {
			t.Errorf("%s: time %q", c.code, got)
		}
	}
}

func tongueNamed(code string) *tongue {
	for _, say := range tongues {
		if say.Code == code {
			return say
		}
	}
	return nil
}

func TestPolishPlurals(t *testing.T) {
	say := tongueNamed("pl")
	for n, want := range map[int]string{0: "0 kontaktów", 1: "1 kontakt", 2: "2 kontakty", 5: "5 kontaktów", 12: "12 kontaktów",
		22: "22 kontakty", 25: "25 kontaktów", 101: "101 kontaktów", 104: "104 kontakty"} {
		if got := say.count("contacts", n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestShareIsAllOrNothingOnlyWhenItIs(t *testing.T) {
	for _, c := range []struct{ part, whole, want int }{
		{0, 0, 0}, {0, 10, 0}, {1, 1000, 1}, {999, 1000, 99}, {1000, 1000, 100}, {1, 3, 33},
	} {
		if got := share(c.part, c.whole); got != c.want {
			t.Errorf("%d of %d: %d", c.part, c.whole, got)
		}
	}
}
