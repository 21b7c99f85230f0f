// The page's behaviour: the dialog, moving entries, and a look at the change counter once a second.
"use strict";
const acting = document.body.dataset.acting;
const zone = document.body.dataset.zone;
const board = document.getElementById("board");
const dialog = document.getElementById("dialog");
const form = document.getElementById("record");
const field = (name) => form.elements[name];
const phone = matchMedia("(max-width: 760px)");
let opened = null; // the record in the dialog, null for a new one
let revision = Number(board.querySelector(".week").dataset.revision);
let dragging = false;

function say(text) {
  const line = document.getElementById("status");
  line.textContent = text;
  line.classList.add("shown");
  setTimeout(() => line.classList.remove("shown"), 2500);
}

async function call(method, path, body) {
  const options = { method, headers: { "X-Acting-As": acting, "Content-Type": "application/json" } };
  if (body) options.body = JSON.stringify({ ...body, zone });
  let answer;
  try {
    answer = await fetch(`/page/records/${path}`, options);
  } catch {
    throw new Error("The CRM does not answer.");
  }
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error || `The CRM answered ${answer.status}.`);
  return found;
}

async function refresh() {
  const answer = await fetch(`/page/board${location.search}`);
  if (!answer.ok || dragging) return;
  const top = document.getElementById("scroll").scrollTop;
  const focused = document.activeElement?.dataset?.id;
  board.innerHTML = await answer.text();
  document.getElementById("scroll").scrollTop = top;
  if (focused) board.querySelector(`[data-id="${focused}"]`)?.focus();
  revision = Number(board.querySelector(".week").dataset.revision);
}

async function look() {
  try {
    const { revision: latest } = await (await fetch("/control/revision")).json();
    if (latest !== revision && !dragging) await refresh();
  } catch { /* the server is away: look again later */ }
  setTimeout(look, 1000);
}

// --- the dialog

function arrange() {
  const type = field("type").value;
  const whole = type !== "Call" && field("isAllDay").checked;
  form.querySelector(".all-day").hidden = type === "Call";
  form.querySelector(".location").hidden = type !== "Visit";
  for (const label of form.querySelectorAll(".timed")) label.hidden = whole;
  for (const label of form.querySelectorAll(".whole")) label.hidden = !whole;
}

function fail(text) {
  const line = document.getElementById("error");
  line.textContent = text;
  line.hidden = !text;
}

function show(record) {
  form.reset();
  fail("");
  for (const name of ["name", "status", "dateStart", "dateEnd", "dateStartDate", "dateEndDate", "assignedUserId", "location", "description"]) {
    if (record[name] !== undefined) field(name).value = record[name] ?? "";
  }
  field("isAllDay").checked = Boolean(record.isAllDay);
  field("type").value = record.entityType;
  field("type").disabled = Boolean(opened);
  for (const link of ["users", "contacts", "leads"]) {
    for (const box of form.querySelectorAll(`[name=${link}Ids]`)) {
      box.checked = (record[`${link}Ids`] || []).includes(box.value);
      const status = record[`${link}Columns`]?.[box.value]?.status;
      box.parentElement.querySelector(".answer").textContent = box.checked && status && status !== "None" ? status : "";
    }
  }
  document.getElementById("dialog-title").textContent = opened ? `Edit ${record.entityType}` : "New";
  document.getElementById("modified").textContent = opened ? `Last saved by ${record.modified}` : "";
  document.getElementById("delete").hidden = !opened;
  arrange();
  dialog.showModal();
  field("name").focus();
}

