// The editor of region rules, and beside it where a call would go under them, and why.

import { RefusedError, post } from "./api.js";
import { byId, h, setAttribute } from "./dom.js";
import { callerSelect } from "./place.js";
import { toneOf } from "./words.js";

const PAUSE_MS = 200;

const MARKS = { passed: "✓", assumed: "~", decides: "●", "not-reached": "·" };
const OUTCOMES = { own: "own region", healthy: "healthy", unhealthy: "not healthy", "not-asked": "not checked" };

export class RulesPanel {
  #timer = null;
  #asking = null;
  #isDirty = false;

  constructor(store, { tell, announce }) {
    this.store = store;
    this.tell = tell;
    this.announce = announce;
    this.#build();
    store.on("rules-changed", (event) => event.isNews && this.#onRulesChanged());
    store.on(["endpoint-changed", "region-changed", "probe-answered"], (event) => event.isNews && this.#later());
    this.#load();
  }

  #build() {
    const codes = [...this.store.regions.keys()];
    this.text = h("textarea", { id: "rules-text", rows: 8, spellcheck: "false", autocomplete: "off", "aria-describedby": "rules-problems" });
    this.problems = h("ul", { id: "rules-problems", class: "problems", role: "status" });
    this.target = h("select", { id: "rules-target" }, h("option", { value: "" }, "all regions"), codes.map((code) => h("option", { value: code }, `${code} only`)));
    this.apply = h("button", { type: "button", class: "primary", onclick: () => this.#apply() }, "Apply");
    this.reset = h("button", { type: "button", class: "quiet", onclick: () => this.#load() }, "Show current rules");
    this.caller = callerSelect(this.store, "rules-caller");
    this.landing = h("select", { id: "rules-landing" }, h("option", { value: "" }, "as DNS decides"), codes.map((code) => h("option", { value: code }, code)));
    this.country = h("input", { id: "rules-country", maxlength: "8", size: "4", autocomplete: "off", spellcheck: "false" });
    this.media = h("input", { id: "rules-media", maxlength: "16", size: "6", autocomplete: "off", spellcheck: "false" });
    this.legacy = h("input", { type: "checkbox" });
    this.hop = h("input", { type: "checkbox" });
    this.recording = h("input", { type: "checkbox" });
    this.answer = h("div", { class: "answer", id: "rules-answer", tabindex: "-1" });
    const field = (label, input) => h("div", { class: "field" }, h("label", { for: input.id }, label), input);
    byId("rules").append(
      h(
        "div",
        { class: "rules-edit" },
        h("label", { for: "rules-text", class: "label" }, "CALLING_REGION_RULES ", h("kbd", {}, "r")),
        this.text,
        this.problems,
        h("div", { class: "row" }, h("label", { for: "rules-target", class: "visually-hidden" }, "Apply to"), this.apply, this.target, this.reset),
        h("p", { class: "hint" }, "Apply restarts the regions one by one, as a deployment does."),
        h("h3", { class: "ask-title" }, "Where would this call go?"),
        h(
          "div",
          { class: "ask-fields" },
          field("Caller in", this.caller),
          field("Lands in", this.landing),
          field("countryCode", this.country),
          field("mediaHostedRegion", this.media),
        ),
        h(
          "div",
          { class: "checks" },
          h("label", { class: "check" }, this.legacy, " legacy first"),
          h("label", { class: "check" }, this.recording, " policy recording"),
          h("label", { class: "check" }, this.hop, " redirected before"),
        ),
      ),
      h("div", { class: "rules-answer" }, this.answer),
    );
    this.text.addEventListener("input", () => {
      this.#isDirty = true;
      this.#later();
    });
    this.caller.addEventListener("change", () => this.#onCaller());
    for (const input of [this.landing, this.country, this.media, this.legacy, this.hop, this.recording]) {
      input.addEventListener("input", () => this.#later());
    }
    this.#onCaller();
  }

  #onCaller() {
    this.country.value = this.store.callers.get(this.caller.value).countryCode;
    this.#later();
  }

  /** Shows the rules that the chosen region, or the first one, runs with. */
  #load() {
    const code = this.target.value || this.store.regions.keys().next().value;
    this.text.value = showRules(this.store.rulesByRegion[code]);
    this.#isDirty = false;
    this.#later();
  }

  #onRulesChanged() {
    if (!this.#isDirty) this.#load();
    else this.#later();
  }

  focus() {
    this.text.focus();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  async #ask() {
    this.#asking?.abort();
    this.#asking = new AbortController();
    await this.#show(
      post(
        "/api/explain",
        {
          rules: this.text.value,
          caller: this.caller.value,
          landing: this.landing.value,
          country_code: this.country.value.trim(),
          media_hosted_region: this.media.value.trim(),
          starts_legacy: this.legacy.checked,
          is_policy_recording: this.recording.checked,
          was_redirected: this.hop.checked,
        },
        this.#asking.signal,
      ),
    );
  }

  /** Explains a POST of a call that was placed, under the rules in the editor. */
  async explainStep(callId, step) {
    this.#asking?.abort();
    await this.#show(post(`/api/calls/${encodeURIComponent(callId)}/explain`, { rules: this.text.value, step: step.step }), `The ${step.what} POST to ${step.region}`);
    this.answer.scrollIntoView({ block: "nearest" });
    this.answer.focus();
  }

  async #show(asked, title = null) {
    try {
      const journey = await asked;
      this.#showProblems([]);
      this.#draw(journey, title);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof RefusedError)) throw error;
      this.#showProblems(error.problems);
      this.answer.classList.add("stale");
    }
  }

  #showProblems(problems) {
    this.problems.replaceChildren(...problems.map((problem) => h("li", {}, problem)));
    setAttribute(this.text, "aria-invalid", problems.length ? "true" : null);
    this.apply.disabled = problems.length > 0;
  }

  #draw(journey, title) {
    this.answer.classList.remove("stale");
    const landing = journey.landing;
    const lines = [];
    if (title) lines.push(h("p", { class: "landing" }, title, ", under these rules and the health of now:"));
    if (landing) {
      const why = landing.isByDns ? "DNS sends this caller to" : "You chose that the call lands in";
      const dead = landing.isAnswering ? "" : ", which does not reply now, so the platform would have to try again";
      lines.push(h("p", { class: "landing" }, `${why} ${landing.region}${dead}.`));
    }
    const wasOpen = new Set([...this.answer.querySelectorAll("details[open]")].map((one) => one.dataset.leg));
    this.answer.replaceChildren(
      h("p", { class: "verdict", role: "status" }, journey.sentence),
      h("p", { class: "legs-line" }, journey.legs.map((leg, i) => [i ? h("span", { class: "arrow" }, "→") : null, legChip(leg)])),
      ...lines,
      ...journey.legs.map((leg, i) => drawLeg(leg, wasOpen.has(String(i)) || journey.legs.length === 1 || isTelling(leg, i, journey), i)),
    );
  }

  async #apply() {
    setAttribute(this.apply, "aria-busy", "true");
    this.apply.disabled = true;
    try {
      await post("/api/rules", { rules: this.text.value, region: this.target.value });
      this.#isDirty = false;
      this.announce(`The new rules are applied: ${this.target.value || "all regions"}.`);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.#showProblems(error.problems);
      this.tell(error.message);
    } finally {
      setAttribute(this.apply, "aria-busy", null);
      this.apply.disabled = false;
    }
  }
}

