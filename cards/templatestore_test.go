package cards_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/qr"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

const acme, other = 1, 2

// drawer is a database with two accounts, whose templates are kept.
type drawer struct {
	*testing.T
	*cards.Cards
	db *db.DB
}

func eachDrawer(t *testing.T, test func(d drawer)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for id, handle := range map[int64]string{acme: "acme", other: "other"} {
			if _, err := d.ExecContext(t.Context(), `
				INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at)
				VALUES ($1, $2, $2, 'NO', '', 'EUR', 'active', 0)`, id, handle); err != nil {
				t.Fatal(err)
			}
		}
		test(drawer{t, cards.New(d), d})
	})
}

func (d drawer) saved(id int64, name string, b cards.Body) cards.Template {
	d.Helper()
	t, err := d.SaveTemplate(d.Context(), acme, id, name, b)
	if err != nil {
		d.Fatal(err)
	}
	return t
}

func (d drawer) group(tenant, name string) int64 {
	d.Helper()
	id, err := d.db.NewIDs(d.Context(), 1)
	if err == nil {
		_, err = d.db.ExecContext(d.Context(), `INSERT INTO card_groups (id, account_id, tenant_id, place, name, created_at) VALUES ($1, $2, $3, $4, $4, 0)`,
			id, acme, tenant, name)
	}
	if err != nil {
		d.Fatal(err)
	}
	return id
}

// shows is which version of which template each group shows.
func (d drawer) shows() map[int64][2]int64 {
	d.Helper()
	rows, err := d.db.QueryContext(d.Context(), `SELECT id, template_id, template_version FROM card_groups`)
	if err != nil {
		d.Fatal(err)
	}
	defer rows.Close()
	all := map[int64][2]int64{}
	for rows.Next() {
		var id int64
		var shown [2]int64
		if err := rows.Scan(&id, &shown[0], &shown[1]); err != nil {
			d.Fatal(err)
		}
		all[id] = shown
	}
	return all
}

func TestAVersionOfATemplateNeverChanges(t *testing.T) { // Q51
	eachDrawer(t, func(d drawer) {
		first := d.saved(0, "  House   style ", cards.Usual())
		if first.Version != 1 || first.Name != "House style" {
			t.Fatalf("the first is %+v", first)
		}
		if again := d.saved(first.ID, "House style", cards.Usual()); again.Version != 1 {
			t.Errorf("what is as it was made version %d", again.Version)
		}
		if named := d.saved(first.ID, "Blue", cards.Usual()); named.Version != 1 || named.Name != "Blue" {
			t.Errorf("a new name alone made %q, version %d", named.Name, named.Version)
		}
		changed := cards.Usual()
		changed.Looks.Primary = "#7a1f5c"
		if second := d.saved(first.ID, "Blue", changed); second.Version != 2 {
			t.Errorf("a change made version %d", second.Version)
		}
		was, err := d.TemplateVersion(t.Context(), acme, first.ID, 1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.Body, was.Body); diff != "" {
			t.Errorf("the first version is another now (-was +is):\n%s", diff)
		}
		versions, err := d.TemplateVersions(t.Context(), acme, first.ID)
		if err != nil || len(versions) != 2 || versions[0].Version != 2 || versions[1].Version != 1 {
			t.Errorf("the versions are %+v, %v", versions, err)
		}
		if _, err := d.Template(t.Context(), other, first.ID); !problem.Has(err, "card_template_not_found") {
			t.Errorf("another account finds it: %v", err)
		}
	})
}

func TestTwoWhoSaveAtOnceDoNotOverwriteEachOther(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		first := d.saved(0, "A", cards.Usual())
		errs := make([]error, 4)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				b := cards.Usual()
				b.Code.Caption = strings.Repeat("x", i+1)
				_, errs[i] = d.SaveTemplateOver(t.Context(), acme, first.ID, 1, "A", b)
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !problem.Has(err, "card_template_changed") {
				t.Error(err)
			}
		}
		last, err := d.Template(t.Context(), acme, first.ID)
		if won != 1 || err != nil || last.Version != 2 {
			t.Errorf("%d of %d saved version %d, %v", won, len(errs), last.Version, err)
		}
	})
}

