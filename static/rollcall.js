// Progressive enhancement: current relative times, the browser's time zone for the next page, ticking
// all of a page, and no page from the back/forward cache after a sign-out. The pages work without it.
"use strict";

// What the server says of times: when it made the page, in which zone, and in which cookie it reads the
// browser's zone for the next one.
const { now: madeAt, timeZone, zoneCookie } = document.documentElement.dataset;
const aheadBy = Date.parse(madeAt) - Date.now();

function storeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = zoneCookie + "=" + zone + "; Path=/; Max-Age=31536000; SameSite=Lax" + secure;
}

// Returns the words of a past moment, as pages::times does on the server; null if the browser doesn't
// know the zone.
function wordsInZone() {
  const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
  let numbers;
  try {
    numbers = format({ year: "numeric", month: "numeric", day: "numeric" });
  } catch {
    return null;
  }
  const time = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const weekday = format({ weekday: "long" });
  const date = format({ day: "numeric", month: "long" });
  const dayAndYear = (at) => {
    const part = Object.fromEntries(numbers.formatToParts(at).map((it) => [it.type, Number(it.value)]));
    return [Date.UTC(part.year, part.month - 1, part.day) / 86400000, part.year];
  };
  return (at, now, preposition) => {
    const minutes = Math.floor((now - at) / 60000);
    if (minutes < 1) return "just now";
    if (minutes < 60) return minutes === 1 ? "1 minute ago" : minutes + " minutes ago";
    const [[today, thisYear], [day, year]] = [dayAndYear(now), dayAndYear(at)];
    if (today === day) return "today " + time.format(at);
    if (today - day === 1) return "yesterday " + time.format(at);
    if (today - day < 7) return preposition + weekday.format(at);
    return preposition + date.format(at) + (year === thisYear ? "" : " " + year);
  };
}

const words = timeZone ? wordsInZone() : null;

function refreshTimes() {
  const now = Date.now() + aheadBy;
  for (const element of document.querySelectorAll("time[data-ago]")) {
    element.textContent = words(Date.parse(element.dateTime), now, element.dataset.ago);
  }
}

if (zoneCookie) storeZone();
if (words) {
  refreshTimes();
  setInterval(refreshTimes, 60000);
}

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
