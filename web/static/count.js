// What a text makes of itself on its way, counted by the server while it is
// written, so that there is one rule.
const pause = 250; // milliseconds without a key before it is counted

export function countAlong(form) {
  let timer = 0;
  let asked = 0;

  const count = async () => {
    const mine = ++asked;
    const { text, group, transliterate } = form.elements;
    const body = new URLSearchParams({ text: text.value, group: group.value });
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
    if (!form.elements.transliterate.checked) echo(form.elements.text.value);
    clearTimeout(timer);
    timer = setTimeout(count, pause);
  };
  form.elements.text.addEventListener("input", soon);
  form.elements.group.addEventListener("change", soon);
  form.elements.transliterate.addEventListener("change", soon);
  // A form that the browser has filled in again was not counted by the server.
  if (form.elements.text.value || form.elements.group.value) soon();
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
