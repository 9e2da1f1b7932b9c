package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/varsel/varsel/cards"
)

// theme lets the browser want light or dark pages.
func theme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
		return err
	})
}

// barriers lists what keeps somebody from using a page, of what a program can find out
// (WCAG 2.2, level AA; the criterion stands before each). Contrast is that of the colours
// that the browser works out, a text's against the first ground behind it that is opaque.
const barriers = `(() => {
	const found = [], all = (what, within = document) => [...within.querySelectorAll(what)];
	const say = (criterion, e) => found.push(criterion + ": " + (e.outerHTML ?? String(e)).slice(0, 120));
	const seen = e => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
	const text = ids => (ids ?? "").split(/\s+/).filter(Boolean).map(id => document.getElementById(id)?.textContent ?? "").join(" ").trim();
	const name = e => (e.getAttribute("aria-label") ?? "").trim() || text(e.getAttribute("aria-labelledby")) ||
		[...(e.labels ?? [])].map(l => l.textContent).join(" ").trim() ||
		(e.matches("a, button, summary, h1, h2, h3, h4") ? (e.textContent + all("img", e).map(i => i.alt).join("")).trim() : "");

	if (!["en", "nb", "pl"].includes(document.documentElement.lang)) say("3.1.1 language", document.documentElement.lang);
	if (!document.title.trim()) say("2.4.2 title", "none");
	for (const e of all("a[href], button, input:not([type=hidden]), select, textarea, summary, h1, h2, h3, h4")) if (seen(e) && !name(e)) say("4.1.2 name", e);
	for (const e of all("input:not([type=hidden]), select, textarea")) if (seen(e) && !e.labels.length) say("3.3.2 label", e);
	for (const e of all("img")) if (!e.hasAttribute("alt")) say("1.1.1 alternative", e);
	for (const e of all("svg")) if (!e.getAttribute("aria-label") && e.getAttribute("aria-hidden") !== "true") say("1.1.1 alternative", e);
	for (const e of all("[aria-describedby], [aria-labelledby]")) for (const id of ((e.getAttribute("aria-describedby") ?? "") + " " + (e.getAttribute("aria-labelledby") ?? "")).split(/\s+/).filter(Boolean))
		if (!document.getElementById(id)) say("1.3.1 " + id + " is nowhere", e);
	const ids = all("[id]").map(e => e.id);
	for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) say("4.1.2 two have the id", id);
	for (const e of all("ul, ol")) for (const child of e.children) if (child.tagName !== "LI") say("1.3.1 list", child);
	for (const e of all("dl > div")) if (!e.querySelector("dt") || !e.querySelector("dd")) say("1.3.1 list", e);

	if (all("main").length !== 1) say("1.3.1 main", all("main").length);
	for (const e of document.body.children) if (seen(e) && !e.matches("main, header, footer, nav, .skip") && e.textContent.trim()) say("1.3.1 outside of all landmarks", e);
	for (const e of all("nav")) if (!name(e)) say("1.3.1 navigation without a name", e);
	const levels = all("h1, h2, h3, h4").filter(seen).map(e => Number(e.tagName[1]));
	if (levels[0] !== 1 || levels.filter(l => l === 1).length !== 1) say("1.3.1 headings", levels);
	levels.forEach((l, i) => { if (i && l > levels[i - 1] + 1) say("1.3.1 a level is left out", levels); });

	if (document.documentElement.scrollWidth > innerWidth) say("1.4.10 reflow", document.documentElement.scrollWidth);
	for (const e of all("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
		if (!seen(e)) continue;
		const box = e.getBoundingClientRect(), least = e.matches("input[type=checkbox], a:not(.button)") ? 24 : 44;
		if (box.height < least || box.width < 24) say("2.5.8 target of " + box.width + " x " + box.height, e);
	}

	const rgb = colour => (colour.match(/[\d.]+/g) ?? []).map(Number);
	const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const contrast = (a, b) => { const [x, y] = [light(a), light(b)]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
	const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return rgb("255 255 255"); };
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node; node = walk.nextNode();) {
		const e = node.parentElement, style = getComputedStyle(e);
		if (!node.textContent.trim() || !seen(e)) continue;
		const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
		const is = contrast(rgb(style.color), ground(e));
		if (is < (large ? 3 : 4.5)) say("1.4.3 contrast " + is.toFixed(2), e);
	}
	for (const e of all("input:not([type=hidden], [type=checkbox], [type=file]), textarea, button, a.button")) {
		if (!seen(e)) continue;
		const is = contrast(rgb(getComputedStyle(e).borderTopColor), ground(e.parentElement));
		if (is < 3) say("1.4.11 border " + is.toFixed(2), e);
	}
	return found;
})()`

// unseen are the controls that do not show that they have the focus (2.4.7), found by
// going through the page with the Tab key.
func (b *browser) unseen() (all []string) {
	b.Helper()
	ask[bool](b, `(document.activeElement.blur(), true)`)
	controls := ask[int](b, `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), textarea")].filter(e => e.checkVisibility()).length`)
	for range controls {
		b.do(chromedp.KeyEvent(kb.Tab))
		if got := ask[string](b, `(e => e === document.body || getComputedStyle(e).outlineStyle === "none" || parseFloat(getComputedStyle(e).outlineWidth) < 2 ? e.outerHTML.slice(0, 80) : "")(document.activeElement)`); got != "" {
			all = append(all, got)
		}
	}
	return all
}