func TestWhatATemplateCannotBeIsRefusedByItsPlace(t *testing.T) { // Q29 Q32 Q34 Q37 Q38
	for name, c := range map[string]struct {
		change      func(b *cards.Body)
		code, field string
		says        string
	}{
		"no sections":        {func(b *cards.Body) { b.Sections = nil }, "invalid_sections", "sections", ""},
		"no name":            {func(b *cards.Body) { b.Sections[0].Fields[0].Kind = cards.Text }, "card_full_name", "sections", ""},
		"hidden name":        {func(b *cards.Body) { b.Sections[0].Fields[0].Hidden = true }, "card_full_name", "sections", ""},
		"two names":          {func(b *cards.Body) { b.Sections[0].Fields[1].Kind = cards.FullName }, "card_full_name", "sections", ""},
		"same id":            {func(b *cards.Body) { b.Sections[1].Fields[0].ID = "full_name" }, "card_field_twice", "sections[1].fields[0].id", ""},
		"bad id":             {func(b *cards.Body) { b.Sections[1].Fields[0].ID = "Ø" }, "invalid_id", "sections[1].fields[0].id", ""},
		"unknown kind":       {func(b *cards.Body) { b.Sections[0].Fields[1].Kind = "shoe" }, "invalid_kind", "sections[0].fields[1].kind", ""},
		"unknown property":   {func(b *cards.Body) { b.Sections[0].Fields[1].From = "password" }, "invalid_from", "sections[0].fields[1].from", ""},
		"sync of nothing":    {func(b *cards.Body) { b.Sections[0].Fields[1].From = "" }, "invalid_sync", "sections[0].fields[1].sync", ""},
		"never of something": {func(b *cards.Body) { b.Sections[0].Fields[1].Sync = cards.Never }, "invalid_sync", "sections[0].fields[1].sync", ""},
		"unknown sync":       {func(b *cards.Body) { b.Sections[0].Fields[1].Sync = "weekly" }, "invalid_sync", "sections[0].fields[1].sync", ""},
		"script for a site":  {func(b *cards.Body) { b.Sections[1].Fields[3].Default = "javascript:alert(1)" }, "invalid_website", "sections[1].fields[3].default", ""},
		"no address":         {func(b *cards.Body) { b.Sections[1].Fields[2].Default = "kari" }, "invalid_email", "sections[1].fields[2].default", ""},
		"no number":          {func(b *cards.Body) { b.Sections[1].Fields[0].Default = "ask" }, "invalid_mobile", "sections[1].fields[0].default", ""},
		"unknown layout":     {func(b *cards.Body) { b.Looks.Layout = "spiral" }, "invalid_layout", "looks.layout", ""},
		"unknown font":       {func(b *cards.Body) { b.Looks.Font = "comic" }, "invalid_font", "looks.font", ""},
		"no colour":          {func(b *cards.Body) { b.Looks.Ink = "red" }, "invalid_colour", "looks.ink", ""},
		"pale text":          {func(b *cards.Body) { b.Looks.Ink = "#777777" }, "card_contrast", "looks.ink", "4.47:1"},
		"pale brand":         {func(b *cards.Body) { b.Looks.Primary = "#ff0000" }, "card_contrast", "looks.primary", "3.99:1"},
		"dark ground":        {func(b *cards.Body) { b.Looks.Background = "#202020" }, "card_contrast", "looks.ink", ""},
		"pale code":          {func(b *cards.Body) { b.Code.Foreground = "#cccccc" }, "qr_contrast", "code", ""},
		"inverted code":      {func(b *cards.Body) { b.Code.Foreground, b.Code.Background = "#ffffff", "#000000" }, "qr_inverted", "code", ""},
		"unknown modules":    {func(b *cards.Body) { b.Code.Modules = "star" }, "invalid_modules", "code.modules", ""},
		"logo of nothing":    {func(b *cards.Body) { b.Code.Logo = true }, "invalid_logo", "code.logo", ""},
		"unknown button":     {func(b *cards.Body) { b.Settings.Buttons = []cards.Button{"fax"} }, "invalid_buttons", "settings.buttons", ""},
		"button twice":       {func(b *cards.Body) { b.Settings.Buttons = []cards.Button{cards.Save, cards.Save} }, "invalid_buttons", "settings.buttons", ""},
		"unknown language":   {func(b *cards.Body) { b.Settings.Language = "xx" }, "invalid_language", "settings.language", ""},
	} {
		b := cards.Usual()
		c.change(&b)
		_, err := b.Checked()
		p := problem.As(err)
		if p == nil || p.Code != c.code || p.Field != c.field || !strings.Contains(p.Text, c.says) {
			t.Errorf("%s: %#v, want %s at %s", name, err, c.code, c.field)
		}
	}
	if _, err := cards.Usual().Checked(); err != nil {
		t.Errorf("the usual template is refused: %v", err)
	}
}

