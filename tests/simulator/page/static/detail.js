// The selected call: each POST with its times, what came of it, and its raw notification.

import { RefusedError, get } from "./api.js";
import { byId, h } from "./dom.js";
import { baseName, deliveryOf, handlerOf, itemsOf, replyTo } from "./event_parts.js";
import { FOLLOW_UPS } from "./store.js";
import { milliseconds, replyOf, resultOf, toneOf } from "./words.js";

const PAUSE_MS = 150;

const MEANINGS = {
  204: "asks for the Graph form",
  202: "accepted",
  302: "redirected",
  307: "redirected",
  401: "token refused",
  403: "tenant refused",
  503: "unavailable, try again",
};

export class CallDetail {
  #timer = null;
  #open = new Set();
  #closed = new Set();

  /** `meaningOf` says in words what a result code means. */
  constructor(store, { onExplain, meaningOf }) {
    this.store = store;
    this.onExplain = onExplain;
    this.meaningOf = meaningOf;
    this.callId = null;
    this.body = byId("detail-body");
    store.on("*", (events) => {
      if (this.callId && events.some((event) => event.call_id === this.callId)) this.#later();
    });
  }

  show(callId) {
    if (callId !== this.callId) {
      this.#open.clear();
      this.#closed.clear();
    }
    this.callId = callId;
    this.#load();
  }

