// How calls ended: by outcome, as the platform saw it, and by result code, as the log says.

import { RefusedError, get } from "./api.js";
import { byId, h, oncePerFrame, setAttribute, setText } from "./dom.js";
import { resultOf } from "./words.js";

// The report's words; "refused" are calls that nobody had to take.
const OUTCOMES = { answered: "answered", rejected: "rejected by the bot", redirected: "sent on by the bot", lost: "lost", refused: "refused" };
const PAUSE_MS = 700;
const FAILURE = 400;

export class EndsPanel {
  #timer = null;
  #isLoading = false;
  #isStale = false;

  constructor(store, { onSelect, tell }) {
    this.store = store;
    this.onSelect = onSelect;
    this.tell = tell;
    this.rows = [];
    this.outcomes = new Map(Object.entries(OUTCOMES).map(([outcome, text]) => [outcome, { count: h("dd", {}), why: h("dd", { class: "why" }), name: h("dt", {}, text) }]));
    this.body = h("tbody");
    this.table = h(
      "table",
      { class: "ends-table" },
      h("caption", { class: "visually-hidden" }, "Calls by the result code with which they ended"),
      h("thead", {}, h("tr", {}, ["Calls", "Code", "What it means", "Region", "One of them"].map((name) => h("th", { scope: "col" }, name)))),
      this.body,
    );
    this.empty = h("p", { class: "hint" }, "No call has ended with a result code yet.");
    byId("ends").append(
      h("dl", { class: "outcomes" }, [...this.outcomes].map(([outcome, part]) => h("div", { "data-outcome": outcome }, part.name, part.count, part.why))),
      this.table,
      this.empty,
    );
    store.on("call-ended", oncePerFrame(() => this.#drawOutcomes()));
    store.on(["end-logged", "phone-logged"], (event) => {
      if (event.isNews && (event.kind === "end-logged" || event.line.bot_event === "terminated")) this.#later();
    });
    this.#drawOutcomes();
    this.#load();
  }

  /** Says in the report's words what a result code means; empty if that is not known. */
  meaningOf(code, subcode) {
    const name = resultOf(code, subcode);
    return this.rows.find((row) => resultOf(row.code, row.subcode) === name)?.meaning ?? "";
  }

  #later() {
    this.#timer ??= setTimeout(() => this.#load(), PAUSE_MS);
  }

  /** Asks for the counts, but never twice at the same time. */
  async #load() {
    this.#timer = null;
    this.#isStale = this.#isLoading;
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      this.rows = (await get("/api/ends")).ends;
      this.#drawCodes();
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.tell(error.message);
    } finally {
      this.#isLoading = false;
      if (this.#isStale) this.#later();
    }
  }

  #drawOutcomes() {
    const { totals } = this.store;
    for (const [outcome, { count, why, name }] of this.outcomes) {
      setText(count, totals[outcome].toLocaleString("en"));
      setAttribute(name.parentElement, "data-is-zero", totals[outcome] === 0);
      const reasons = Object.entries(totals.why).filter(([key]) => key.startsWith(`${outcome}: `));
      setText(why, reasons.map(([key, number]) => `${key.slice(outcome.length + 2)} ${number}`).join(", "));
    }
  }

  #drawCodes() {
    this.table.hidden = this.rows.length === 0;
    this.empty.hidden = this.rows.length > 0;
    const focused = document.activeElement?.dataset.end;
    this.body.replaceChildren(...this.rows.map((row) => this.#row(row)));
    if (focused) this.body.querySelector(`[data-end="${CSS.escape(focused)}"]`)?.focus();
  }

  #row({ code, subcode, meaning, region, calls, one_call: callId }) {
    const name = resultOf(code, subcode);
    return h(
      "tr",
      { "data-tone": code >= FAILURE ? "red" : "neutral" },
      h("td", { class: "number" }, calls.toLocaleString("en")),
      h("th", { scope: "row" }, h("span", { class: "chip" }, name)),
      h("td", {}, meaning ?? "Microsoft does not say."),
      h("td", { class: "mono" }, region),
      h("td", {}, h("button", { type: "button", class: "quiet", "data-end": `${name} ${region}`, onclick: () => this.onSelect(callId) }, "Show it", h("span", { class: "visually-hidden" }, `: a call of ${region} that ended with ${name}`))),
    );
  }
}