function local(moment) {
  const two = (number) => String(number).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

function openNew(day, minutes) {
  opened = null;
  const today = board.querySelector(".day.today")?.dataset.date;
  const date = day || today || document.body.dataset.week;
  const start = new Date(`${date}T00:00`);
  // Unless a place in the week was chosen: the next full hour, for a meeting that is over invites nobody.
  const now = date === today ? board.querySelector(".day.today .now")?.style.getPropertyValue("--m") : undefined;
  start.setMinutes(minutes ?? (now === undefined ? 10 : Math.floor(Number(now) / 60) + 1) * 60);
  const end = new Date(start.getTime() + 3600000);
  // An administrator plans for others: the first user is offered.
  const owner = document.getElementById("shown").value || (document.body.dataset.admin ? field("assignedUserId").options[1].value : acting);
  show({ entityType: "Meeting", status: "Planned", dateStart: local(start), dateEnd: local(end), dateStartDate: date, dateEndDate: date, assignedUserId: owner });
}

async function openRecord(type, id) {
  try {
    const record = await (await fetch(`/page/records/${type}/${id}?as=${acting}&zone=${encodeURIComponent(zone)}`)).json();
    if (record.error) throw new Error(record.error);
    opened = { type, id, record };
    show(record);
  } catch (problem) {
    say(problem.message);
  }
}

function values() {
  const type = field("type").value;
  const found = {};
  for (const name of ["name", "status", "description"]) found[name] = field(name).value;
  found.description = found.description || null;
  found.assignedUserId = field("assignedUserId").value || null;
  if (type === "Visit") found.location = field("location").value || null;
  const whole = type !== "Call" && field("isAllDay").checked;
  if (whole) {
    Object.assign(found, { isAllDay: true, dateStartDate: field("dateStartDate").value, dateEndDate: field("dateEndDate").value || field("dateStartDate").value });
  } else {
    Object.assign(found, { dateStart: field("dateStart").value, dateEnd: field("dateEnd").value || null });
    if (type !== "Call") Object.assign(found, { isAllDay: false, dateStartDate: null, dateEndDate: null });
  }
  for (const link of ["users", "contacts", "leads"]) {
    found[`${link}Ids`] = [...form.querySelectorAll(`[name=${link}Ids]:checked`)].map((box) => box.value);
  }
  return found;
}

// Only what the person changed is sent, as the CRM's own page does.
function changed(found) {
  const before = opened.record;
  const same = (name, value) => (Array.isArray(value) ? [...value].sort().join() === [...(before[name] || [])].sort().join() : (before[name] ?? "") === (value ?? "") || (name === "isAllDay" && Boolean(before[name]) === value));
  const kept = Object.entries(found).filter(([name, value]) => !same(name, value));
  const result = Object.fromEntries(kept);
  if ("isAllDay" in result || "dateStart" in result || "dateEnd" in result || "dateStartDate" in result || "dateEndDate" in result) {
    for (const name of ["dateStart", "dateEnd", "dateStartDate", "dateEndDate"]) if (name in found) result[name] = found[name];
  }
  return result;
}

async function save(event) {
  event.preventDefault();
  const button = document.getElementById("save");
  button.disabled = true;
  try {
    const found = values();
    if (!opened) await call("POST", field("type").value, found);
    else {
      const differing = changed(found);
      if (Object.keys(differing).length) await call("PUT", `${opened.type}/${opened.id}`, differing);
    }
    dialog.close();
    say("Saved.");
    await refresh();
  } catch (problem) {
    fail(problem.message);
  } finally {
    button.disabled = false;
  }
}

async function remove() {
  try {
    await call("DELETE", `${opened.type}/${opened.id}`);
    dialog.close();
    say("Deleted.");
    await refresh();
  } catch (problem) {
    fail(problem.message);
  }
}

// --- moving and stretching entries in the grid

function minutesAt(day, y) {
  const box = day.getBoundingClientRect();
  return Math.max(0, Math.min(1439, ((y - box.top) / box.height) * 1440));
}

function grab(event) {
  const entry = event.target.closest(".entry.timed[data-record-name]");
  if (!entry || event.button !== 0 || phone.matches) return;
  const stretching = event.target.classList.contains("stretch");
  const days = [...board.querySelectorAll(".day")];
  const home = entry.closest(".day");
  const start = Number(entry.style.getPropertyValue("--m"));
  const length = Number(entry.style.getPropertyValue("--l"));
  const offset = minutesAt(home, event.clientY) - start;
  const origin = [event.clientX, event.clientY];
  let target = { day: home, start, length };

  function move(at) {
    if (!dragging && Math.hypot(at.clientX - origin[0], at.clientY - origin[1]) < 6) return;
    dragging = true;
    entry.classList.add("moving");
    const snap = (minutes) => Math.round(minutes / 15) * 15;
    if (stretching) {
      target.length = Math.max(15, snap(minutesAt(home, at.clientY) - start));
      entry.style.setProperty("--l", target.length);
      return;
    }
    target.day = days.find((day) => at.clientX >= day.getBoundingClientRect().left && at.clientX < day.getBoundingClientRect().right) || target.day;
    target.start = Math.max(0, Math.min(1425, snap(minutesAt(target.day, at.clientY) - offset)));
    entry.style.setProperty("--m", target.start);
    if (entry.parentElement !== target.day) target.day.append(entry);
  }

  async function drop() {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", drop);
    removeEventListener("pointercancel", drop);
    if (!dragging) return;
    addEventListener("click", (click) => { click.stopPropagation(); click.preventDefault(); }, { capture: true, once: true });
    const at = new Date(`${target.day.dataset.date}T00:00`);
    at.setMinutes(stretching ? start + target.length : target.start);
    try {
      await call("PUT", `${entry.dataset.type}/${entry.dataset.id}`, stretching ? { dateEnd: local(at) } : { dateStart: local(at) });
      say("Moved.");
    } catch (problem) {
      say(problem.message);
    }
    dragging = false;
    await refresh();
  }

  addEventListener("pointermove", move);
  addEventListener("pointerup", drop);
  addEventListener("pointercancel", drop);
}

// --- wiring

board.addEventListener("pointerdown", grab);
board.addEventListener("click", (event) => {
  const entry = event.target.closest(".entry");
  if (entry) openRecord(entry.dataset.type, entry.dataset.id);
});
board.addEventListener("dblclick", (event) => {
  if (event.target.classList.contains("day")) openNew(event.target.dataset.date, Math.floor(minutesAt(event.target, event.clientY) / 30) * 30);
});
document.getElementById("new").addEventListener("click", () => openNew());
document.getElementById("cancel").addEventListener("click", () => dialog.close());
document.getElementById("delete").addEventListener("click", remove);
document.getElementById("view").addEventListener("change", (event) => event.currentTarget.submit());
form.addEventListener("submit", save);
form.addEventListener("change", arrange);
field("dateStart").addEventListener("focus", () => { field("dateStart").dataset.before = field("dateStart").value; });
field("dateStart").addEventListener("change", () => {
  const [before, now, end] = [field("dateStart").dataset.before, field("dateStart").value, field("dateEnd").value].map((text) => new Date(text));
  if (!opened && now >= end) field("dateEnd").value = local(new Date(now.getTime() + Math.max(end - before, 0) || now.getTime() + 3600000));
});
document.addEventListener("keydown", (event) => {
  if (dialog.open || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const go = { ArrowLeft: "previous", ArrowRight: "next", t: "today" }[event.key];
  if (go) document.getElementById(go).click();
  if (event.key === "n") { event.preventDefault(); openNew(); }
});
document.getElementById("scroll").scrollTop = 7 * 46;
look();