func picture(width, height int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.NRGBA{uint8(x), uint8(y), 0x55, 0xff})
		}
	}
	return m
}

func asPNG(t *testing.T, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, picture(width, height)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestALogoThatNoDesignShowsGoesAfterADay(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		add := func(width int) int64 {
			i, err := d.AddImage(d.Context(), acme, asPNG(d.T, width, 9))
			d.equal(nil, err)
			return i.ID
		}
		used, unused := add(10), add(11)
		b := cards.Usual()
		b.Looks.Logo = used
		first := d.saved(0, "House", b)
		b.Looks.Logo = 0
		d.saved(first.ID, "House", b)                                                    // a version of before is still there to go back to
		_, err := d.db.ExecContext(d.Context(), `UPDATE card_images SET created_at = 1`) // long ago
		d.equal(nil, err)
		d.equal(unused, add(11)) // but one was uploaded anew
		for _, after := range []time.Duration{-time.Minute, time.Minute} {
			_, err := d.Image(d.Context(), acme, unused)
			d.equal(nil, err)
			d.equal(nil, d.Tidy(d.Context(), time.Now().Add(24*time.Hour+after)))
		}
		_, err = d.Image(d.Context(), acme, used)
		d.equal(nil, err)
		_, err = d.Image(d.Context(), acme, unused)
		d.refused("card_image_not_found", err)
		b.Looks.Logo = unused
		_, err = d.SaveTemplate(d.Context(), acme, first.ID, "House", b)
		d.refused("card_image_not_found", err)
	})
}

func TestAnAccountHasTwoHundredLogos(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		kept, err := d.AddImage(d.Context(), acme, asPNG(d.T, 10, 9))
		d.equal(nil, err)
		_, err = d.db.ExecContext(d.Context(), `
			INSERT INTO card_images (id, account_id, media_type, content, created_at)
			SELECT CAST(key AS BIGINT), $1, 'image/png', 'x', 1 FROM json_each($2)`, acme, numbered(199))
		d.equal(nil, err)
		_, err = d.AddImage(d.Context(), acme, asPNG(d.T, 11, 9))
		d.refused("too_many_card_images", err)
		again, err := d.AddImage(d.Context(), acme, asPNG(d.T, 10, 9))
		d.equal([]any{nil, kept.ID}, []any{err, again.ID})
		_, err = d.AddImage(d.Context(), other, asPNG(d.T, 11, 9))
		d.equal(nil, err)
	})
}

// numbered is a JSON object with the keys from 1 to n.
func numbered(n int) string {
	keys := map[string]int{}
	for i := range n {
		keys[strconv.Itoa(i+1)] = 0
	}
	text, _ := json.Marshal(keys)
	return string(text)
}

