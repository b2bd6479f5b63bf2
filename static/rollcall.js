// Progressive enhancement: current relative times, the browser's time zone for the next page, ticking
// all of a page, and no page from the back/forward cache after a sign-out. The pages work without it.
"use strict";

// The answer to a form takes the address of the page that the form was sent from: *Back*, *Forward* and a
// reload load that page, and the browser asks nobody whether to send the form again.
const { behind } = document.body.dataset;
if (behind) history.replaceState(history.state, "", behind);

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
// Nothing moves under a finger: a change is shown once nobody has pointed or typed for so long. It is also
// the least time between two requests for the page.
const QUIET = 1000;
const RETRY = 30000;
const LONGEST_RETRY = 600000;
// Marks a request that nobody made: it is no use of the session.
const UNATTENDED = { headers: { "x-unattended": "1" } };
let changes = null;
let listenTimer = null;
let refreshTimer = null;
let isLoading = false;
let loadedAt = 0;
let failures = 0;
let lastInput = 0;
let isSignedOut = false;
let isAnothers = false;
// What is said of the end of the session, as far as it is known.
let endSaid = "";
// What is hidden since the session ended.
const leftOut = [];
let bar = null;

function address() {
  return location.pathname + location.search;
}

function stopListening() {
  clearTimeout(listenTimer);
  if (changes) changes.close();
  changes = null;
}

function listen() {
  stopListening();
  if (document.hidden) return;
  const { changesSince, changesSeen } = document.body.dataset;
  const seen = changesSeen === undefined ? "" : "&seen=" + changesSeen;
  const source = new EventSource("/devices/changes?since=" + changesSince + seen);
  changes = source;
  let isLost = false;
  source.addEventListener("open", () => {
    isLost = false;
    failures = 0;
  });
  source.addEventListener("changed", () => refreshIn(0));
  source.addEventListener("replaced", stopListening);
  source.addEventListener("signed-out", leave);
  source.addEventListener("error", () => {
    if (source !== changes) return;
    if (source.readyState === EventSource.CLOSED) refused(source.url);
    // The browser reconnects by itself, every two seconds: enough for a stream that ended.
    else if (isLost) listenLater();
    isLost = true;
  });
}

// Tries again after a while, longer each time and never at once with all the others.
function listenLater() {
  stopListening();
  listenTimer = setTimeout(() => changes || listen(), backOff());
}

function backOff() {
  const longest = Math.min(RETRY * 2 ** failures, LONGEST_RETRY);
  failures += 1;
  return longest * (0.5 + Math.random() / 2);
}

// The sign-in page says why, and leads back here.
async function leave() {
  if (!isSignedOut) endSaid = "This device was signed out.";
  if (!leaveTyped() || isAnothers) return;
  const link = document.createElement("a");
  const words = "Sign in (in a new tab)";
  Object.assign(link, { className: "button", href: signInAddress(), target: "_blank", textContent: words });
  const inAll = (end) => end + " What you typed is still here. Send it once you are signed in again.";
  announce(inAll(endSaid), link);
  // The server may answer late, or not at all.
  const announced = bar;
  const end = await endWords();
  if (!end || bar !== announced) return;
  endSaid = end;
  reword(inAll(end));
}

// Returns what the sign-in page says of the end of the session; null if the server doesn't say it.
async function endWords() {
  const loaded = await load(signInAddress());
  const isThere = loaded && new URL(loaded.response.url).pathname === "/sign-in";
  const said = isThere && loaded.fresh.querySelector("main [role=status]");
  return said ? said.textContent.trim() : null;
}

// It is not the page of whoever is signed in by now.
function leaveToAnother() {
  if (!leaveTyped()) return;
  isAnothers = true;
  announce("Somebody else is signed in in this browser by now, so nothing is sent from here. What you typed is still here. Send it once you are signed in again.");
}

function signInAddress() {
  return "/sign-in?next=" + encodeURIComponent(address());
}

