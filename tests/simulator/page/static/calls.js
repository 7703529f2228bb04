// The list of calls, newest first: the caller, the replies, and how the call ended.

import { byId, h, oncePerFrame, setAttribute, setText } from "./dom.js";
import { segments } from "./place.js";
import { FOLLOW_UPS } from "./store.js";
import { clock, milliseconds, outcomeOf, replyOf, toneOf } from "./words.js";

const MAX_ROWS = 60;
const MAX_CHIPS = 3;
// How calls end that the bot has dealt with.
const TAKEN = new Set(["answered", "rejected", "redirected"]);
const FILTERS = {
  all: { text: "all", matches: () => true },
  mine: { text: "mine", matches: (call) => call.isMine },
  trouble: { text: "lost or refused", matches: (call) => call.ended && !TAKEN.has(call.ended.outcome) },
};

export class CallList {
  #rows = new Map();
  #expected = [];

  constructor(store, { onSelect, announce }) {
    this.store = store;
    this.onSelect = onSelect;
    this.announce = announce;
    this.selected = null;
    this.filter = "all";
    this.list = byId("calls-list");
    byId("calls-filter").append(
      ...segments("calls-filter", Object.entries(FILTERS).map(([name, { text }]) => [name, text]), "all", (name) => {
        this.filter = name;
        this.draw();
      }),
    );
    this.list.addEventListener("keydown", (event) => this.#move(event));
    const redraw = oncePerFrame(() => this.draw());
    store.on("call-placed", (event) => this.#claim(event));
    store.on("call-ended", (event) => this.#tell(event));
    store.on(["call-placed", "step-started", "step-ended", "call-ended"], redraw);
  }

  /** Expects a call that somebody has just placed on this page. */
  expect(caller) {
    this.#expected.push(caller);
  }

  #claim(event) {
    const position = event.isNews ? this.#expected.indexOf(event.caller) : -1;
    if (position < 0) return;
    this.#expected.splice(position, 1);
    this.store.calls.get(event.call_id).isMine = true;
    this.select(event.call_id);
  }

  #tell(event) {
    const call = this.store.calls.get(event.call_id);
    if (!call?.isMine) return;
    const city = this.store.callers.get(event.caller)?.city ?? event.caller;
    const end = TAKEN.has(event.outcome)
      ? `${outcomeOf(event)} by ${event.region} in ${milliseconds(event.answer_seconds)}`
      : `${event.outcome}: ${event.why}`;
    this.announce(`Call from ${city}: ${end}.`);
  }

  select(callId) {
    this.selected = callId;
    this.draw();
    this.onSelect(callId);
  }

  /** Selects the next call in the list (1) or the previous one (-1). */
  step(direction) {
    const ids = [...this.list.children].map((row) => row.dataset.call);
    if (!ids.length) return;
    const at = ids.indexOf(this.selected);
    const next = ids[Math.max(0, Math.min(ids.length - 1, at < 0 ? 0 : at + direction))];
    this.select(next);
    this.#rows.get(next)?.button.focus();
  }

  draw() {
    const { matches } = FILTERS[this.filter];
    const shown = [...this.store.calls.values()].filter(matches).reverse().slice(0, MAX_ROWS);
    const ids = new Set(shown.map((call) => call.call_id));
    for (const [id, row] of this.#rows) {
      if (!ids.has(id)) {
        row.item.remove();
        this.#rows.delete(id);
      }
    }
    let after = null;
    for (const call of shown) {
      const row = this.#rows.get(call.call_id) ?? this.#build(call);
      this.#update(row, call);
      const place = after ? after.nextSibling : this.list.firstChild;
      // An element that is moved loses the focus.
      if (row.item !== place) this.list.insertBefore(row.item, place);
      after = row.item;
    }
    byId("calls-empty").hidden = shown.length > 0;
  }

  #build(call) {
    const caller = this.store.callers.get(call.caller);
    const row = {
      way: h("span", { class: "way" }),
      end: h("span", { class: "end" }),
    };
    row.button = h(
      "button",
      { type: "button", class: "call-row" },
      h("span", { class: "when" }, clock(call.seconds)),
      h("span", { class: "who" }, `${caller?.city ?? call.caller}`, h("span", { class: "country" }, call.country_code ?? "")),
      row.way,
      row.end,
    );
    row.button.addEventListener("click", () => this.select(call.call_id));
    row.item = h("li", { "data-call": call.call_id }, row.button);
    this.#rows.set(call.call_id, row);
    return row;
  }

  #update(row, call) {
    const steps = [...call.steps.values()].filter((step) => !FOLLOW_UPS.has(step.what));
    const way = steps.map((step) => `${replyOf(step)}@${step.region ?? "?"}`).join(" ");
    if (row.way.dataset.way !== way) {
      row.way.dataset.way = way;
      row.way.replaceChildren(...grouped(steps).slice(-MAX_CHIPS).map(([step, times]) => chip(step, times)));
    }
    const { ended } = call;
    setText(row.end, ended ? (ended.outcome === "answered" ? milliseconds(ended.answer_seconds) : outcomeOf(ended)) : "ringing");
    setAttribute(row.item, "data-outcome", ended?.outcome ?? "ringing");
    setAttribute(row.button, "aria-current", call.call_id === this.selected ? "true" : null);
  }

  #move(event) {
    const direction = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    this.step(direction);
  }
}

/** The replies in order; equal ones in a row become one, with their number. */
function grouped(steps) {
  const groups = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (last && last[0].region === step.region && replyOf(last[0]) === replyOf(step)) last[1] += 1;
    else groups.push([step, 1]);
  }
  return groups;
}

/** A reply in short: its status and the region that sent it. */
function chip(step, times) {
  const ended = "status" in step;
  return h(
    "span",
    { class: "chip", "data-tone": ended ? toneOf(step.status) : "neutral" },
    h("b", {}, ended ? replyOf(step) : "…"),
    step.region ? ` ${step.region}` : "",
    times > 1 ? ` ×${times}` : "",
  );
}
