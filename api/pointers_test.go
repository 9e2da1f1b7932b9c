package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/varsel/varsel/cards"
)

// found is what a JSON pointer names in a body (RFC 6901 4).
func found(t *testing.T, body, pointer string) (any, bool) {
	t.Helper()
	var at any
	must(t, json.Unmarshal([]byte(body), &at))
	steps := strings.Split(pointer, "/")
	if steps[0] != "" {
		return nil, false
	}
	for _, step := range steps[1:] {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch inner := at.(type) {
		case map[string]any:
			next, there := inner[step]
			if !there {
				return nil, false
			}
			at = next
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(inner) {
				return nil, false
			}
			at = inner[n]
		default:
			return nil, false
		}
	}
	return at, true
}

// A refusal points at a field of the body that was sent, whatever the rooms call it.
func TestARefusalPointsIntoTheBody(t *testing.T) {
	h := openHouse(t)
	operator := bearer(h.operatorKey(t))
	const at = installationPath
	same(t, h.ask(t, "POST", at+"/seller", sellerBody, operator...).status, 200)
	same(t, h.ask(t, "POST", at+"/accounts/acme/billing", profileBody, operator...).status, 200)
	same(t, h.ask(t, "POST", at+"/price-lists", `{"name": "kunde", "currency": "EUR"}`, operator...).status, 201)
	card := cardsPath + "/" + h.editableCard(t)
	const design = `{"sections":[{"fields":[{"id":"name","kind":"full_name","from":"displayName","sync":"%s"}]}],"looks":{"primary":"%s"},"code":{"foreground":"%s"},"settings":{}}`
	swap := func(body, old, new string) string { return strings.Replace(body, old, new, 1) }
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", cardTemplatesPath + "/preview", fmt.Sprintf(design, "sometimes", "#1f4e79", "#000000"), "/sections/0/fields/0/sync"},
		{"POST", cardTemplatesPath + "/preview", fmt.Sprintf(design, "always", "#ff0000", "#000000"), "/looks/primary"},
		{"POST", cardTemplatesPath + "/preview", fmt.Sprintf(design, "always", "#1f4e79", "#ffffff"), "/code"},
		{"POST", cardTemplatesPath, `{"name":"A","design":` + fmt.Sprintf(design, "sometimes", "#1f4e79", "#000000") + `}`, "/design/sections/0/fields/0/sync"},
		{"POST", cardTemplatesPath, `{"name":" ","design":` + fmt.Sprintf(design, "always", "#1f4e79", "#000000") + `}`, "/name"},
		{"PATCH", card, `{"fields":{"w":"javascript:x"}}`, "/fields/w"},
		{"PATCH", card, `{"fields":{"name":"Ola"}}`, "/fields/name"},
		{"PATCH", card, `{"fields":{"no/such":"x"}}`, "/fields/no~1such"},
		{"POST", cardImagesPath, `{"content":"PHN2Zz4="}`, "/content"},
		{"POST", at + "/seller", swap(sellerBody, `"country": "NO"`, `"country": "US"`), "/party/country"},
		{"POST", at + "/seller", swap(sellerBody, "Storgata 1", ""), "/party/street"},
		{"POST", at + "/seller", swap(sellerBody, "NO93 8601", "NO94 8601"), "/iban"},
		{"POST", at + "/accounts/acme/billing", swap(profileBody, `"Bergen"`, `""`), "/party/city"},
		{"POST", at + "/accounts/acme/billing", swap(profileBody, `"NOK"`, `"XXX"`), "/currency"},
		{"POST", at + "/accounts/acme/invoices", swap(draftBody, `"to": "2026-10-31"`, `"to": "2026-09-30"`), "/to"},
		{"POST", at + "/price-lists/kunde/versions", `{"prices": [{"country": "*", "lane": "*", "price": "1"}, {"country": "NO", "lane": "*", "price": "9999999"}]}`, "/prices/1/price"},
		{"POST", at + "/price-lists/kunde/versions", `{"prices": [{"country": "NO", "lane": "*", "price": "1"}]}`, "/prices"},
		{"POST", at + "/price-lists/kunde/versions", `{"csv": "country,lane,price\nNO,bulk,x\n*,*,1\n"}`, "/csv"},
		{"POST", at + "/price-lists/kunde/versions", `{"csv": "country,lane,price\nNO,bulk,1\n"}`, "/csv"},
		{"POST", at + "/plans", swap(basicPlan, `"directory_price": "0"`, `"directory_price": "9999999"`), "/directory_price"},
	} {
		headers := operator
		if !strings.HasPrefix(c.path, at) {
			headers = nil
		}
		got := h.ask(t, c.method, c.path, c.body, headers...)
		var p Problem
		must(t, json.Unmarshal(got.body, &p))
		if got.status < 400 || got.status >= 500 || len(p.Errors) != 1 || p.Errors[0].Pointer != c.want {
			t.Errorf("%s %s %s: %d %s; want one fault at %s", c.method, c.path, c.body, got.status, got.body, c.want)
			continue
		}
		if _, there := found(t, c.body, p.Errors[0].Pointer); !there {
			t.Errorf("%s names nothing in %s", p.Errors[0].Pointer, c.body)
		}
	}
}

