// What a text makes of itself on its way, counted by the server while it is
// written, so that there is one rule.
const pause = 250; // milliseconds without a key before it is counted

export function countAlong(form) {
  // What was foreseen for the whole group holds for the form as it was then.
  let forecast = document.querySelector("[data-forecast]");
  let timer = 0;
  let asked = 0;

  const count = async () => {
    const mine = ++asked;
    const { text, group, template, transliterate } = form.elements;
    const body = new URLSearchParams({ text: text.value, group: group.value, template: template?.value ?? "" });
    if (transliterate.checked) body.set("transliterate", transliterate.value);
    try {
      const answer = await fetch(form.dataset.compose, { method: "POST", body });
      if (!answer.ok) return;
      const { sent, ...counted } = await answer.json();
      if (mine !== asked) return;
      show(counted);
      if (transliterate.checked) echo(sent);
    } catch {
      // The next key asks again.
    }
  };
  const soon = () => {
    forecast?.remove();
    forecast = null;
    if (!form.elements.transliterate.checked) echo(form.elements.text.value);
    clearTimeout(timer);
    timer = setTimeout(count, pause);
  };
  form.elements.text.addEventListener("input", soon);
  form.elements.group.addEventListener("change", soon);
  form.elements.transliterate.addEventListener("change", soon);
  form.elements.template?.addEventListener("change", soon);
  // A form that the browser has filled in again was not counted by the server.
  if (!forecast && (form.elements.text.value || form.elements.group.value)) soon();
}

function show(counted) {
  for (const [name, text] of Object.entries(counted)) {
    const place = document.querySelector(`[data-count="${name}"]`);
    if (place.textContent !== text) place.textContent = text;
    place.hidden = text === "";
  }
  document.querySelector("[data-offer]").hidden = counted.saves === "";
}

function echo(text) {
  const bubble = document.querySelector("[data-echo]");
  bubble.textContent = text;
  bubble.hidden = text === "";
  document.querySelector("[data-nothing]").hidden = text !== "";
}

// The texts of a template are counted each for itself.
export function countEach(form) {
  for (const part of form.querySelectorAll("[data-text]")) countPart(part, form.dataset.texts);
}

function countPart(part, path) {
  const text = part.querySelector("textarea");
  let timer = 0;
  let asked = 0;

  const count = async () => {
    const mine = ++asked;
    try {
      const answer = await fetch(path, { method: "POST", body: new URLSearchParams({ text: text.value }) });
      if (!answer.ok) return;
      const counted = await answer.json();
      if (mine !== asked) return;
      for (const place of part.querySelectorAll("[data-count]")) {
        const now = counted[place.dataset.count];
        if (place.textContent !== now) place.textContent = now;
        place.hidden = now === "";
      }
    } catch {
      // The next key asks again.
    }
  };
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(count, pause);
  });
  if (text.value) timer = setTimeout(count, pause);
}