// What is typed stays, and nothing else: it can be sent from here once its person is signed in again, and
// else by way of the sign-in page. Returns whether anything is.
function leaveTyped() {
  stopListening();
  clearTimeout(refreshTimer);
  const forms = typedForms();
  if (!forms.length) location.assign(signInAddress());
  isSignedOut = forms.length > 0;
  hideAllBut(forms);
  return isSignedOut;
}

// Sends a form of a page whose session has ended, but in nobody else's name.
async function sendChecked(form, button) {
  const loaded = await load();
  const person = loaded && loaded.fresh.body.dataset.person;
  if (person && person !== document.body.dataset.person) return leaveToAnother();
  if (person) renewTokens(loaded.fresh);
  checked = form;
  // Sends it at once, unless the browser finds a field that is not filled in.
  form.requestSubmit(button);
  checked = null;
}

function isText(field) {
  return field.matches("textarea") || field.matches("input:not([type=checkbox], [type=radio])");
}

function typedForms() {
  const fields = [...main.querySelectorAll("form[method=post] input, form[method=post] textarea")];
  return [...new Set(fields.filter((field) => isText(field) && isTyped(field)).map((field) => field.form))];
}

// Hides what a page shows but the fields and buttons of some forms, with their labels.
function hideAllBut(forms) {
  const fields = forms.flatMap((form) => [...form.elements]);
  const shown = fields.flatMap((field) => [field, ...(field.labels || [])]);
  const hideIn = (element) => {
    for (const child of element.children) {
      if (child === bar || child.hidden || shown.includes(child)) continue;
      if (shown.some((part) => child.contains(part))) {
        hideIn(child);
      } else {
        child.hidden = true;
        leftOut.push(child);
      }
    }
  };
  hideIn(main);
}

function showAll() {
  for (const element of leftOut.splice(0)) element.hidden = false;
}

// A redirect leads to sign-in. A busy server is asked again later.
async function refused(url) {
  stopListening();
  const response = await fetch(url, { method: "HEAD", redirect: "manual" }).catch(() => null);
  if (response && response.type === "opaqueredirect") leave();
  else listenLater();
}

function refreshIn(delay) {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(refresh, delay);
}

// One request at a time: a change that comes during one is asked for after it.
async function refresh() {
  const wait = Math.max(lastInput, loadedAt) + QUIET - Date.now();
  if (isLoading || wait > 0) return refreshIn(Math.max(wait, QUIET / 10));
  // A hidden page catches up when it is shown again.
  if (document.hidden) return;
  isLoading = true;
  const loaded = await load();
  isLoading = false;
  loadedAt = Date.now();
  if (!loaded) return refreshIn(backOff());
  const { response, fresh } = loaded;
  if (response.redirected && new URL(response.url).pathname === "/sign-in") return leave();
  // Somebody may have begun to point or to type meanwhile.
  if (Date.now() - lastInput < QUIET) return refreshIn(QUIET);
  const { changesSince, changesSeen, person } = fresh.body.dataset;
  if (!changesSince) return announceChange();
  if (person !== document.body.dataset.person) return leaveToAnother();
  document.body.dataset.changesSince = changesSince;
  if (changesSeen === undefined) delete document.body.dataset.changesSeen;
  else document.body.dataset.changesSeen = changesSeen;
  show(fresh, response.ok && !response.redirected && !behind);
  listen();
}

// What the page shows that the server is to word anew: its notice, and the alerts, each of which keeps its place.
function shownHeaders() {
  const notice = main.querySelector("[data-notice]");
  const alerts = [...main.querySelectorAll("[data-alert]")].map((card) => card.dataset.alert);
  const headers = { ...UNATTENDED.headers };
  if (notice) headers["x-shown-notice"] = notice.dataset.notice;
  if (alerts.length) headers["x-shown-alerts"] = alerts.join();
  return headers;
}

// Returns a page as it is now, this one unless another is named; null if the server is away, busy or broken.
async function load(path = address()) {
  try {
    const headers = path === address() ? shownHeaders() : UNATTENDED.headers;
    const response = await fetch(path, { headers });
    if (response.status >= 429) return null;
    return { response, fresh: await parsed(response) };
  } catch {
    return null;
  }
}

