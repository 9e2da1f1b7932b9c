package web

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
)

// The notices as a feed (Atom, RFC 4287).
type (
	atomFeed struct {
		XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Language string      `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
		ID       string      `xml:"id"`
		Title    string      `xml:"title"`
		Updated  string      `xml:"updated"`
		Author   string      `xml:"author>name"`
		Links    []atomLink  `xml:"link"`
		Entries  []atomEntry `xml:"entry"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
		Href string `xml:"href,attr"`
	}
	atomEntry struct {
		ID        string   `xml:"id"`
		Title     string   `xml:"title"`
		Published string   `xml:"published"`
		Updated   string   `xml:"updated"`
		Link      atomLink `xml:"link"`
		Content   string   `xml:"content"`
	}
)

// publicFeed tells everybody.
func (w *site) publicFeed(c *fiber.Ctx, v visit) error {
	return w.feed(c, v, subProcessorsPath+"/feed.atom", subProcessorsPath)
}

// accountFeed tells the same to one account, whose address it is, and keeps that it
// was fetched. Who has the address learns nothing that is not public.
func (w *site) accountFeed(c *fiber.Ctx, v visit) error {
	account, err := w.Names.ID(secrets.Feed, c.Params("token"))
	if err != nil {
		return err
	}
	if _, err := w.Accounts.ByID(v.ctx, account); err != nil {
		return err
	}
	if err := w.feed(c, v, subProcessorsPath+"/feed/"+c.Params("token"), AccountSubProcessorsPath); err != nil {
		return err
	}
	return w.Accounts.Noticed(v.ctx, account, accounts.NoticeFetched, 0)
}

func (w *site) feed(c *fiber.Ctx, v visit, self, page string) error {
	notices, err := w.Accounts.SubProcessorNotices(v.ctx)
	if err != nil {
		return err
	}
	say := v.say
	for _, one := range tongues {
		if one.Code == c.Query("language") {
			say = one
		}
	}
	html := atomLink{"alternate", "text/html", w.absolute(c, page)}
	f := atomFeed{Language: say.Code, ID: uuid(w.Names.Of(secrets.Feed, 0)), Title: say.text("sub_title"), Author: say.text("product"), Updated: atomTime(time.Unix(0, 0)),
		Links: []atomLink{{"self", "application/atom+xml", w.absolute(c, self+"?language="+say.Code)}, html}}
	for i, n := range notices {
		if i == 0 {
			f.Updated = atomTime(n.Announced)
		}
		f.Entries = append(f.Entries, atomEntry{ID: uuid(w.Names.Of(secrets.Notice, n.ID)), Title: say.notice(n).Text,
			Published: atomTime(n.Announced), Updated: atomTime(n.Announced), Link: html, Content: say.noticeContent(n)})
	}
	text, err := xml.MarshalIndent(f, "", " ")
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/atom+xml; charset=utf-8")
	return c.SendString(xml.Header + string(text) + "\n")
}

func atomTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// uuid is a name as a UUID of our own making (RFC 9562 5.8). Ids of a feed are the
// same wherever it is served (RFC 4287 4.2.6).
func uuid(name string) string {
	b := sha256.Sum256([]byte(name))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// noticeContent is all that a notice says, as plain text.
func (say *tongue) noticeContent(n accounts.SubProcessorNotice) string {
	p := n.SubProcessor
	text := say.text("sub_effective") + ": " + say.plainDay(n.Effective) + "\n"
	for _, f := range []struct{ label, value string }{{say.text("column_name"), p.Name}, {say.text("sub_address"), p.Address},
		{say.text("sub_contact"), p.Contact}, {say.text("sub_service"), p.Service}, {say.text("sub_data"), p.Data},
		{say.text("sub_country"), p.Country}, {say.text("sub_transfer"), p.Transfer}, {say.text("sub_reason"), n.Reason}} {
		if f.value != "" {
			text += f.label + ": " + f.value + "\n"
		}
	}
	return text
}
