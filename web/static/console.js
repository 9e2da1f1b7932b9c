// The console works without this module. It adds what moves: a campaign's
// progress, the count beside a text, and times in the visitor's own zone.
import { showTimes } from "./times.js";
import { follow } from "./live.js";
import { countAlong, countEach } from "./count.js";
import { drawAlong } from "./design.js";

showTimes(document);
for (const part of document.querySelectorAll("[data-live]")) follow(part);
for (const form of document.querySelectorAll("[data-compose]")) countAlong(form);
for (const form of document.querySelectorAll("[data-texts]")) countEach(form);
for (const form of document.querySelectorAll("[data-design]")) drawAlong(form);