async function parsed(response) {
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function show(fresh, isSamePage) {
  const active = document.activeElement;
  const attention = document.getElementById("attention");
  patch(attention, fresh.getElementById("attention"));
  renewTokens(fresh);
  const live = main.dataset.live;
  const next = fresh.getElementById("main");
  const isPatched = live === "patched" && isSamePage && patchInPlace(next);
  if (isSamePage && !document.title.startsWith("Error: ")) renewTitle(fresh.title, live);
  if (active !== document.activeElement && active.isConnected) active.focus({ preventScroll: true });
  showAll();
  if (isSignedOut) announce("You are signed in again, and can send what you typed.");
  else if (live && !isPatched) announceChange();
  else if (isPatched) withdraw();
  isSignedOut = isAnothers = false;
  document.dispatchEvent(new Event("patched"));
}

// Patches the page, without moving what is pointed at.
function patchInPlace(next) {
  withdrawNotice(next);
  const pointed = main.querySelector(`:is(${CONTROLS}):hover`);
  const top = pointed && pointed.getBoundingClientRect().top;
  const isPatched = patch(main, next);
  if (pointed && pointed.isConnected) {
    scrollBy({ top: pointed.getBoundingClientRect().top - top, behavior: "instant" });
  }
  return isPatched;
}

// What the page says of the last act goes once it is no longer true: it is never reworded, which would be read
// as the outcome of another act.
function withdrawNotice(next) {
  const [said, fresh] = [main, next].map((page) => page.querySelector("[data-notice]"));
  const isTrue = said && fresh && said.textContent === fresh.textContent;
  if (said && !isTrue) said.remove();
  if (fresh && !isTrue) fresh.remove();
}

const CONTROLS = "button, a[href], summary, input, select, label";

// A page that is not patched goes on being about what it shows; only what needs attention is counted.
function renewTitle(title, live) {
  const count = /^\(\d+\) /;
  const [counted] = title.match(count) || [""];
  document.title = live === "patched" ? title : counted + document.title.replace(count, "");
}

// The forms are those of the session that the person has by now.
function renewTokens(fresh) {
  const token = fresh.querySelector("input[name=csrf]");
  if (!token) return;
  for (const field of document.querySelectorAll("input[name=csrf]")) field.value = token.value;
}

function announceChange() {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Show";
  button.addEventListener("click", () => {
    storeFields();
    location.assign(address());
  });
  announce("Something changed.", button);
}

function announce(words, ...action) {
  if (bar && bar.dataset.words === words) return;
  withdraw();
  const added = document.createElement("div");
  Object.assign(added, { id: "changed", className: "band changed" });
  added.setAttribute("role", "status");
  added.dataset.words = words;
  main.append(added);
  bar = added;
  // What is added to a status that is there already is read out.
  setTimeout(() => added.append(added.dataset.words + " ", ...action), 100);
}

// Has the bar say something else, with the same button.
function reword(words) {
  if (bar.dataset.words === words) return;
  bar.dataset.words = words;
  if (bar.firstChild) bar.firstChild.data = words + " ";
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
      const added = document.importNode(node, true);
      if (added.nodeType === Node.ELEMENT_NODE) storeOpen(added);
      old.insertBefore(added, place);
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
  if (old.dataset.shape !== fresh.dataset.shape) return replace(old, fresh);
  if (fresh.dataset.answered !== undefined) return settle(old, fresh);
  return old.matches(FIELDS) ? patchField(old, fresh) : patch(old, fresh);
}

// An alert that was answered elsewhere keeps its place and its height until the page is loaded anew: no button
// comes to lie where one of its was.
function settle(card, fresh) {
  if (card.dataset.answered !== undefined) return true;
  card.dataset.answered = "";
  card.style.minBlockSize = card.getBoundingClientRect().height + "px";
  const answers = card.querySelector(".answers");
  const isFocused = answers.contains(document.activeElement);
  answers.replaceChildren(document.importNode(fresh.querySelector(".outcome"), true));
  if (isFocused) answers.firstChild.focus({ preventScroll: true });
  for (const hint of card.querySelectorAll(":scope > .hint")) hint.remove();
  return true;
}

// A list that is built in another way is not made of the elements of this one: it takes its place whole, or,
// where somebody is using this one, waits. Returns whether it is shown.
function replace(old, fresh) {
  if (stays(old)) return false;
  const added = document.importNode(fresh, true);
  storeOpen(added);
  old.replaceWith(added);
  return true;
}

// What the page itself opens, nobody has opened.
const openAtFirst = new WeakSet();

function storeOpen(within) {
  for (const details of within.querySelectorAll("details[open]")) openAtFirst.add(details);
}

function isOpened(element) {
  return element.matches("details[open]") && !openAtFirst.has(element);
}

storeOpen(main);

const FIELDS = "input, select, textarea";

// A field that nobody has touched takes what it is by now. Returns whether it shows that.
function patchField(old, fresh) {
  // What a form showed stays with what was typed into it, so that the server knows what that replaces.
  if (["shown", "shown_name"].includes(old.name) && [...old.form.querySelectorAll(FIELDS)].some(isTyped)) return true;
  const group = old.type === "radio" && old.form ? [...old.form.querySelectorAll(`[name="${old.name}"]`)] : [old];
  if (old === document.activeElement || group.some(isTyped)) return defaultOf(old) === defaultOf(fresh);
  const isText = !old.options;
  patch(old, fresh);
  if (old.type === "checkbox" || old.type === "radio") {
    old.defaultChecked = fresh.defaultChecked;
    old.checked = fresh.defaultChecked;
  } else if (isText) {
    if (old.value !== fresh.defaultValue) old.value = fresh.defaultValue;
  } else {
    [...old.options].forEach((option, n) => (option.defaultSelected = fresh.options[n].defaultSelected));
    old.selectedIndex = fresh.selectedIndex;
  }
  return true;
}

// Returns what a field was when its page was made.
function defaultOf(field) {
  if (field.type === "checkbox" || field.type === "radio") return String(field.defaultChecked);
  if (!field.options) return field.type === "hidden" ? "" : field.defaultValue;
  const chosen = [...field.options].find((option) => option.defaultSelected) || field.options[0];
  return chosen ? chosen.value : "";
}

// Has what a field shows be what was saved.
function setDefault(field) {
  if (field.type === "checkbox") field.defaultChecked = field.checked;
  else if (field.options) for (const option of field.options) option.defaultSelected = option.selected;
}

// What a person or a script sets in an open page.
const OWN_ATTRIBUTES = ["open", "hidden", "disabled", "checked", "selected", "data-sent", "style"];

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
  if (element.matches(`:is(${CONTROLS}):hover`) || element.querySelector(`:is(${CONTROLS}):hover`)) return true;
  if ([element, ...element.querySelectorAll("details")].some(isOpened)) return true;
  // One without a name only ticks the others.
  const inside = [...element.querySelectorAll(FIELDS)].filter((field) => field.name);
  return (element.matches(FIELDS) && isTyped(element)) || inside.some(isTyped);
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
  // Whose session has ended may have signed in again in another tab, or somebody else may.
  const catchUp = () => (isSignedOut ? refreshIn(0) : listen());
  document.addEventListener("visibilitychange", catchUp);
  // One of several visible windows may have taken the place of this one.
  addEventListener("focus", () => changes || catchUp());
  addEventListener("pagehide", stopListening);
}

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// The address of this page, whichever form that failed it shows.
function pageAddress() {
  const url = new URL(location);
  url.searchParams.delete("failed");
  return url.pathname + url.search;
}