  #later() {
    this.#timer ??= setTimeout(() => this.#load(), PAUSE_MS);
  }

  async #load() {
    this.#timer = null;
    const { callId } = this;
    try {
      const { entries } = await get(`/api/calls/${encodeURIComponent(callId)}`);
      if (callId === this.callId) this.#draw(entries);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.body.replaceChildren(h("p", { class: "empty" }, error.message));
    }
  }

  #draw(entries) {
    const placed = entries.find((entry) => entry.kind === "call-placed");
    const ended = entries.find((entry) => entry.kind === "call-ended");
    const steps = stepsOf(entries);
    const announcing = steps.filter((step) => !FOLLOW_UPS.has(step.what));
    const following = steps.filter((step) => FOLLOW_UPS.has(step.what));
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.body.replaceChildren(
      this.#head(placed, ended),
      h("ol", { class: "steps" }, announcing.map((step) => this.#step(step, announcing, placed.seconds))),
      ...(following.length ? [this.#followUps(following, placed.seconds)] : []),
    );
    if (focused) this.body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #head(placed, ended) {
    const caller = this.store.callers.get(placed.caller);
    const limit = placed.is_policy_recording ? 5 : 15;
    const outcome = ended?.outcome ?? "ringing";
    const end = {
      answered: () => `answered by ${ended.region} in ${milliseconds(ended.answer_seconds)} of ${limit} s`,
      redirected: () => `sent on by ${ended.region} in ${milliseconds(ended.answer_seconds)} of ${limit} s`,
      rejected: () => `rejected by ${ended.region} in ${milliseconds(ended.answer_seconds)} of ${limit} s`,
      lost: () => `lost: ${ended.why}`,
      refused: () => `refused: ${ended.why}`,
      ringing: () => "ringing",
    }[outcome]();
    const kinds = [placed.starts_legacy && "legacy first", placed.is_policy_recording && "policy recording"].filter(Boolean);
    return h(
      "div",
      { class: "detail-head", "data-outcome": outcome },
      h("p", { class: "outcome" }, `From ${caller?.city ?? placed.caller}, ${end}`),
      h("p", { class: "ids" }, `call ${placed.call_id}`, kinds.length ? ` · ${kinds.join(", ")}` : ""),
    );
  }

  #step(step, all, zero) {
    const from = all[0].startedAt;
    const span = Math.max(...all.map((s) => s.startedAt + (s.took_seconds ?? 0) - from), 0.001);
    return h(
      "li",
      { class: "step", "data-tone": toneOf(step.status) },
      h(
        "div",
        { class: "step-line" },
        h("b", { class: "status" }, replyOf(step)),
        h("span", { class: "step-what" }, `${step.what} to `, h("b", {}, this.#receiverOf(step))),
        h("span", { class: "times" }, `+${milliseconds(step.startedAt - zero)}`, h("span", { class: "took" }, step.took_seconds === undefined ? "" : milliseconds(step.took_seconds))),
      ),
      bar((step.startedAt - from) / span, (step.took_seconds ?? 0) / span),
      h("p", { class: "said" }, this.#said(step)),
      this.#came(step, zero),
      this.#more(step),
    );
  }

  /** Who got a POST: a region, or with direct callbacks an instance. */
  #receiverOf({ region, url }) {
    if (region) return region;
    const instance = this.store.instanceAt(url);
    return instance ? `instance ${instance.partition} of ${instance.region}` : "nobody";
  }

  #said(step) {
    const parts = [];
    if (step.name) {
      const found = step.name.address ? `${step.name.address} (${step.name.region ?? "?"})` : "no address";
      parts.push(`${step.name.name} is ${found}${step.name.is_cached ? ", from the cache" : ""}. `);
    }
    if (step.error) parts.push(`No reply: ${replyOf(step)}.`);
    else if (step.redirect_region) parts.push(`Location: ${step.location}`);
    else if (step.status) parts.push(`Reply: ${MEANINGS[step.status] ?? step.status}.`);
    return parts.join("");
  }

  /** What came of a POST, in order: events, handlers, Graph's replies, deliveries. */
  #came(step, zero) {
    const handlers = step.runs.map((run) => h("li", {}, h("span", { class: "when" }, `+${milliseconds(run.seconds - zero)}`), h("span", {}, `${run.function}, `, h("code", { class: "event-place" }, `${baseName(run.file)}:${run.line}`), run.error ? ` failed: ${run.error.type}` : run.actions.length ? ` returned ${run.actions.map(({ name }) => name).join(", ")}` : " returned nothing")));
    const rows = step.log.flatMap(({ line, seconds }) => itemsOf(line, this.callId).map((item) => h("li", { "data-event": item.bot_event ?? line.decision }, h("span", { class: "when" }, `+${milliseconds(seconds - zero)}`), h("span", {}, this.#outcomeOf(item, line)))));
    return handlers.length + rows.length ? h("ol", { class: "came" }, handlers, rows) : null;
  }

  #outcomeOf(item, line) {
    const { actions, result_code: code, result_subcode: subcode } = item;
    const name = item.bot_event && item.bot_event !== "event" ? item.bot_event : (item.call_state ?? line.decision);
    const meaning = this.meaningOf(code, subcode);
    return [
      h("b", {}, name),
      ` ${[item.reason ?? line.reason, ...(item.notes ?? [])].join(", ")}. `,
      actions?.length ? `Graph: ${actions.map((action) => replyTo(action)).join("; ")}. ` : "",
      deliveryOf(item),
      code === undefined ? "" : ` ${this.#endedOf(item)} with ${resultOf(code, subcode)}${meaning ? `: ${meaning}` : "."}`,
    ];
  }

  #endedOf({ bot_event: event }) {
    return event === "operation_completed" ? "The operation ended" : "It ended";
  }

  #more(step) {
    const key = `more-${step.step}`;
    const isFirst = this.#open.size === 0 && ["incoming", "redirected"].includes(step.what) && step.status === 202;
    if (isFirst) this.#open.add(key);
    const content = h("div", {});
    const fill = () => content.replaceChildren(...this.#raw(step));
    const details = h(
      "details",
      { open: this.#open.has(key) },
      h("summary", { "data-key": key }, step.log.length ? "Log line and notification" : "Notification"),
      content,
    );
    if (details.open) fill();
    details.addEventListener("toggle", () => {
      if (details.open) {
        this.#open.add(key);
        fill();
      } else this.#open.delete(key);
      // With an empty set, the next drawing would open the first one again.
      this.#open.add("touched");
    });
    return details;
  }

  #raw(step) {
    return [
      ...step.runs.map((run) => handlerOf(run)),
      ...step.log.map((line) => h("div", {}, h("h4", {}, `Log of ${line.region}`), keyValues(line.line))),
      h("h4", {}, "Notification as it was sent"),
      h("pre", { class: "raw", tabindex: "0", role: "region", "aria-label": "Notification" }, JSON.stringify(step.notification, null, 2)),
      h("h4", {}, "Headers, without the token"),
      keyValues(step.headers),
      ...(step.region ? [h("button", { type: "button", "data-key": `explain-${step.step}`, onclick: () => this.onExplain(this.callId, step) }, "Explain rule by rule")] : []),
    ];
  }

  #followUps(steps, zero) {
    return h(
      "details",
      { class: "follow-ups", open: !this.#closed.has("follow-ups"), ontoggle: (event) => event.target.classList.contains("follow-ups") && this.#closed[event.target.open ? "delete" : "add"]("follow-ups") },
      h("summary", { "data-key": "follow-ups" }, `${steps.length} follow-ups to the callbackUri`),
      h("ol", { class: "steps" }, steps.map((step) => this.#step(step, steps, zero))),
    );
  }
}

/** Turns the events of a call into its POSTs, in order. */
function stepsOf(entries) {
  const steps = new Map();
  const names = [];
  const logs = [];
  const runs = [];
  for (const entry of entries) {
    if (entry.kind === "step-started") steps.set(entry.step, { ...entry, startedAt: entry.seconds, log: [], runs: [] });
    if (entry.kind === "step-ended" && steps.has(entry.step)) {
      const { seconds, kind, ...reply } = entry;
      Object.assign(steps.get(entry.step), reply, { endedAt: seconds });
    }
    if (entry.kind === "name-resolved") names.push(entry);
    if (entry.kind === "log-written") logs.push(entry);
    if (entry.kind === "handler-ran") runs.push(entry);
  }
  const ordered = [...steps.values()].sort((a, b) => a.step - b.step);
  for (const step of ordered) {
    step.name = names.find((name) => !name.isUsed && name.seconds >= step.startedAt - 0.001 && step.url?.includes(`//${name.name}`));
    if (step.name) step.name.isUsed = true;
    const message = step.headers?.["X-Microsoft-Skype-Message-ID"];
    const line = logs.find((log) => !log.isUsed && log.region === step.region && belongs(log, step, message));
    if (line) {
      line.isUsed = true;
      step.log.push(line);
    }
    // What was sent again has the same message id, and no handler takes it twice.
    step.runs = runs.filter((run) => !run.isUsed && run.message_id === message);
    for (const run of step.runs) run.isUsed = true;
  }
  return ordered;
}

/** Whether a log line is about this POST: by its message id, else by its status. */
function belongs(log, step, message) {
  if (log.line.message_id && message) return log.line.message_id === message;
  return log.line.status === step.status;
}

function keyValues(members) {
  const rows = Object.entries(members).map(([name, value]) => [
    h("dt", {}, name),
    h("dd", {}, typeof value === "string" ? value : JSON.stringify(value)),
  ]);
  return h("dl", { class: "members" }, rows);
}

/** A bar that shows when a POST started and how long it took. */
function bar(start, length) {
  const track = h("div", { class: "bar", "aria-hidden": "true" });
  const fill = h("div");
  fill.style.marginInlineStart = `${(start * 100).toFixed(1)}%`;
  fill.style.width = `${Math.max(1, length * 100).toFixed(1)}%`;
  track.append(fill);
  return track;
}
