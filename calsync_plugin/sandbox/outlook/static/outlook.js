"use strict";
// Opens and fills the event dialog, and replaces the week when the simulator's counter has changed.
const live = document.getElementById("live");
const dialog = document.getElementById("event-dialog");
const form = document.getElementById("event-form");
const week = () => document.getElementById("week");
const scroller = () => document.getElementById("scroller");
const field = (name) => form.elements[name];
const WORKDAY_STARTS = 6.75;

function showWorkday() {
  const day = document.querySelector("#week .day");
  scroller().scrollTop = day ? (day.offsetHeight / 24) * WORKDAY_STARTS : 0;
}

function setTimes(start, end, allDay) {
  for (const [name, value] of [["start", start], ["end", end]]) {
    field(name).type = allDay ? "date" : "datetime-local";
    field(name).value = allDay ? value.slice(0, 10) : value;
  }
}

const ANSWERS = {
  none: "no answer yet", notResponded: "no answer yet", accepted: "accepted",
  tentativelyAccepted: "tentative", declined: "declined", organizer: "organizer",
};

function listPeople(event) {
  const list = document.getElementById("responses");
  list.replaceChildren(...event.attendees.map((person) => {
    const isHost = person.address.toLowerCase() === event.organizer.address.toLowerCase();
    const answer = isHost ? "organizer" : person.response;
    const row = document.createElement("li");
    const name = document.createElement("span");
    const state = document.createElement("b");
    name.textContent = person.name === person.address ? person.address : `${person.name} · ${person.address}`;
    state.textContent = ANSWERS[answer] || answer;
    row.dataset.response = answer;
    row.dataset.address = person.address;
    row.append(name, state);
    return row;
  }));
}

function open(event) {
  const isNew = !event.id;
  form.reset();
  field("id").value = event.id || "";
  field("subject").value = event.subject;
  field("allDay").checked = event.allDay;
  setTimes(event.start, event.end, event.allDay);
  field("online").checked = Boolean(event.joinUrl);
  field("online").disabled = Boolean(event.joinUrl);
  field("location").value = event.location;
  field("attendees").value = event.attendees.map((person) => person.address).join(", ");
  field("attendees").readOnly = !isNew && !event.isOrganizer;
  field("description").value = event.description;
  field("showAs").value = event.showAs;
  field("sensitivity").value = event.sensitivity;
  const calendar = field("calendar");
  if (calendar) calendar.value = event.calendar || calendar.options[0].value;
  for (const part of form.querySelectorAll(".new-only")) part.hidden = !isNew;
  document.getElementById("dialog-title").textContent = isNew ? "New event" : event.isOrganizer ? "Event" : "Invitation";
  const notes = [];
  if (event.cancelled) notes.push("The organizer has cancelled this meeting.");
  if (!isNew && !event.isOrganizer) notes.push(`Organised by ${event.organizer.name}. Your answer: ${ANSWERS[event.response] || event.response}. Changes here stay in this mailbox.`);
  if (event.repeats) notes.push(event.repeats + (event.inSeries ? " · this is one occurrence." : "."));
  const notice = document.getElementById("notice");
  notice.textContent = notes.join(" ");
  if (event.joinUrl) {
    const link = document.createElement("a");
    link.href = event.joinUrl;
    link.textContent = "Teams meeting";
    link.rel = "noreferrer";
    notice.append(notes.length ? " " : "", link);
  }
  document.getElementById("invitation").hidden = isNew || event.isOrganizer || event.cancelled;
  document.getElementById("delete").hidden = isNew;
  document.getElementById("delete").textContent = event.inSeries ? "Delete occurrence" : "Delete";
  document.getElementById("delete-series").hidden = !event.inSeries;
  listPeople(event);
  dialog.showModal();
  field("subject").focus();
}

function blank(start, end) {
  return {
    id: "", subject: "", allDay: false, start, end, location: "", attendees: [], description: "", joinUrl: "",
    showAs: "busy", sensitivity: "normal", repeats: "", inSeries: false, isOrganizer: true, cancelled: false,
    organizer: { name: "", address: "" }, response: "organizer",
  };
}

live.addEventListener("click", (click) => {
  const button = click.target.closest(".event");
  if (button) return open(JSON.parse(button.dataset.event));
  const day = click.target.closest(".day");
  if (!day) return;
  const box = day.getBoundingClientRect();
  const hour = Math.min(23, Math.floor(((click.clientY - box.top) / box.height) * 24));
  const two = (number) => String(number).padStart(2, "0");
  const ends = hour === 23 ? "23:59" : `${two(hour + 1)}:00`;
  open(blank(`${day.dataset.day}T${two(hour)}:00`, `${day.dataset.day}T${ends}`));
});
document.getElementById("new-event").addEventListener("click", () => open(blank(form.dataset.newStart, form.dataset.newEnd)));
document.getElementById("close").addEventListener("click", () => dialog.close());
field("allDay").addEventListener("change", () => {
  const full = (name, hour) => (field(name).value.length > 10 ? field(name).value : `${field(name).value}T${hour}`);
  setTimes(full("start", "09:00"), full("end", "10:00"), field("allDay").checked);
});
let length = 3600000;
field("start").addEventListener("focus", () => { length = new Date(field("end").value) - new Date(field("start").value); });
field("start").addEventListener("change", () => {
  const start = new Date(field("start").value);
  if (field("allDay").checked || Number.isNaN(start.valueOf()) || !(length >= 0)) return;
  const end = new Date(start.valueOf() + length);
  field("end").value = new Date(end.valueOf() - end.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
});
for (const name of ["mailbox", "zone"]) {
  document.getElementById(name).addEventListener("change", () => document.getElementById("place").submit());
}

async function refresh() {
  try {
    const answer = await fetch("/control/counter", { cache: "no-store" });
    const { counter } = await answer.json();
    if (String(counter) !== week().dataset.counter) {
      const fresh = await fetch(live.dataset.refresh, { cache: "no-store" });
      if (fresh.ok) {
        const focused = document.activeElement && document.activeElement.dataset.eventId;
        const { scrollTop, scrollLeft } = scroller();
        live.innerHTML = await fresh.text();
        scroller().scrollTo(scrollLeft, scrollTop);
        const again = focused && live.querySelector(`[data-event-id="${CSS.escape(focused)}"]`);
        if (again && !dialog.open) again.focus({ preventScroll: true });
      }
    }
    document.body.classList.remove("offline");
  } catch (error) {
    document.body.classList.add("offline");
  }
  setTimeout(refresh, 1000);
}

showWorkday();
refresh();
