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
  document.addEventListener("patched", refreshTimes);
}

const status = document.querySelector("[role=status], [role=alert]");
if (status) status.focus();

// Live pages. Every page of somebody who is signed in is notified of changes while it is visible, by one
// connection: six exhaust HTTP/1.1. What changed is patched into the page that is open, so that focus,
// scroll position, open details, ticks and typed text stay, or announced where that can't be.
const main = document.getElementById("main");
// Nothing moves under a finger: a change is shown once nobody has pointed or typed for so long.
const QUIET = 1000;
const RETRY = 30000;
let changes = null;
let refreshTimer = null;
let lastInput = 0;
let bar = null;

function address() {
  return location.pathname + location.search;
}

function stopListening() {
  if (changes) changes.close();
  changes = null;
}

function listen() {
  stopListening();
  if (document.hidden) return;
  const source = new EventSource("/devices/changes?since=" + document.body.dataset.changesSince);
  changes = source;
  source.addEventListener("changed", () => refreshIn(0));
  source.addEventListener("replaced", stopListening);
  source.addEventListener("signed-out", leave);
  source.addEventListener("error", () => {
    if (source === changes && source.readyState === EventSource.CLOSED) refused(source.url);
  });
}

// The sign-in page says why, and leads back here.
function leave() {
  stopListening();
  location.assign("/sign-in?next=" + encodeURIComponent(address()));
}

// A redirect leads to sign-in. A busy server is asked again later.
async function refused(url) {
  stopListening();
  const response = await fetch(url, { method: "HEAD", redirect: "manual" }).catch(() => null);
  if (response && response.type === "opaqueredirect") leave();
  else setTimeout(() => changes || listen(), RETRY);
}

function refreshIn(delay) {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(refresh, delay);
}

async function refresh() {
  const quiet = Date.now() - lastInput;
  if (quiet < QUIET) return refreshIn(QUIET - quiet);
  // A hidden page catches up when it is shown again.
  if (document.hidden) return;
  const response = await fetch(address()).catch(() => null);
  if (!response || response.status >= 429) return refreshIn(RETRY);
  if (response.redirected && new URL(response.url).pathname === "/sign-in") return leave();
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  // Somebody may have begun to point or to type meanwhile.
  if (Date.now() - lastInput < QUIET) return refreshIn(QUIET);
  const since = fresh.body.dataset.changesSince;
  if (!since) return announce();
  document.body.dataset.changesSince = since;
  show(fresh, response.ok && !response.redirected);
  listen();
}

function show(fresh, isSamePage) {
  const active = document.activeElement;
  const attention = document.getElementById("attention");
  patch(attention, fresh.getElementById("attention"));
  const live = main.dataset.live;
  const next = fresh.getElementById("main");
  // A list that is built in another way is not made of the elements of this one.
  const [before, after] = [shapeOf(main), shapeOf(next)];
  const isAlike = !before || !after || before === after;
  const isPatched = live === "patched" && isSamePage && isAlike && patch(main, next);
  if (isSamePage && !document.title.startsWith("Error: ")) document.title = fresh.title;
  if (active !== document.activeElement && active.isConnected) active.focus({ preventScroll: true });
  if (live && !isPatched) announce();
  else if (isPatched) withdraw();
  document.dispatchEvent(new Event("patched"));
}

function shapeOf(page) {
  return [...page.querySelectorAll("[data-shape]")].map((list) => list.dataset.shape).join();
}

function announce() {
  if (bar) return;
  bar = document.createElement("div");
  bar.id = "changed";
  bar.className = "band changed";
  bar.setAttribute("role", "status");
  main.append(bar);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Show";
  button.addEventListener("click", () => location.assign(address()));
  // What is added to a status that is there already is read out.
  setTimeout(() => bar && bar.append("Something changed. ", button), 100);
}

function withdraw() {
  if (bar) bar.remove();
  bar = null;
}

// Makes the children of an element those of its new version. Returns whether all of it could be shown:
// what somebody is using is not removed.
function patch(old, fresh) {
  copyAttributes(old, fresh);
  const unmatched = [...old.childNodes];
  const pairs = [...fresh.childNodes].map((node) => {
    const index = unmatched.findIndex((other) => isSame(other, node));
    return [node, index < 0 ? null : unmatched.splice(index, 1)[0]];
  });
  let isWhole = true;
  const staying = new Set(unmatched.filter((node) => node.nodeType === Node.ELEMENT_NODE && stays(node)));
  for (const node of unmatched) {
    if (!staying.has(node)) node.remove();
    else if (!isMessage(node)) isWhole = false;
  }
  let place = old.firstChild;
  for (const [node, same] of pairs) {
    while (staying.has(place)) place = place.nextSibling;
    if (!same) {
      old.insertBefore(document.importNode(node, true), place);
      continue;
    }
    if (same === place) place = place.nextSibling;
    else old.insertBefore(same, place);
    if (!patchNode(same, node)) isWhole = false;
  }
  return isWhole;
}