// What the browser stores until the window is closed; where it stores nothing, nothing.
const inWindow = {
  get(key) {
    try {
      return JSON.parse(sessionStorage.getItem(key));
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      sessionStorage.setItem(key, JSON.stringify(value));
    } catch {
      // It is refused, or full.
    }
  },
};

// What it stores for this page.
const stored = {
  get: (name) => inWindow.get(name + pageAddress()),
  set: (name, value) => inWindow.set(name + pageAddress(), value),
};

// What somebody has typed and ticked, never a password, and how far they have scrolled: a page that is
// loaded again to show a change has all of it.
function fieldsByKey() {
  const isStored = (field) => field.name && !["hidden", "password"].includes(field.type);
  const keyed = (field) => {
    const form = field.form ? field.form.getAttribute("action") : "";
    const value = ["checkbox", "radio"].includes(field.type) ? field.getAttribute("value") : "";
    return [[form, field.name, value].join(" "), field];
  };
  return [...main.querySelectorAll(FIELDS)].filter(isStored).map(keyed);
}

function propertyOf(field) {
  return ["checkbox", "radio"].includes(field.type) ? "checked" : "value";
}

function storeFields() {
  const typed = fieldsByKey().filter(([, field]) => isTyped(field));
  const values = typed.map(([key, field]) => [key, field[propertyOf(field)]]);
  stored.set("shown:", { person: document.body.dataset.person, values, top: scrollY });
}

