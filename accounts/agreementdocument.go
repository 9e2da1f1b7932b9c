package accounts

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/pdf"
)

// Processing is what the annexes say about an account from the configuration that is
// in force.
type Processing struct {
	Directory             []string // properties that are read of a directory's people
	Connected             bool     // a directory is
	PublicTLS             bool     // people reach the service by https
	Carriers, CarriersTLS int      // that are enabled, and how many of them over TLS
	Kept                  []string // how long each class of data is kept, in the document's language
}

// Describe says where the annexes take the configuration from. It is to be called
// before anything is offered.
func (a *Accounts) Describe(how func(ctx context.Context, account int64, language string) (Processing, error)) {
	a.describe = how
}

// Document is all that is shown to who signs: the text of a version, and annexes I
// to IV with the parties.
type Document struct {
	Version    string
	Language   string
	Languages  []string // of the version
	TextSHA256 string   // of the version's text
	Text       string   // with the annexes
	SHA256     string   // of Text
	Statements Statements

	terms   Terms
	parties parties
}

// Statements are the sentences that who signs ticks, in the document's language.
type Statements struct{ Authority, Agree string }

var statements = map[string]Statements{
	"en": {"I am authorised to sign this agreement for the controller.", "I have read the agreement with its annexes and conclude it."},
	"nb": {"Jeg har fullmakt til å signere avtalen for den behandlingsansvarlige.", "Jeg har lest avtalen med vedlegg og inngår den."},
	"pl": {"Mam umocowanie do podpisania tej umowy w imieniu administratora.", "Zapoznałem się (zapoznałam się) z umową i załącznikami i zawieram ją."},
}

type parties struct {
	Controller Party     `json:"controller"`
	Processor  Processor `json:"processor"`
}

// document is what is offered to the account now.
func (a *Accounts) document(ctx context.Context, account int64, language string) (Document, error) {
	v, err := a.offeredVersion(ctx)
	if err != nil {
		return Document{}, err
	}
	return a.documentOf(ctx, account, v, v.language(language))
}

func (a *Accounts) documentOf(ctx context.Context, account int64, v AgreementVersion, language string) (d Document, err error) {
	d = Document{Version: v.Name, Language: language, Languages: v.Languages(), TextSHA256: sha256Of(v.Texts[language]),
		Statements: statements[language], terms: v.Terms}
	facts := struct {
		parties
		Account       Account
		Processing    Processing
		SubProcessors []SubProcessor
		Terms         Terms
		SQLite        bool
	}{Terms: v.Terms, SQLite: a.db.Dialect() == db.SQLite}
	if facts.Account, err = a.ByID(ctx, account); err != nil {
		return d, err
	}
	if facts.Controller, err = a.Controller(ctx, account); err != nil {
		return d, err
	}
	if facts.Processor, err = a.Processor(ctx); err != nil {
		return d, err
	}
	if facts.SubProcessors, err = a.SubProcessors(ctx); err != nil {
		return d, err
	}
	if a.describe != nil {
		if facts.Processing, err = a.describe(ctx, account, language); err != nil {
			return d, err
		}
	}
	annexes, err := write("annexes."+language+".txt", facts)
	if err != nil {
		return d, err
	}
	d.parties = facts.parties
	d.Text = strings.TrimRight(v.Texts[language], "\n") + "\n\n" + annexes
	d.SHA256 = sha256Of(d.Text)
	return d, nil
}

// sheets are the annexes and the page of signatures, each of which has its parts to
// itself.
var sheets = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, l := range AgreementLanguages {
		for _, name := range []string{"annexes." + l + ".txt", "signatures." + l + ".txt"} {
			all[name] = template.Must(template.New(name).Funcs(template.FuncMap{"cell": cell, "join": joinWords}).ParseFS(agreementFiles, "agreements/"+name))
		}
	}
	return all
}()

func write(sheet string, data any) (string, error) {
	var out bytes.Buffer
	err := sheets[sheet].Execute(&out, data)
	return strings.TrimRight(out.String(), "\n") + "\n", err
}

// cell is a text that cannot end the cell of a table.
func cell(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "|", "/")), " ")
}

func joinWords(words []string) string { return strings.Join(words, ", ") }

// Kinds of blocks.
const (
	BlockTitle     = "title"
	BlockHeading   = "heading"
	BlockParagraph = "paragraph"
	BlockFields    = "fields" // rows of a name and a value
	BlockTable     = "table"  // the first of Rows are the headings
	BlockCode      = "code"
)

// Block is a piece of an agreement as it is laid out.
type Block struct {
	Kind string
	Text string
	Rows [][]string
}

// Blocks lays an agreement's text out. A line beginning with # is a title, with ## a
// heading, with | a row of a table, with four spaces a checksum; others are
// paragraphs that end at an empty line.
func Blocks(text string) (all []Block) {
	var open *Block
	add := func(b Block) *Block {
		all = append(all, b)
		return &all[len(all)-1]
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case line == "":
			open = nil
		case strings.HasPrefix(line, "## "):
			add(Block{Kind: BlockHeading, Text: line[3:]})
			open = nil
		case strings.HasPrefix(line, "# "):
			add(Block{Kind: BlockTitle, Text: line[2:]})
			open = nil
		case strings.HasPrefix(line, "    "):
			add(Block{Kind: BlockCode, Text: line[4:]})
			open = nil
		case strings.HasPrefix(line, "|"):
			if open == nil || open.Kind == BlockParagraph {
				open = add(Block{Kind: BlockFields})
			}
			open.row(line)
		case open != nil && open.Kind == BlockParagraph:
			open.Text += " " + line
		default:
			open = add(Block{Kind: BlockParagraph, Text: line})
		}
	}
	return all
}

func (b *Block) row(line string) {
	var cells []string
	for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
		cells = append(cells, strings.TrimSpace(cell))
	}
	if len(b.Rows) == 1 && strings.Trim(strings.Join(cells, ""), "-") == "" {
		b.Kind = BlockTable
		return
	}
	if len(b.Rows) > 0 { // as many cells as the first row has
		wide := len(b.Rows[0])
		cells = append(cells, slices.Repeat([]string{""}, max(0, wide-len(cells)))...)[:wide]
	}
	b.Rows = append(b.Rows, cells)
}

// signedPDF is the document with its signatures.
func signedPDF(d Document, ag Agreement) ([]byte, error) {
	signatures, err := write("signatures."+d.Language+".txt", struct {
		Agreement Agreement
		At        string
	}{ag, ag.Concluded.UTC().Format(time.RFC3339)})
	if err != nil {
		return nil, err
	}
	blocks := Blocks(d.Text + "\n" + signatures)
	out := pdf.New(blocks[0].Text+" "+d.Version, d.Language, ag.Concluded)
	for _, b := range blocks {
		b.print(out)
	}
	return out.Bytes()
}

func (b Block) print(out *pdf.Document) {
	switch b.Kind {
	case BlockTitle:
		out.Heading(1, b.Text)
	case BlockHeading:
		out.Heading(3, b.Text)
	case BlockParagraph:
		out.Paragraph(b.Text)
	case BlockCode:
		out.Code(b.Text)
	case BlockTable:
		out.Table(b.Rows[0], slices.Repeat([]float64{1}, len(b.Rows[0])), b.Rows[1:])
	case BlockFields:
		var pairs [][2]string
		for _, row := range b.Rows {
			pairs = append(pairs, [2]string{row[0], strings.Join(row[1:], " ")})
		}
		out.Fields(pairs...)
	}
}
