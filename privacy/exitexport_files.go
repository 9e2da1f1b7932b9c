package privacy

// exported is a file of an export: what is in it, and the query that gives its rows.
// The name of a column says after a colon how it is written: as a name of that prefix,
// a time (RFC 3339, empty for none), a bool, or the digits of a number that programs
// may read inexactly. Whatever has none is a text or a whole number.
type exported struct {
	name, means, query string
}

// ofMessages walks the ranges, in their order: messages have no index by account.
const ofMessages = ` FROM ranges r JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id AND m.account_id = $1`

var exports = []exported{
	{"account", "The account.", `SELECT handle, name, region, sender, currency, state, created_at AS "created_at:time" FROM accounts WHERE id = $1`},
	{"controller", "Who the account is, as the controller.", `
		SELECT legal_name, registration, address, contact, dpo, representative, changed_at AS "changed_at:time" FROM parties WHERE account_id = $1`},
	{"users", "Users of the console and their roles.", `
		SELECT u.id AS "id:usr", u.email, m.role FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.account_id = $1 ORDER BY u.id`},
	{"contacts", "The address book. phone is E.164; phone_reason says why there is none.", `
		SELECT id AS "id:con", source, tenant_id, directory_id, name, department, job_title, office, email, language, phone_raw, phone_rule, phone,
			phone_country, phone_reason, state, created_at AS "created_at:time", updated_at AS "updated_at:time"
		FROM contacts WHERE account_id = $1 ORDER BY id`},
	{"contact_fields", "Fields of contacts' own.", `
		SELECT f.contact_id AS "contact_id:con", f.name, f.value FROM contacts c JOIN contact_fields f ON f.contact_id = c.id
		WHERE c.account_id = $1 ORDER BY c.id, f.name`},
	{"groups", "Groups of contacts. rule is JSON, of a group whose members follow from it.", `
		SELECT id AS "id:grp", source, tenant_id, directory_id, name, rule, state, created_at AS "created_at:time", updated_at AS "updated_at:time"
		FROM contact_groups WHERE account_id = $1 ORDER BY id`},
	{"memberships", "Who is in which group.", `
		SELECT m.group_id AS "group_id:grp", m.contact_id AS "contact_id:con" FROM contacts c JOIN group_members m ON m.contact_id = c.id
		WHERE c.account_id = $1 ORDER BY c.id`},
	{"cards", "Digital business cards. taken is what the directory says, by property, once what was taken from it a single time and edits what the holder wrote, by field: JSON. A withdrawn card has no values. Photos are in the folder photos.", `
		SELECT id AS "id:crd", tenant_id, directory_id, contact_id AS "contact_id:con", group_id AS "group_id:cgr", slug, state, taken, once, edits, language,
			created_at AS "created_at:time", updated_at AS "updated_at:time", withdrawn_at AS "withdrawn_at:time"
		FROM cards WHERE account_id = $1 ORDER BY id`},
	{"card_groups", "Groups of cards, and the version of the design that each shows.", `
		SELECT id AS "id:cgr", tenant_id, place, name, template_id AS "template_id:ctp", template_version, created_at AS "created_at:time"
		FROM card_groups WHERE account_id = $1 ORDER BY id`},
	{"card_groupings", "How the people of a directory are put into groups of cards. fields and filters are JSON.", `
		SELECT tenant_id, method, fields, filters, minors AS "minors:bool", template_id AS "template_id:ctp", saved_at AS "saved_at:time"
		FROM card_groupings WHERE account_id = $1 ORDER BY tenant_id`},
	{"card_templates", "Designs of cards, each version. body is JSON; the logos that it names are in the folder logos.", `
		SELECT t.id AS "template_id:ctp", t.name, v.version, v.body, v.created_at AS "created_at:time", t.removed_at AS "removed_at:time"
		FROM card_templates t JOIN card_template_versions v ON v.template_id = t.id WHERE t.account_id = $1 ORDER BY t.id, v.version`},
	{"card_invites", "Short links to pages of events and sign-ups. ends_at and ended_at are empty for never; the version of the template is whose style the QR code has.", `
		SELECT id AS "id:ivt", name, slug, target, template_id AS "template_id:ctp", template_version, ends_at AS "ends_at:time", ended_at AS "ended_at:time", created_at AS "created_at:time"
		FROM card_invites WHERE account_id = $1 ORDER BY id`},
	{"card_consents", "Consents of those who had a card texted to them. number_mark is a keyed hash of the number.", `
		SELECT id AS "id:digits", card_id AS "card_id:crd", number_mark, notice, language, at AS "at:time" FROM card_consents WHERE account_id = $1 ORDER BY id`},
	{"card_mails", "Mails about their cards to holders.", `
		SELECT notice AS "notice:cmp", card_id AS "card_id:crd", language, state, at AS "at:time" FROM card_mails WHERE account_id = $1 ORDER BY notice, card_id`},
	{"templates", "Texts that are kept, each version in each language.", `
		SELECT t.id AS "template_id:tpl", t.name, v.number AS version, x.language, x.body, v.created_at AS "created_at:time", t.archived_at AS "archived_at:time"
		FROM templates t JOIN template_versions v ON v.template_id = t.id JOIN template_texts x ON x.version_id = v.id
		WHERE t.account_id = $1 ORDER BY t.id, v.number, x.language`},
	{"campaigns", "Campaigns. asks is JSON, the choices of a roll call.", `
		SELECT id AS "id:cmp", name, lane, sender, body, encoding, parts, group_id AS "group_id:grp", source_id AS "source_id:cmp", asks, currency, state, reason,
			windows, start_at AS "start_at:time", created_at AS "created_at:time", started_at AS "started_at:time", finished_at AS "finished_at:time"
		FROM campaigns WHERE account_id = $1 ORDER BY id`},
	{"messages", "Messages. The text of a campaign's message is the campaign's where body is empty. price_micro is in millionths of the currency. A phone that begins with ~ was replaced after its time.", `
		SELECT m.id AS "id:msg", m.campaign_id AS "campaign_id:cmp", m.contact_id AS "contact_id:con", m.phone, m.sender, m.body, m.encoding, m.parts,
			m.price_micro, m.status, m.reason, m.code, m.possible_duplicate AS "possible_duplicate:bool",
			m.queued_at AS "queued_at:time", m.sent_at AS "sent_at:time", m.done_at AS "done_at:time"` + ofMessages + `
		WHERE r.account_id = $1 ORDER BY r.first_id`},
	{"receipts", "What carriers said of the parts of messages. carrier_id is the carrier's own id.", `
		SELECT p.message_id AS "message_id:msg", p.part, p.carrier_raw AS carrier_id, p.state` + ofMessages + `
		JOIN message_parts p ON p.message_id = m.id WHERE r.account_id = $1 ORDER BY r.first_id`},
	{"inbound", "Messages that were received. number is the one they were sent to.", `
		SELECT id AS "id:inb", phone, number, contact_id AS "contact_id:con", campaign_id AS "campaign_id:cmp", message_id AS "message_id:msg", body, parts,
			action, received_at AS "received_at:time", handled_at AS "handled_at:time"
		FROM inbound WHERE account_id = $1 ORDER BY id`},
	{"roll_answers", "Answers to roll calls.", `
		SELECT a.campaign_id AS "campaign_id:cmp", a.phone, a.contact_id AS "contact_id:con", a.choice, a.inbound_id AS "inbound_id:inb", a.answered_at AS "answered_at:time"
		FROM campaigns c JOIN roll_answers a ON a.campaign_id = c.id WHERE c.account_id = $1 ORDER BY c.id, a.phone`},
	{"roll_totals", "How roll calls ended whose answers were removed after their time; without a group, of all who were asked.", `
		SELECT t.campaign_id AS "campaign_id:cmp", t.group_id AS "group_id:grp", t.name, t.answered AS "answered:bool", t.choice, t.people
		FROM campaigns c JOIN roll_totals t ON t.campaign_id = c.id WHERE c.account_id = $1 ORDER BY c.id, t.group_id, t.choice`},
	{"suppressions", "Numbers that want no messages; lifted_at is empty while one stands.", `
		SELECT id AS "id:sup", phone, reason, inbound_id AS "inbound_id:inb", note, created_at AS "created_at:time", lifted_at AS "lifted_at:time", lifted_by
		FROM suppressions WHERE account_id = $1 ORDER BY id`},
	{"opt_out_settings", "What is decided about those who want no messages.", `
		SELECT replies AS "replies:bool", urgent AS "urgent:bool" FROM opt_out_settings WHERE account_id = $1`},
	{"sending_settings", "When and how much the account sends; caps count parts.", `
		SELECT windows, window_normal AS "window_normal:bool", zone, cap_hour, cap_day, cap_month FROM account_sending WHERE account_id = $1`},
	{"senders", "What the account may send as.", `SELECT sender, created_at AS "created_at:time" FROM account_senders WHERE account_id = $1 ORDER BY sender`},
	{"numbers", "The account's own numbers, which people can text.", `SELECT number, created_at AS "created_at:time" FROM numbers WHERE account_id = $1 ORDER BY id`},
	{"connections", "Connections to directories, without their secrets. settings is JSON.", `
		SELECT id AS "id:dir", kind, tenant_id, client_id, state, settings, created_at AS "created_at:time" FROM connections WHERE account_id = $1 ORDER BY id`},
	{"retention_settings", "For how many days what is kept, where the account said so.", `SELECT class, days FROM retention_settings WHERE account_id = $1 ORDER BY class`},
	{"agreements", "Data processing agreements; signed documents are in the folder agreements.", `
		SELECT id AS "id:digits", version, language, text_sha256, state, signatory, title, email, concluded_at AS "concluded_at:time",
			terminated_at AS "terminated_at:time", at_end, end_deadline AS "end_deadline:time"
		FROM agreements WHERE account_id = $1 ORDER BY id`},
	{"ledger", "Double entries of money, in millionths of the currency.", `
		SELECT id AS "id:ent", campaign_id AS "campaign_id:cmp", kind, debit, credit, amount_micro, currency, messages, parts, country, unit_micro, lane,
			reference, invoice_id AS "invoice_id:inv", at AS "at:time"
		FROM ledger_entries WHERE account_id = $1 ORDER BY campaign_id, id`},
	{"terms", "How the account pays, in millionths of the currency.", `
		SELECT prepaid AS "prepaid:bool", unlimited AS "unlimited:bool", limit_micro, suspend_days, suspended_at AS "suspended_at:time", updated_at AS "updated_at:time"
		FROM billing_terms WHERE account_id = $1`},
	{"plans", "The account's plans, each from a time on; price_list is its own one, where it has one.", `
		SELECT p.name, p.capabilities, COALESCE(l.name, '') AS price_list, a.valid_from AS "valid_from:time", a.valid_until AS "valid_until:time"
		FROM account_plans a JOIN plans p ON p.id = a.plan_id LEFT JOIN price_lists l ON l.id = a.list_id AND a.list_id <> 0 WHERE a.account_id = $1 ORDER BY a.valid_from`},
	{"teams", "Teams, which share budgets.", `
		SELECT id AS "id:tem", name, created_at AS "created_at:time", removed_at AS "removed_at:time" FROM teams WHERE account_id = $1 ORDER BY id`},
	{"team_members", "Who is in which team.", `
		SELECT team_id AS "team_id:tem", user_id AS "user_id:usr" FROM team_members WHERE account_id = $1 ORDER BY team_id, user_id`},
	{"team_keys", "Which API key is in which team.", `
		SELECT team_id AS "team_id:tem", key_id AS "key_id:key" FROM team_keys WHERE account_id = $1 ORDER BY team_id, key_id`},
	{"budgets", "Budgets, in millionths of the currency; without a team of the whole account.", `
		SELECT id AS "id:bud", team_id AS "team_id:tem", name, per, limit_micro, warn_percent, created_at AS "created_at:time", removed_at AS "removed_at:time"
		FROM budgets WHERE account_id = $1 ORDER BY id`},
	{"budget_periods", "What was spent of a budget on a day, in a month or by a campaign.", `
		SELECT budget_id AS "budget_id:bud", CASE WHEN b.per = 'campaign' THEN '' ELSE p.period END AS period,
			CASE WHEN b.per = 'campaign' THEN CAST(p.period AS BIGINT) ELSE 0 END AS "campaign_id:cmp", p.spent_micro, p.warned_at AS "warned_at:time"
		FROM budgets b JOIN budget_periods p ON p.budget_id = b.id WHERE b.account_id = $1 ORDER BY b.id, p.period`},
	{"audit", "Who did what. hash is the hex SHA-256 of the JSON array [hash of the entry before or empty, account_id, seq, at, action, actor, actor_id, subject, subject_id, facts, commitment], without spaces, its numbers as numbers and <, > and & in its texts as \\u003c, \\u003e and \\u0026; commitment is that of salt and detail. Where salt is empty the detail was erased.", `
		SELECT account_id AS "account_id:digits", seq, at AS "at:digits", action, actor, actor_id AS "actor_id:digits", subject, subject_id AS "subject_id:digits",
			facts, detail, salt, commitment, hash
		FROM audit_entries WHERE account_id = $1 ORDER BY seq`},
}