/** Formats rules with one line each, as people write them. */
function showRules(rules) {
  if (!rules.length) return "[]";
  const lines = rules.map((rule) => {
    const members = Object.entries(rule).map(([name, values]) => `${JSON.stringify(name)}: [${values.map((value) => JSON.stringify(value)).join(", ")}]`);
    return `  {${members.join(", ")}}`;
  });
  return `[\n${lines.join(",\n")}\n]`;
}

/** Whether a leg is the one to read first: the first that redirects, else the last. */
function isTelling(leg, position, journey) {
  const redirecting = journey.legs.findIndex((one) => one.explanation.verdict.decision === "redirect");
  return position === (redirecting < 0 ? journey.legs.length - 1 : redirecting);
}

function legChip(leg) {
  const { verdict } = leg.explanation;
  return h("span", { class: "chip", "data-tone": toneOf(verdict.status) }, h("b", {}, String(verdict.status)), ` ${leg.region}`);
}

function drawLeg(leg, isOpen, position) {
  const { verdict, steps, choices, notes } = leg.explanation;
  return h(
    "details",
    { class: "leg", open: isOpen, "data-leg": position },
    h("summary", {}, legChip(leg), h("span", { class: "leg-what" }, ` ${leg.what}: `), verdict.reason),
    h(
      "ol",
      { class: "rule-steps" },
      steps
        .filter((step) => step.state !== "not-reached")
        .map((step) =>
          h(
            "li",
            { "data-state": step.state },
            h("span", { class: "mark", "aria-hidden": "true" }, MARKS[step.state]),
            h("span", { class: "rule-title" }, `${step.rule} ${step.title}`),
            h("span", { class: "rule-sentence" }, step.state === "decides" ? h("b", {}, "Decides. ") : null, step.sentence, step.rule === 7 ? choices.map((choice) => drawChoice(choice)) : null),
          ),
        ),
    ),
    ...notes.map((note) => h("p", { class: "note" }, h("b", {}, note.code), ` ${note.cause} ${note.cure ?? ""}`)),
  );
}

function drawChoice(choice) {
  return h(
    "div",
    { class: "choice" },
    h(
      "ol",
      { class: "region-rules" },
      choice.rules.map((rule) =>
        h(
          "li",
          { "data-holds": rule.holds, "data-decides": rule.decides },
          h("span", { class: "rule-no" }, String(rule.position)),
          h(
            "div",
            {},
            rule.conditions.length ? rule.conditions.map(drawCondition) : h("span", { class: "condition", "data-holds": true }, "✓ no conditions, so it always holds"),
            h("div", { class: "rule-regions" }, rule.decides ? h("b", {}, "decides ") : rule.holds ? "holds, but an earlier rule decides " : "", "→ ", rule.decides ? drawPreferences(choice.preferences) : rule.regions.join(", ")),
          ),
        ),
      ),
    ),
  );
}

function drawCondition(condition) {
  const wanted = condition.wanted.join(", ");
  const has = condition.value === null ? "none" : condition.value;
  return h("span", { class: "condition", "data-holds": condition.holds }, `${condition.holds ? "✓" : "✗"} ${condition.name} ${has} ${condition.holds ? "is in" : "is not in"} [${wanted}]`);
}

function drawPreferences(preferences) {
  return preferences.map((preference, i) => [
    i ? ", " : "",
    h("span", { class: "preference", "data-outcome": preference.outcome }, `${preference.region} (${OUTCOMES[preference.outcome]})`),
  ]);
}

