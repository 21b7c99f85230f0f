// Shows fields whose condition holds. Everything works without this script; more fields are visible then.
"use strict";

function valueOf(form, name) {
  const fields = form.querySelectorAll(`[name="${name}"]`);
  if (fields.length === 1 && fields[0].type === "checkbox") return fields[0].checked;
  const chosen = [...fields].find((field) => field.type !== "radio" || field.checked);
  return chosen ? chosen.value : "";
}

function showWhatApplies(form) {
  for (const box of form.querySelectorAll("[data-show-if]")) {
    const wanted = Object.entries(JSON.parse(box.dataset.showIf));
    box.hidden = !wanted.every(([name, values]) => values.includes(valueOf(form, name)));
  }
}

for (const form of document.querySelectorAll("form")) {
  if (!form.querySelector("[data-show-if]")) continue;
  form.addEventListener("input", () => showWhatApplies(form));
  showWhatApplies(form);
}

// Microsoft's login in a window of its own, which tells this page when it is done. Without this script the
// login opens in a tab, and this page shows the result once it is reloaded.
const LOGIN = "calsync-login";

async function connect(form, popup) {
  const answer = await fetch(form.action, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new FormData(form),
  });
  const told = await answer.json().catch(() => null);
  if (answer.ok && told) popup.location = told.address;
  else {
    popup.close();
    // Without an answer the session is over: the page asks to sign in again.
    if (told) window.alert(told.error);
    else window.location.reload();
  }
}

for (const form of document.querySelectorAll("form[data-connect]")) {
  form.addEventListener("submit", (event) => {
    const popup = window.open("about:blank", LOGIN, "popup,width=560,height=720");
    if (!popup) return;
    event.preventDefault();
    connect(form, popup);
  });
  new BroadcastChannel(LOGIN).addEventListener("message", (event) => {
    if (event.data === "connected") window.location.reload();
  });
}

if (document.querySelector("[data-login]")) {
  new BroadcastChannel(LOGIN).postMessage(document.querySelector("[data-login]").dataset.login);
  if (window.name === LOGIN && document.querySelector("[data-login=connected]")) window.close();
}

// What is there to be copied is selected as a whole by one click or by the Tab key.
for (const field of document.querySelectorAll("[data-copy]")) {
  field.addEventListener("focus", () => field.select());
}

// The status of the sync: looked at each second while it is under way, then now and then for some minutes.
// Without this script the page shows it once it is reloaded.
const EACH = 1000;
const NOW_AND_THEN = 5000;
const LOOKS = 60;

function showStatus(box, told) {
  for (const field of box.querySelectorAll("[data-live]")) {
    const text = String(told[field.dataset.live] ?? "");
    if (field.textContent !== text) field.textContent = text;
    if (field.dataset.live === "title") field.className = `badge text-bg-${told.colour}`;
  }
  box.querySelector("[data-live-bar]").hidden = !told.busy;
  const bar = box.querySelector("progress");
  if (told.whole) {
    bar.max = told.whole;
    bar.value = told.done;
  } else bar.removeAttribute("value");
}

async function watch(box, looks) {
  const answer = await fetch(box.dataset.poll, { headers: { Accept: "application/json" } }).catch(() => null);
  if (answer && (!answer.ok || answer.redirected)) return;
  const told = answer ? await answer.json() : { busy: false };
  if (answer) showStatus(box, told);
  if (told.busy) setTimeout(() => watch(box, LOOKS), EACH);
  else if (looks) setTimeout(() => watch(box, looks - 1), NOW_AND_THEN);
}

for (const box of document.querySelectorAll("[data-poll]")) watch(box, LOOKS);

// Parts of a page that are renewed while something is read: each second while that goes on, then now and then
// for some minutes. What somebody works in stays as it is. Without this script a link looks again.
async function freshPage(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer) return null;
  if (!answer.ok || answer.redirected) return undefined;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function renew(part, told) {
  if (!told || told.dataset.fresh === part.dataset.fresh || part.contains(document.activeElement)) return;
  part.replaceChildren(...[...told.childNodes].map((node) => document.importNode(node, true)));
  part.dataset.fresh = told.dataset.fresh;
}

async function keepFresh(box, looks) {
  const page = await freshPage(box.dataset.freshFrom);
  if (page === undefined) return;
  let busy = "busy" in box.dataset;
  if (page) {
    for (const part of document.querySelectorAll("[data-fresh]")) renew(part, page.getElementById(part.id));
    busy = "busy" in (page.getElementById(box.id)?.dataset ?? {});
  }
  if (busy) setTimeout(() => keepFresh(box, LOOKS), EACH);
  else if (looks) setTimeout(() => keepFresh(box, looks - 1), NOW_AND_THEN);
}

for (const box of document.querySelectorAll("[data-fresh-from]")) setTimeout(() => keepFresh(box, LOOKS), EACH);
