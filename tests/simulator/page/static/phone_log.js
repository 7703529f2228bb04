// What happens in the call: each event, the handler that took it, and what came of it.

import { byId, h, setAttribute } from "./dom.js";
import { baseName, deliveryOf, handlerOf, repliesOf } from "./event_parts.js";
import { milliseconds, replyOf, toneOf } from "./words.js";

const LATE_SECONDS = 5;

export class PhoneLog {
  #rows = new Map();
  #callId = null;

  constructor(store, model, { again }) {
    this.store = store;
    this.model = model;
    this.again = again;
    this.list = byId("phone-events");
  }

  draw() {
    const { call } = this.model;
    byId("phone-events-empty").hidden = Boolean(call?.steps.length);
    if (!call) return;
    if (call.callId !== this.#callId) {
      this.#callId = call.callId;
      this.#rows.clear();
      this.list.replaceChildren();
    }
    for (const step of call.steps) this.#update(step);
  }

  #update(step) {
    let row = this.#rows.get(step.step);
    if (!row) {
      row = { item: h("li", { class: "phone-event" }), seen: "" };
      this.#rows.set(step.step, row);
      const box = this.list.parentElement;
      const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
      this.list.append(row.item);
      if (isAtEnd) box.scrollTop = box.scrollHeight;
    }
    const seen = `${Boolean(step.ended)}${step.handlers.length}${Boolean(step.line)}`;
    if (row.seen === seen) return;
    row.seen = seen;
    const isOpen = row.item.querySelector("details")?.open ?? false;
    const hasFocus = row.item.contains(document.activeElement);
    setAttribute(row.item, "data-tone", toneOfStep(step));
    setAttribute(row.item, "data-is-handled", step.handlers.length > 0);
    row.item.replaceChildren(this.#details(step, isOpen));
    if (hasFocus) row.item.querySelector("summary").focus();
  }

  #details(step, isOpen) {
    const { line } = step;
    const zero = this.model.call.began.seconds;
    const notes = line?.notes?.length ? ` · ${line.notes.join(", ")}` : "";
    const more = h("div", { class: "event-more" });
    const fill = () => more.replaceChildren(this.#facts(step), ...step.handlers.map((run) => handlerOf(run)), ...(line?.actions?.length ? [repliesOf(line)] : []), this.#buttons(step));
    if (isOpen) fill();
    const actions = step.handlers.flatMap(({ actions: listed }) => listed);
    return h(
      "details",
      { open: isOpen, ontoggle: ({ target }) => (target.open ? fill() : more.replaceChildren()) },
      h(
        "summary",
        {},
        h("span", { class: "when" }, `${(step.seconds - zero).toFixed(2)} s`),
        h("b", { class: "event-name" }, nameOf(step)),
        h("span", { class: "chip", "data-tone": step.ended ? toneOf(step.ended.status) : "neutral" }, step.ended ? replyOf(step.ended) : "…"),
        h("span", { class: "event-reason" }, line ? `${line.reason}${line.instance ? ` to ${line.instance}` : ""}${notes}` : ""),
        step.handlers.map((run) => h("code", { class: "event-place" }, `${baseName(run.file)}:${run.line} ${run.function}`)),
        h("span", { class: "event-actions" }, actions.map(({ name }) => name).join(", ")),
      ),
      more,
    );
  }

  #facts({ ended, line, region, what }) {
    const took = ended ? `${ended.region ?? "nobody"} replied ${replyOf(ended)} in ${milliseconds(ended.took_seconds)}.` : "There is no reply yet.";
    const graph = line?.graph_status ? ` Graph replied ${line.graph_status}${line.graph_code ? ` (${line.graph_code})` : ""}.` : "";
    const failure = line?.type ? ` ${line.type} in line ${line.line} of ${baseName(line.file ?? "")}.` : "";
    return h("p", { class: "hint" }, `${what}: ${took}${line ? ` The log of ${region} says ${line.reason}.` : ""}${graph}${failure} ${line ? deliveryOf(line) : ""}`);
  }

  #buttons(step) {
    const send = (copies, seconds, text) => h("button", { type: "button", class: "quiet", onclick: () => this.again({ step: step.step, copies, after_seconds: seconds }) }, text);
    return h("div", { class: "buttons" }, send(1, 0, "Send again"), send(2, 0, "Send twice"), send(1, LATE_SECONDS, `Send in ${LATE_SECONDS} s`));
  }
}

function nameOf({ line, what }) {
  const name = line?.bot_event;
  return name && name !== "event" ? name : what;
}

function toneOfStep({ line, ended, handlers }) {
  if (line?.reason === "bot-failed" || line?.reason?.startsWith("action-") || (ended && toneOf(ended.status) === "red")) return "red";
  return handlers.length ? "green" : "neutral";
}