// editableCard is a card whose field w, a website, may be edited.
func (h *house) editableCard(t *testing.T) (name string) {
	t.Helper()
	const tenant = "acme.example"
	design := cards.Body{Sections: []cards.Section{{Fields: []cards.Field{{ID: "name", Kind: cards.FullName, From: "displayName", Sync: cards.Always},
		{ID: "w", Kind: cards.Website, Sync: cards.Never, Editable: true}}}}}
	saved, err := h.Cards.SaveTemplate(t.Context(), h.account.ID, 0, "Editable", design)
	must(t, err)
	_, err = h.Cards.SaveGrouping(t.Context(), h.account.ID, cards.Grouping{Tenant: tenant, Method: cards.InOne}, "")
	must(t, err)
	must(t, h.Cards.Apply(t.Context(), h.account.ID, saved.ID, nil))
	_, err = h.Cards.Follow(t.Context(), h.account.ID, tenant, func(yield func(cards.Person, error) bool) {
		yield(cards.Person{DirectoryID: "p1", Contact: contactOf(t, h), Values: map[string]string{"displayName": "Kari"}}, nil)
	})
	must(t, err)
	return read[list[card]](t, h.ask(t, "GET", cardsPath, ""), 200).Items[0].ID
}

// An empty list is no wish for all: a client whose selection came out empty texts nobody.
func TestAnEmptySelectionIsRefused(t *testing.T) {
	h := openHouse(t)
	h.editableCard(t)
	template := read[list[cardTemplate]](t, h.ask(t, "GET", cardTemplatesPath, ""), 200).Items[0].ID
	for _, path := range []string{cardSharePath, cardSharePath + "/preview", cardTemplatesPath + "/" + template + "/apply", cardTemplatesPath + "/" + template + "/notify"} {
		refusedAt(t, h.ask(t, "POST", path, `{"groups":[]}`), "invalid_groups", "/groups")
	}
	refusedAt(t, h.ask(t, "POST", cardSharePath, `{"cards":[]}`), "invalid_cards", "/cards")
	if all := read[list[campaign]](t, h.ask(t, "GET", campaignsPath, ""), 200).Items; len(all) != 0 {
		t.Errorf("campaigns were started: %+v", all)
	}
	same(t, h.ask(t, "POST", cardTemplatesPath+"/"+template+"/apply", `{}`).status, 200)
}

// A logo may have 1 MiB, as which base 64 makes a third more.
func TestALogoOfTheLargestSizeIsTaken(t *testing.T) {
	h := openHouse(t)
	noise := image.NewNRGBA(image.Rect(0, 0, 580, 580)) // is not packed, so that the file is about as large
	for i := range 580 * 580 {
		noise.SetNRGBA(i%580, i/580, color.NRGBA{uint8(rand.Uint32()), uint8(rand.Uint32()), uint8(rand.Uint32()), 255})
	}
	var file bytes.Buffer
	must(t, png.Encode(&file, noise))
	if file.Len() < bodyLimit*3/4 || file.Len() > cards.MaxImageBytes {
		t.Fatalf("the picture has %d bytes", file.Len())
	}
	upload := func(n int) reply {
		content := append(file.Bytes(), make([]byte, n-file.Len())...)
		return h.ask(t, "POST", cardImagesPath, `{"content":"`+base64.StdEncoding.EncodeToString(content)+`"}`)
	}
	read[cardImage](t, upload(cards.MaxImageBytes), 201)
	refusedAt(t, upload(cards.MaxImageBytes+1), "invalid_image", "/content")
}

// What is no JSON is described as what it is: a client that is made from the document does
// not parse a PDF.
func TestFilesAreDescribedAsFiles(t *testing.T) {
	h := openHouse(t)
	s := h.spec(t)
	files := 0
	for path, operations := range s.Paths {
		for method, op := range operations {
			for code, response := range op.Responses {
				schema := response.Content["application/json"].Schema
				if code[0] == '2' && strings.Contains(string(schema), `"string"`) && !strings.Contains(string(schema), `"object"`) {
					t.Errorf("%s %s answers a file, and is described as JSON", method, path)
				}
				if code[0] == '2' && response.Content != nil && schema == nil {
					files++
				}
			}
		}
	}
	if files < 9 {
		t.Errorf("only %d operations answer a file", files)
	}
	for path, types := range map[string][]string{
		"/v1/invoices/{id}/files/{kind}": {"application/pdf", "application/xml", "text/csv"}, "/v1/usage/{format}": {"text/csv"},
		"/v1/invites/{id}/code/{form}": {"image/png", "image/svg+xml", "application/pdf"}, "/v1/agreements/{id}/pdf": {"application/pdf"},
	} {
		op := s.Paths[path]["get"]
		if len(op.Responses["200"].Content) != len(types) || op.Responses["409"].Content == nil {
			t.Errorf("%s: %+v", path, op.Responses)
		}
		for _, one := range types {
			if _, there := op.Responses["200"].Content[one]; !there {
				t.Errorf("%s does not tell of %s", path, one)
			}
		}
	}
}