func TestALogoIsMadeAnewAndKeptOnce(t *testing.T) { // Q37
	eachDrawer(t, func(d drawer) {
		upload := append(asPNG(t, 800, 200), "and where it was taken"...)
		kept, err := d.AddImage(t.Context(), acme, upload)
		if err != nil {
			t.Fatal(err)
		}
		again, err := d.AddImage(t.Context(), acme, upload)
		if err != nil || again.ID != kept.ID {
			t.Errorf("the same picture is kept twice: %d, %d, %v", kept.ID, again.ID, err)
		}
		found, err := d.Image(t.Context(), acme, kept.ID)
		if err != nil {
			t.Fatal(err)
		}
		size, format, err := image.DecodeConfig(bytes.NewReader(found.Content))
		if err != nil || format != "png" || size.Width != 512 || size.Height != 128 || bytes.Contains(found.Content, []byte("taken")) {
			t.Errorf("kept is a %s of %dx%d, %v", format, size.Width, size.Height, err)
		}
		if _, err := d.Image(t.Context(), other, kept.ID); !problem.Has(err, "card_image_not_found") {
			t.Errorf("another account sees it: %v", err)
		}
		var photo bytes.Buffer
		if err := jpeg.Encode(&photo, picture(20, 20), nil); err != nil {
			t.Fatal(err)
		}
		if i, err := d.AddImage(t.Context(), acme, photo.Bytes()); err != nil || i.MediaType != "image/jpeg" {
			t.Errorf("a JPEG is kept as %s, %v", i.MediaType, err)
		}
		for name, bad := range map[string][]byte{"text": []byte("<svg>"), "cut": upload[:200], "wide": asPNG(t, 2049, 1), "large": make([]byte, cards.MaxImageBytes+1)} {
			if _, err := d.AddImage(t.Context(), acme, bad); !problem.Has(err, "invalid_image") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestAStyleThatCannotBeReadIsNotSaved(t *testing.T) { // Q38
	eachDrawer(t, func(d drawer) {
		logo, err := d.AddImage(t.Context(), acme, asPNG(t, 64, 64))
		if err != nil {
			t.Fatal(err)
		}
		b := cards.Usual()
		b.Looks.Logo, b.Code.Logo, b.Code.Level = logo.ID, true, qr.L
		if _, err := d.SaveTemplate(t.Context(), acme, 0, "A", b); !problem.Has(err, "qr_logo_too_large") || problem.As(err).Field != "code" {
			t.Errorf("a logo without room: %v", err)
		}
		b.Code.Level = qr.H
		d.saved(0, "A", b)
		if _, err := d.SaveTemplate(t.Context(), other, 0, "A", b); !problem.Has(err, "card_image_not_found") {
			t.Errorf("the logo of another account: %v", err)
		}
		look, err := d.Look(t.Context(), acme, b)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := d.Look(t.Context(), acme, b); err != nil || again != look {
			t.Errorf("the look is made twice, %v", err)
		}
		b.Code.Caption = "Scan me"
		if another, err := d.Look(t.Context(), acme, b); err != nil || another == look {
			t.Errorf("another style has the same look, %v", err)
		}
	})
}

func TestATemplateIsAppliedToThoseThatWereChosen(t *testing.T) { // Q26 Q27 Q45 Q52
	eachDrawer(t, func(d drawer) {
		sales, office := d.group("t1", "Sales"), d.group("t1", "Office")
		if _, err := d.db.ExecContext(t.Context(), `INSERT INTO card_groupings (account_id, tenant_id, method, fields, filters, saved_at) VALUES ($1, 't1', 'fields', '[]', '[]', 0)`, acme); err != nil {
			t.Fatal(err)
		}
		blue, red := d.saved(0, "Blue", cards.Usual()), d.saved(0, "Red", cards.Usual())
		steps := []struct {
			template cards.Template
			to       []int64
			want     map[int64][2]int64
		}{
			{blue, []int64{}, map[int64][2]int64{sales: {}, office: {}}},
			{blue, nil, map[int64][2]int64{sales: {blue.ID, 1}, office: {blue.ID, 1}}},
			{red, []int64{sales}, map[int64][2]int64{sales: {red.ID, 1}, office: {blue.ID, 1}}},
		}
		for i, s := range steps {
			if err := d.Apply(t.Context(), acme, s.template.ID, s.to); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.want, d.shows()); diff != "" {
				t.Errorf("step %d (-want +got):\n%s", i, diff)
			}
		}
		b := cards.Usual()
		b.Looks.Layout = cards.Side
		d.saved(blue.ID, "Blue", b)
		if diff := cmp.Diff(steps[2].want, d.shows()); diff != "" {
			t.Errorf("saving alone changed what groups show (-want +got):\n%s", diff)
		}
		if err := d.Apply(t.Context(), acme, red.ID, []int64{sales, 99}); !problem.Has(err, "card_group_not_found") {
			t.Errorf("a group that there is not: %v", err)
		}
		if err := d.Apply(t.Context(), other, red.ID, nil); !problem.Has(err, "card_template_not_found") {
			t.Errorf("the template of another account: %v", err)
		}
		for _, used := range []cards.Template{blue, red} { // blue is for the groups to come, too
			if err := d.RemoveTemplate(t.Context(), acme, used.ID); !problem.Has(err, "card_template_in_use") {
				t.Errorf("%s is removed: %v", used.Name, err)
			}
		}
		if err := d.Apply(t.Context(), acme, blue.ID, nil); err != nil {
			t.Fatal(err)
		}
		if err := d.RemoveTemplate(t.Context(), acme, red.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := d.SaveTemplate(t.Context(), acme, 0, "Blue", cards.Usual()); !problem.Has(err, "card_template_exists") {
			t.Errorf("a second one of the same name: %v", err)
		}
		d.saved(0, "Red", cards.Usual())
	})
}
