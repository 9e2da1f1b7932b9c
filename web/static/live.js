// A campaign's progress as it comes from the server, which has put it in words.
import { showTime, showTimes } from "./times.js";

export function follow(part) {
  if (part.dataset.over === "true") return;
  let source = null;

  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(part.dataset.live);
    source.addEventListener("progress", (event) => {
      show(part, JSON.parse(event.data));
      say(part, true);
    });
    source.addEventListener("end", () => {
      part.dataset.over = "true";
      close();
    });
    // While it reconnects by itself, only a second failure is worth a word.
    source.addEventListener("error", () => say(part, false, source && source.readyState === EventSource.CLOSED));
  };
  const close = () => {
    source?.close();
    source = null;
    part.querySelector("[data-pulse]").hidden = true;
  };

  // A browser opens few connections to a site: a page nobody sees keeps none.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (part.dataset.over !== "true") open();
  });
  open();
}

function say(part, moving, ended = false) {
  part.querySelector("[data-pulse]").hidden = !moving;
  const lost = part.querySelector("[data-lost]");
  if (lost && (moving || ended)) lost.hidden = moving;
}

function show(part, now) {
  if (part.dataset.state !== now.state) renewLists();
  part.dataset.state = now.state;
  for (const place of part.querySelectorAll("[data-text]")) write(place, now[place.dataset.text]);
  for (const box of part.querySelectorAll("[data-if]")) box.hidden = !now[box.dataset.if];
  for (const badge of part.querySelectorAll("[data-badge]")) badge.className = `badge ${now.badge ?? now.state}`;
  for (const time of part.querySelectorAll("[data-at] time")) showTime(time, now.at);
  for (const status of now.counts ?? []) tally(part.querySelector(`[data-count="${status.name}"]`), status);
  for (const why of now.left_out ?? []) tally(part.querySelector(`[data-left-out="${why.name}"]`), why);
  for (const segment of now.segments ?? []) draw(part, segment);
}

// Lists, and what is locked meanwhile, are as old as the page. They are read
// anew when what is followed has come to another state, but for one that
// somebody is busy with.
async function renewLists() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const list of document.querySelectorAll("[data-list]")) {
    const renewed = page.querySelector(`[data-list="${list.dataset.list}"]`);
    if (!renewed || list.contains(document.activeElement)) continue;
    showTimes(renewed);
    list.replaceWith(renewed);
  }
}

// What a page that is older does not show yet is passed over.
function tally(row, of) {
  if (!row) return;
  write(row.querySelector("b"), of.count);
  row.classList.toggle("none", of.n === 0);
}

function draw(part, segment) {
  for (const rect of part.querySelectorAll(`[data-segment="${segment.name}"] rect`)) {
    rect.setAttribute("x", segment.x);
    rect.setAttribute("width", segment.width);
  }
  const row = part.querySelector(`[data-legend="${segment.name}"]`);
  write(row.querySelector(".many"), segment.count);
  write(row.querySelector(".share"), segment.share);
}

// Writing the same again would make a screen reader say it again.
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
