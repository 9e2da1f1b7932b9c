// The card beside the designer's form is drawn by the server while the form is filled in,
// so that there is one rule.
const pause = 300; // milliseconds without a change before it is drawn

export function drawAlong(form) {
  const place = document.querySelector("[data-specimen]");
  let timer = 0;
  let asked = 0;

  const draw = async () => {
    const mine = ++asked;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
    try {
      const answer = await fetch(form.dataset.design, { method: "POST", body });
      if (!answer.ok) return;
      const drawn = await answer.text();
      if (mine === asked) place.innerHTML = drawn;
    } catch {
      // The next change asks again.
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(draw, pause);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
}