function patchNode(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return true;
  }
  if (!old.matches("input, select, textarea")) return patch(old, fresh);
  if (!isTyped(old) && old !== document.activeElement) patch(old, fresh);
  return true;
}

// What a person or a script sets in an open page.
const OWN_ATTRIBUTES = ["open", "hidden", "disabled", "checked", "selected", "data-sent"];

function copyAttributes(old, fresh) {
  const isOwn = (name) => OWN_ATTRIBUTES.includes(name);
  for (const { name } of [...old.attributes]) {
    if (!isOwn(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (!isOwn(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function isSame(a, b) {
  return a.nodeName === b.nodeName && (a.nodeType !== Node.ELEMENT_NODE || keyOf(a) === keyOf(b));
}

// What tells an element from its neighbours. Two rows are never taken for one: a button must not become
// that of another device.
function keyOf(element) {
  const named = ["id", "aria-labelledby", "action", "name"].map((name) => element.getAttribute(name));
  const key = named.find((value) => value);
  if (key) return key;
  const inner = element.matches("li, tr") && element.querySelector("form[action], a[href]");
  if (inner) return inner.getAttribute("action") || inner.getAttribute("href");
  return element.getAttribute("class");
}

function isMessage(element) {
  return element === bar || element.matches("[role=status], [role=alert]");
}

function stays(element) {
  if (isMessage(element) || element.contains(document.activeElement)) return true;
  if (element.matches("details[open]") || element.querySelector("details[open]")) return true;
  const fields = "input, select, textarea";
  const inside = [...element.querySelectorAll(fields)];
  return (element.matches(fields) && isTyped(element)) || inside.some(isTyped);
}

function isTyped(field) {
  if (field.type === "hidden") return false;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  const first = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(first, 0);
}

if (document.body.dataset.changesSince) {
  for (const kind of ["pointerdown", "pointermove", "touchmove", "focusin", "input"]) {
    addEventListener(kind, () => (lastInput = Date.now()), { passive: true });
  }
  listen();
  document.addEventListener("visibilitychange", listen);
  // One of several visible windows may have taken the place of this one.
  addEventListener("focus", () => changes || listen());
  addEventListener("pagehide", stopListening);
}

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Ticks all items of a list at once, counts the ticked ones, and has no button to press for none. The
// words are in the page.
const ticks = document.querySelector("[data-ticks]");
const ticked = ticks && ticks.querySelector("[data-ticked]");
const unticked = ticked && ticked.textContent;

function boxes() {
  return [...ticks.querySelectorAll("input[name=session], input[name=device]")];
}

function countTicked() {
  const all = boxes();
  const n = all.filter((box) => box.checked).length;
  const words = (text) => text.replace("{n}", n).replace("{all}", all.length);
  const every = ticks.querySelector("[data-tick-all] input");
  const count = ticks.querySelector("[data-count]");
  every.checked = n > 0 && n === all.length;
  every.indeterminate = n > 0 && n < all.length;
  count.textContent = words(count.dataset.count);
  ticked.textContent = n ? words(ticked.dataset.ticked) : unticked;
  ticked.disabled = n === 0;
}

if (ticked) {
  if (boxes().length) ticks.querySelector("[data-tick-all]").hidden = false;
  ticks.addEventListener("change", (event) => {
    const isAll = event.target.closest("[data-tick-all]");
    if (isAll) for (const box of boxes()) box.checked = event.target.checked;
    countTicked();
  });
  document.addEventListener("patched", countTicked);
  // A page from the back/forward cache is loaded again, which would lose what was ticked on it.
  const stored = "ticked:" + location.pathname + location.search;
  addEventListener("pagehide", () => {
    const values = boxes().filter((box) => box.checked).map((box) => box.value);
    sessionStorage.setItem(stored, JSON.stringify(values));
  });
  addEventListener("pageshow", () => {
    const [navigation] = performance.getEntriesByType("navigation");
    const isBack = navigation && navigation.type !== "navigate";
    const values = JSON.parse((isBack && sessionStorage.getItem(stored)) || "[]");
    for (const box of boxes()) box.checked = box.checked || values.includes(box.value);
    countTicked();
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
    // A status only once there is one: a notice of the page is not to be one of several.
    outcome.setAttribute("role", "status");
    form.append(outcome);
    outcome.textContent = "Saving…";
    queue = queue.then(save);
  });
}

for (const form of document.querySelectorAll("form[data-saves]")) saveOnChange(form);

// Copies a text of the page, where the browser allows it.
for (const button of document.querySelectorAll("[data-copies]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = button.dataset.done;
  });
}