function restoreFields() {
  const shown = stored.get("shown:");
  if (!shown) return;
  stored.set("shown:", null);
  // Another person may have signed in at this address.
  if (shown.person !== document.body.dataset.person) return;
  fill(shown.values);
  addEventListener("load", () => scrollTo(0, shown.top));
}

function fill(values) {
  const fields = new Map(fieldsByKey());
  for (const [key, value] of values) {
    const field = fields.get(key);
    if (field) field[propertyOf(field)] = value;
  }
}

restoreFields();

// What was typed into a form that was sent, never a password nor what confirms an act: its page has it again
// after *Back*, after a reload, and after *Cancel* where the password was asked for. A page that is opened
// anew has none of it.
function storeSent(form) {
  const isOfIt = ([, field]) => field.form === form && field.name !== "typed";
  const fields = fieldsByKey().filter(isOfIt);
  if (!fields.some(([, field]) => isText(field))) return;
  const values = fields.map(([key, field]) => [key, field[propertyOf(field)]]);
  stored.set("sent:", { person: document.body.dataset.person, values });
}

function restoreSent() {
  const sent = stored.get("sent:");
  // The answer to the form has it anyway; another person gets none.
  if (!sent || behind || sent.person !== document.body.dataset.person) return;
  if (navigationType() === "navigate" && !sent.returns) return stored.set("sent:", null);
  stored.set("sent:", { ...sent, returns: false });
  fill(sent.values);
}

function navigationType() {
  const [navigation] = performance.getEntriesByType("navigation");
  return navigation ? navigation.type : "navigate";
}

restoreSent();

// A link of the answer to a form that leads away from it, such as *Cancel*.
if (behind) {
  addEventListener("click", (event) => {
    const sent = event.target.closest("main a[href]") && stored.get("sent:");
    if (sent) stored.set("sent:", { ...sent, returns: true });
  });
}

// Ticks all items of a list at once, counts the ticked ones, and has no button to press for none. The
// words are in the page. The list may be replaced, or come later.
function boxes() {
  return [...document.querySelectorAll("[data-ticks] input[type=checkbox]:is([name=session], [name=device])")];
}

function countTicked() {
  const button = document.querySelector("[data-ticks] [data-ticked]");
  if (!button) return;
  const all = boxes();
  const shown = all.filter((box) => box.checked).length;
  // Those that are selected on another list go along.
  const n = shown + document.querySelectorAll("#select [name=device]").length;
  const words = (text, count) => text.replace("{n}", count).replace("{all}", all.length);
  const tickAll = document.querySelector("[data-ticks] [data-tick-all]");
  const [every, count] = [tickAll.querySelector("input"), tickAll.querySelector("[data-count]")];
  tickAll.hidden = all.length === 0;
  every.checked = shown > 0 && shown === all.length;
  every.indeterminate = shown > 0 && shown < all.length;
  count.textContent = words(count.dataset.count, shown);
  const selected = document.querySelector("[data-ticks] [data-selected]");
  if (selected) selected.textContent = words(selected.dataset.selected, n);
  // A patched button has the words of the server, and none of the script.
  if (!button.dataset.unticked) button.dataset.unticked = button.textContent;
  button.textContent = n ? words(button.dataset.ticked, n) : button.dataset.unticked;
  button.disabled = n === 0;
}