// designs are all layouts and fonts, in colours of which one is a dark card.
var designs = []cards.Looks{
	{Layout: cards.Plain, Font: cards.Serif, Primary: "#8f1d2c", Background: "#fff8f0", Ink: "#2b1b12", Photo: true},
	{Layout: cards.Banner, Font: cards.Sans, Primary: "#1f4e79", Background: "#ffffff", Ink: "#1a1a1a", Photo: true},
	{Layout: cards.Side, Font: cards.Round, Primary: "#ffd166", Background: "#10202c", Ink: "#f2f5f7", Photo: true},
}

func TestBrowserFindsNoBarrierOnACard(t *testing.T) {
	for _, looks := range designs {
		t.Run(string(looks.Layout), func(t *testing.T) {
			w, c := cardWorld(t, func(body *cards.Body) { body.Looks = looks })
			w.carrier("main", `{}`)
			must(0, w.cards.SetPhoto(t.Context(), w.account.ID, c.ID, photo(t)))
			said := kari()
			said["displayName"], said["mail"] = "Kari "+strings.Repeat("Donaudampfschiff", 4), strings.Repeat("averylongname", 4)+"@acme.test"
			w.synced(cards.Person{DirectoryID: "kari", Contact: c.Contact, Values: said})
			b := newBrowser(t, w.home)
			b.forgiven = "404" // of the page that was never a card
			home := w.home + "/c/" + c.Slug
			b.barriers(home, home+"/share", home+"/offline", home+"/text", home+"/text?sent=1", home+"/edit", home+"/edit?sent=1", w.home+"/c/0123456789abcdef")

			b.do(chromedp.Navigate(home + "/edit"))
			b.tabTo(`e.textContent === "Text me a code"`)
			b.press(kb.Enter)
			b.tabTo(`e.id === "code"`)
			b.do(chromedp.KeyEvent(sixDigits.FindString(w.texts()[0].Text)))
			b.press(kb.Enter)
			b.tabTo(`e.id === "field-note"`)
			b.do(chromedp.KeyEvent("Hello from the holder"))
			b.tabTo(`e.textContent === "Save"`)
			b.press(kb.Enter)
			if got := ask[string](b, `document.querySelector("[role=status]").textContent`); got != "Your card is saved." {
				t.Errorf("it says %q", got)
			}
			b.barriers(home+"/edit", home+"/edit?saved=1")
			b.do(chromedp.Navigate(home))
			if got := ask[string](b, `document.querySelector("main").innerText`); !strings.Contains(got, "Hello from the holder") {
				t.Error("what the holder wrote is not on the card")
			}
		})
	}
}

// barriers looks for them in both themes on a narrow and on a wide screen.
func (b *browser) barriers(pages ...string) {
	b.Helper()
	for _, page := range pages {
		for _, wants := range []string{"light", "dark"} {
			for _, width := range []int64{320, 1280} {
				b.do(theme(wants), chromedp.EmulateViewport(width, 900), chromedp.Navigate(page))
				where := fmt.Sprintf("%s, %s, %d px", strings.TrimPrefix(page, b.home), wants, width)
				if all := ask[[]string](b, barriers); len(all) > 0 {
					b.Errorf("%s:\n%s", where, strings.Join(all, "\n"))
				}
				if is := ask[bool](b, `matchMedia("(prefers-color-scheme: dark)").matches`); is != (wants == "dark") {
					b.Errorf("%s: the browser wants another theme", where)
				}
			}
			if all := b.unseen(); len(all) > 0 {
				b.Errorf("%s, %s: the focus is not seen on\n%s", page, wants, strings.Join(all, "\n"))
			}
		}
	}
}

// TestABarrierIsFound puts barriers onto a page, one of each kind.
func TestABarrierIsFound(t *testing.T) {
	w, c := cardWorld(t, nil)
	b := newBrowser(t, w.home)
	for put, want := range map[string]string{
		`document.documentElement.lang = ""`:                                                                              "3.1.1",
		`document.title = ""`:                                                                                             "2.4.2",
		`document.querySelector("a.button").textContent = ""`:                                                             "4.1.2 name",
		`document.querySelector("label[for=number]").remove()`:                                                            "3.3.2",
		`document.querySelector("main").append(new Image())`:                                                              "1.1.1",
		`document.querySelector("#number-hint").remove()`:                                                                 "1.3.1 number-hint",
		`document.querySelector("h1").id = "number"`:                                                                      "4.1.2 two",
		`document.querySelector("ul").append(document.createElement("p"))`:                                                "1.3.1 list",
		`document.querySelector("main").replaceWith(...document.querySelector("main").children)`:                          "1.3.1 main",
		`document.querySelector("nav").removeAttribute("aria-label")`:                                                     "1.3.1 navigation",
		`document.querySelector("h1").remove()`:                                                                           "1.3.1 headings",
		`document.querySelector("main").append(document.createElement("h4"))`:                                             "1.3.1 a level",
		`document.querySelector("h1").classList.add("plainly"); document.querySelector("main").style.minWidth = "2000px"`: "1.4.10",
		`document.querySelector(".buttons a").style.minHeight = "20px"; document.querySelector(".buttons a").style.alignSelf = "start"; document.querySelector(".buttons a").style.padding = "0"`: "2.5.8",
		`document.querySelector(".role").style.color = "#999999"`:         "1.4.3",
		`document.querySelector("#number").style.borderColor = "#dddddd"`: "1.4.11",
	} {
		b.do(theme("light"), chromedp.Navigate(w.home+"/c/"+c.Slug))
		ask[bool](b, `(() => { `+put+`; return true })()`)
		if all := strings.Join(ask[[]string](b, barriers), "\n"); !strings.Contains(all, want) {
			t.Errorf("after %s it finds no %s, but\n%s", put, want, all)
		}
	}
}
