package api

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/varsel/varsel/contacts"
)

const (
	importsPath = contactsPath + "/imports"
	csvType     = "text/csv"

	// importLimit lets a list of the largest size come through with a few bytes
	// to spare, so that the address book refuses a larger one in its own words.
	importLimit = contacts.MaxImportBytes + 1<<10

	// importPatience is for the longest list on a slow disk.
	importPatience = 4 * time.Minute
)

type importContacts struct {
	DryRun  bool     `query:"dry_run" doc:"Say what would become of every row, and write nothing."`
	SHA256  string   `query:"sha256" doc:"Of the list that was looked at: another one is refused (409)."`
	Columns []string `query:"columns" doc:"What headings mean that are not known: heading=field, separated by commas. Fields are name, first_name, last_name, mobile, phone, department, job_title, office, email, language and groups."`
	RawBody []byte   `contentType:"text/csv"`
}

type importReport struct {
	DryRun    bool           `json:"dry_run"`
	SHA256    string         `json:"sha256" doc:"Of the list."`
	Columns   []importColumn `json:"columns"`
	NewGroups []string       `json:"new_groups" doc:"Groups that the list names and that are made."`
	Counts    importCounts   `json:"counts"`
	Rows      []importRow    `json:"rows"`
}

type importColumn struct {
	Heading string `json:"heading"`
	Field   string `json:"field,omitempty" doc:"Missing when the column is passed over."`
}

type importCounts struct {
	Add       int `json:"add"`
	Update    int `json:"update"`
	Unchanged int `json:"unchanged"`
	Synced    int `json:"synced"`
	Duplicate int `json:"duplicate"`
	Refused   int `json:"refused"`
}

type importRow struct {
	Row       int      `json:"row" doc:"As a spreadsheet counts: the headings are row 1."`
	Result    string   `json:"result" enum:"add,update,unchanged,synced,duplicate,refused" doc:"synced: a directory's contact has that number; it is not changed, and only joins the groups. duplicate: an earlier row has that number; only the groups are taken."`
	Reason    string   `json:"reason,omitempty" doc:"Why it is refused: a reason why there is no number, invalid_ and a field, or bad_quotes."`
	Detail    string   `json:"detail,omitempty" doc:"The same as a sentence."`
	Name      string   `json:"name,omitempty"`
	Phone     string   `json:"phone,omitempty" doc:"E.164."`
	Groups    []string `json:"groups,omitempty"`
	NotFilled []string `json:"groups_not_filled,omitempty" doc:"Groups that a directory or a rule fills, and no list."`
	SameAsRow int      `json:"same_as_row,omitempty"`
}

func (s Services) importContacts(ctx context.Context, in *importContacts) (*answer[importReport], error) {
	acc, err := s.Accounts.ByID(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	o := contacts.ImportOptions{Region: acc.Region}
	if o.Columns, err = columnsOf(in.Columns); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), importPatience)
	defer cancel()
	var r contacts.ImportReport
	if in.DryRun {
		r, err = s.Book.PreviewImport(ctx, acc.ID, bytes.NewReader(in.RawBody), o)
	} else {
		r, err = s.Book.Import(ctx, acc.ID, bytes.NewReader(in.RawBody), o, strings.ToLower(in.SHA256))
	}
	if err != nil {
		return nil, err
	}
	out := importReportOf(r)
	out.DryRun = in.DryRun
	return &answer[importReport]{Body: out}, nil
}

func columnsOf(said []string) (map[string]string, error) {
	all := map[string]string{}
	for _, one := range said {
		heading, field, ok := strings.Cut(one, "=")
		if !ok {
			return nil, invalidQuery("columns", "a column is explained as heading=field")
		}
		all[heading] = field
	}
	return all, nil
}

func importReportOf(r contacts.ImportReport) importReport {
	out := importReport{SHA256: r.SHA256, Columns: []importColumn{}, NewGroups: append([]string{}, r.NewGroups...), Rows: []importRow{}}
	for _, c := range r.Columns {
		out.Columns = append(out.Columns, importColumn{c.Header, c.Field})
	}
	n := r.Counts
	out.Counts = importCounts{n[contacts.RowAdded], n[contacts.RowUpdated], n[contacts.RowUnchanged], n[contacts.RowSynced],
		n[contacts.RowDuplicate], n[contacts.RowRefused]}
	for _, row := range r.Rows {
		out.Rows = append(out.Rows, importRow{Row: row.Row, Result: row.Action, Reason: row.Reason, Detail: row.Text, Name: row.Name,
			Phone: row.Phone, Groups: row.Groups, NotFilled: row.NotFilled, SameAsRow: row.FirstRow})
	}
	return out
}