document.addEventListener("change", (event) => {
  if (!event.target.closest("[data-ticks]")) return;
  const isAll = event.target.closest("[data-tick-all]");
  if (isAll) for (const box of boxes()) box.checked = event.target.checked;
  countTicked();
});
document.addEventListener("patched", countTicked);
// What is ticked goes along to another list, as it does with a button of the list's form: a dot on the map
// can't be one.
addEventListener("click", (event) => {
  const link = event.target.closest("main svg a");
  const form = document.getElementById("select");
  if (!form || !link || !link.getAttribute("href").startsWith("/devices?")) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const button = document.createElement("button");
  const value = new URL(link.getAttribute("href"), location).search.slice(1);
  Object.assign(button, { name: "list", value, hidden: true });
  button.setAttribute("formaction", "/devices#other-devices");
  form.append(button);
  form.requestSubmit(button);
  button.remove();
});
// A page from the back/forward cache is loaded again, which would lose what was ticked on it.
addEventListener("pagehide", () => {
  if (boxes().length) stored.set("ticked:", boxes().filter((box) => box.checked).map((box) => box.value));
});
addEventListener("pageshow", () => {
  const values = navigationType() !== "navigate" && stored.get("ticked:");
  if (values) for (const box of boxes()) box.checked = values.includes(box.value);
  countTicked();
});

// The second press of a double click may be the first one on the page that the first led to: there it does
// nothing, at the same place.
const AGAIN_WITHIN = 500;
const SAME_PLACE = 10;
const PRESSED = "pressed";
const ledHere = inWindow.get(PRESSED);
addEventListener(
  "click",
  (event) => {
    // By the keyboard, or by the script.
    if (!event.detail) return;
    const press = { x: event.clientX, y: event.clientY, at: Date.now() };
    const isNear = (axis) => Math.abs(press[axis] - ledHere[axis]) <= SAME_PLACE;
    const isSoon = ledHere && press.at >= ledHere.at && press.at - ledHere.at < AGAIN_WITHIN;
    if (isSoon && isNear("x") && isNear("y")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    inWindow.set(PRESSED, press);
  },
  true,
);

// A second press within a few seconds doesn't send the form a second time.
const SENT_WITHIN = 3000;
// The form that was checked before it is sent from a page whose session has ended.
let checked = null;
addEventListener("submit", (event) => {
  const form = event.target;
  if (isSignedOut && form !== checked) {
    event.preventDefault();
    return sendChecked(form, event.submitter);
  }
  const sent = Number(form.dataset.sent || 0);
  if (Date.now() - sent < SENT_WITHIN) return event.preventDefault();
  form.dataset.sent = Date.now();
  if (form.method === "post") storeSent(form);
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
    const refusal = response && response.status === 403 && (await detailOf(response));
    const needsPage = response && !refusal && (response.status === 200 || response.status === 403 || response.type === "opaqueredirect");
    if (response && response.status === 204) {
      saved = value;
      form.elements.shown.value = body.get(field.name) ?? "";
      if (field[property] === value) setDefault(field);
      outcome.textContent = "Saved";
    } else if (needsPage) {
      outcome.textContent = "Not saved yet: press Save to continue.";
    } else if (refusal) {
      field[property] = saved;
      outcome.textContent = refusal;
    } else if (response && response.status === 409) {
      field[property] = saved;
      outcome.textContent = "It was not saved: it was changed in the meantime. Reload the page.";
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
  // It may have been saved elsewhere.
  document.addEventListener("patched", () => {
    if (!isTyped(field)) saved = field[property];
  });
}

// Returns what the page of an error says; null of another page, such as that for the password.
async function detailOf(response) {
  const page = await parsed(response).catch(() => null);
  const detail = page && page.querySelector("main [data-detail]");
  return detail && detail.textContent;
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
