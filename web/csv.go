package web

import (
	"bytes"
	"encoding/csv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// sheet is a list that is downloaded to be opened in a spreadsheet: it begins
// with the mark by which Excel knows UTF-8, and is separated as Excel expects
// where a comma stands before decimals.
type sheet struct {
	text  bytes.Buffer
	lines *csv.Writer
}

func newCSV(say *tongue, headings ...string) *sheet {
	s := &sheet{}
	s.text.WriteString("\ufeff")
	s.lines = csv.NewWriter(&s.text)
	s.lines.UseCRLF = true
	if say.comma == "," {
		s.lines.Comma = ';'
	}
	s.lines.Write(headings)
	return s
}

func (s *sheet) row(cells ...string) error {
	for i := range cells {
		cells[i] = inert(cells[i])
	}
	return s.lines.Write(cells)
}

func (s *sheet) send(c *fiber.Ctx, name string) error {
	s.lines.Flush()
	if err := s.lines.Error(); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	return c.Send(s.text.Bytes())
}

// inert is a cell that a spreadsheet shows and does not work out. Names and
// remarks come from people, and one that begins with = + - @, a tab or a line
// end may be a formula that sends the sheet away. An apostrophe makes it text.
// A + with nothing but digits and spaces stays as it is: worked out it is that
// very number, and with an apostrophe it could not be copied into a phone or
// sent back to us. What programs read, the API and the export of the command
// line, is left alone.
func inert(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return cell
	}
	if cell[0] == '+' && strings.Trim(cell[1:], "0123456789 ") == "" {
		return cell
	}
	return "'" + cell
}
