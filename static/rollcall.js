// Progressive enhancement: current relative times, exact times in the reader's time zone, ticking all
// of a page, and no page from the back/forward cache after a sign-out. The pages work without it.
"use strict";

// Each unit, the number of seconds from which it is used, and its length in seconds, as on the
// server.
const UNITS = [
  ["week", 1209600, 604800],
  ["day", 86400, 86400],
  ["hour", 3600, 3600],
  ["minute", 60, 60],
];
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "long" });

function refreshTimes() {
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(element.dateTime)) / 1000;
    const unit = UNITS.find(([, from]) => seconds >= from);
    if (seconds < 0 || seconds >= 90 * 86400) continue;
    element.textContent = unit ? relative.format(-Math.floor(seconds / unit[2]), unit[0]) : "just now";
  }
}

for (const element of document.querySelectorAll("time[datetime]")) {
  element.title = exact.format(new Date(element.dateTime));
}
refreshTimes();
setInterval(refreshTimes, 60000);

const status = document.querySelector("[role=status], [role=alert]");
if (status) status.focus();

// Reloads the page when the server reports a change, unless a field has the focus, since its input
// would be lost. Only a visible page has a connection, and only one: six exhaust HTTP/1.1.
const heading = document.querySelector("[data-changes-since]");
let changes = null;

function reload() {
  if (!document.activeElement.matches("input, select")) location.reload();
}

function stopListening() {
  if (changes) changes.close();
  changes = null;
}

function listen() {
  stopListening();
  if (document.hidden) return;
  const source = new EventSource("/devices/changes?since=" + heading.dataset.changesSince);
  changes = source;
  source.addEventListener("changed", reload);
  source.addEventListener("replaced", stopListening);
  source.addEventListener("signed-out", () => location.assign("/sign-in"));
  source.addEventListener("error", () => {
    if (source === changes && source.readyState === EventSource.CLOSED) refused(source.url);
  });
}

// A busy server is asked again later; anything else shows on the page.
async function refused(url) {
  stopListening();
  const response = await fetch(url, { method: "HEAD", redirect: "manual" }).catch(() => null);
  if (response && response.status !== 503) reload();
  else setTimeout(listen, 30000);
}

if (heading) {
  listen();
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", stopListening);
}

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Ticks all sessions of a page at once, counts the ticked ones, and has nothing to press for none.
const ticks = document.querySelector("[data-ticks]");
const ticked = ticks && ticks.querySelector("[data-ticked]");

function countTicked(all, boxes) {
  const n = boxes.filter((box) => box.checked).length;
  all.checked = n === boxes.length;
  all.indeterminate = n > 0 && n < boxes.length;
  ticks.querySelector("[data-count]").textContent = n + " of " + boxes.length + " ticked";
  ticked.textContent = n ? "End " + n + " ticked…" : "End ticked…";
  ticked.disabled = n === 0;
}

if (ticked) {
  const boxes = [...ticks.querySelectorAll("input[name=session]")];
  const all = ticks.querySelector("[data-tick-all] input");
  const count = () => countTicked(all, boxes);
  if (boxes.length) ticks.querySelector("[data-tick-all]").hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  for (const box of boxes) box.addEventListener("change", count);
  // A page from the back/forward cache is loaded again, which would lose what was ticked on it.
  const stored = "ticked:" + location.pathname + location.search;
  addEventListener("pagehide", () => {
    const values = boxes.filter((box) => box.checked).map((box) => box.value);
    sessionStorage.setItem(stored, JSON.stringify(values));
  });
  addEventListener("pageshow", () => {
    const [navigation] = performance.getEntriesByType("navigation");
    const isBack = navigation && navigation.type !== "navigate";
    const values = JSON.parse((isBack && sessionStorage.getItem(stored)) || "[]");
    for (const box of boxes) box.checked = box.checked || values.includes(box.value);
    count();
  });
}

// A second press within a few seconds doesn't send the form a second time.
const SENT_WITHIN = 3000;
addEventListener("submit", (event) => {
  const sent = Number(event.target.dataset.sent || 0);
  if (Date.now() - sent < SENT_WITHIN) event.preventDefault();
  else event.target.dataset.sent = Date.now();
});

// Saves a setting as it is changed, and says so. What first needs a page, such as for the password, is left
// to its button, so that nobody is taken to another page by choosing something.
function saveOnChange(form) {
  const field = form.querySelector("select, input[type=checkbox]");
  const button = form.querySelector("button");
  if (!field || !button) return;
  const outcome = document.createElement("p");
  outcome.className = "hint";
  outcome.setAttribute("role", "status");
  form.append(outcome);
  button.hidden = true;
  const property = field.type === "checkbox" ? "checked" : "value";
  let saved = field[property];
  let queue = Promise.resolve();
  const save = async () => {
    const value = field[property];
    const body = new URLSearchParams(new FormData(form));
    const request = { method: "POST", headers: { accept: "application/json" }, body, redirect: "manual" };
    const response = await fetch(form.action, request).catch(() => null);
    const needsPage = response && (response.status === 200 || response.status === 403 || response.type === "opaqueredirect");
    if (response && response.status === 204) {
      saved = value;
      outcome.textContent = "Saved";
    } else if (needsPage) {
      outcome.textContent = "Not saved yet: press Save to continue.";
    } else {
      field[property] = saved;
      outcome.textContent = response ? "It was not saved." : "It was not saved: the service does not answer.";
    }
    button.hidden = !needsPage;
  };
  field.addEventListener("change", () => {
    outcome.textContent = "Saving…";
    queue = queue.then(save);
  });
}

for (const form of document.querySelectorAll("form[data-saves]")) saveOnChange(form);
