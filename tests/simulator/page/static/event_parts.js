// What came of an event: the handler that took it, its actions, and its delivery.

import { h } from "./dom.js";
import { count, milliseconds } from "./words.js";

/** The last part of a path. */
export function baseName(path) {
  return (path ?? "").split("/").at(-1);
}

/** A handler that has run: its place, states, error and actions, with their bodies. */
export function handlerOf(run) {
  const { error } = run;
  return h(
    "div",
    { class: "handler" },
    h("h4", {}, `${run.bot_event}: ${run.function}, line ${run.line} of ${baseName(run.file)}, ${milliseconds(run.took_seconds)}`),
    h("div", { class: "states" }, state("State before", run.state_before), state("State after", run.state_after)),
    error ? h("p", { class: "problem" }, `${error.type}${error.line ? `, line ${error.line}` : ""}: ${error.message}`) : null,
    run.actions.map((action) => h("div", {}, h("p", { class: "mono" }, action.name), action.body && Object.keys(action.body).length ? json(`${action.name} of ${run.function}`, action.body) : null)),
  );
}

/** What Graph replied to each action, as the region logged it. */
export function repliesOf(line) {
  return h("div", {}, h("h4", {}, "Graph’s replies"), h("ul", {}, line.actions.map((action) => h("li", {}, replyTo(action)))));
}

/** An action and Graph's reply to it, such as `playPrompt: 200`. */
export function replyTo({ name, status, attempts, graph_code: code }) {
  return `${name}: ${status ?? "no reply"}${code ? ` ${code}` : ""}${attempts > 1 ? `, ${attempts} attempts` : ""}`;
}

/** The notifications of a POST that are about a call, as the region's log line has them. */
export function itemsOf(line, callId) {
  return (line.items ?? [line]).filter((item) => !item.call_id || item.call_id === callId);
}

/** How a delivery to an instance went; empty where there was none. */
export function deliveryOf({ instance, delivery_status: status, delivery_ms: took, delivery_attempts: attempts }) {
  if (!instance) return "";
  const reply = status ? `replied ${status}` : "gave no reply";
  const time = took === undefined ? "" : ` in ${milliseconds(took / 1000)}`;
  return `Instance ${instance} ${reply}${time}${attempts > 1 ? `, ${count(attempts, "attempt")}` : ""}.`;
}

function state(title, value) {
  return h("div", {}, h("h4", {}, title), h("code", {}, JSON.stringify(value)));
}

function json(name, value) {
  return h("pre", { class: "raw", tabindex: "0", role: "region", "aria-label": name }, JSON.stringify(value, null, 1));
}
