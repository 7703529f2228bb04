// The form that places calls and turns traffic on.

import { RefusedError, post } from "./api.js";
import { byId, h, setAttribute } from "./dom.js";

const CONTINENTS = { emea: "Europe, Middle East, Africa", amer: "Americas", apac: "Asia, Pacific" };
const RATES = [0, 1, 5, 20];
const COUNTS = [1, 10, 100];

/** A list of callers, grouped by the platform's name for their region. */
export function callerSelect(store, id) {
  const groups = Map.groupBy(store.callers.values(), (caller) => caller.region);
  return h(
    "select",
    { id, name: id },
    [...groups].map(([region, callers]) =>
      h(
        "optgroup",
        { label: CONTINENTS[region] ?? region },
        callers.map((caller) => h("option", { value: caller.key }, `${caller.city} (${caller.countryCode})`)),
      ),
    ),
  );
}

/** Radio buttons that look like a row of buttons. */
export function segments(name, choices, chosen, onChoose) {
  return choices.map(([value, text]) => {
    const input = h("input", { type: "radio", name, value, checked: value === chosen });
    input.addEventListener("change", () => onChoose(value));
    return h("label", {}, input, h("span", {}, text));
  });
}

export class PlaceForm {
  constructor(store, { tell, onPlaced }) {
    this.store = store;
    this.tell = tell;
    this.onPlaced = onPlaced;
    this.form = byId("place");
    this.caller = callerSelect(store, "place-caller");
    this.count = h("select", { id: "place-count" }, COUNTS.map((n) => h("option", { value: n }, n === 1 ? "one call" : `${n} calls`)));
    this.legacy = h("input", { type: "checkbox", id: "place-legacy" });
    this.recording = h("input", { type: "checkbox", id: "place-recording" });
    this.form.append(
      h("div", { class: "field" }, h("label", { for: "place-caller" }, "Caller in"), this.caller),
      h("div", { class: "field" }, h("label", { for: "place-count" }, "How many"), this.count),
      h(
        "div",
        { class: "checks" },
        h("label", { class: "check" }, this.legacy, " legacy first"),
        h("label", { class: "check" }, this.recording, " policy recording (5 s)"),
      ),
      h("button", { type: "submit", class: "primary" }, "Place call ", h("kbd", {}, "p")),
      this.#traffic(),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.place();
    });
    store.on("traffic-changed", () => this.#drawTraffic());
    this.#drawTraffic();
  }

  #traffic() {
    this.rates = h("div", { class: "segments", role: "radiogroup", "aria-label": "Traffic, calls per second" });
    this.rates.append(
      ...segments("rate", RATES.map((rate) => [rate, rate ? `${rate}/s` : "off"]), 0, (rate) => this.setTraffic(rate)),
    );
    return h("div", { class: "traffic" }, h("span", { class: "label" }, "Traffic ", h("kbd", {}, "t")), this.rates);
  }

  #drawTraffic() {
    const rate = this.store.callsPerSecond;
    for (const input of this.rates.querySelectorAll("input")) input.checked = Number(input.value) === rate;
  }

  /** Places the calls of the form, from `caller` if one is given. */
  async place(caller = this.caller.value) {
    this.caller.value = caller;
    const button = this.form.querySelector("button");
    setAttribute(button, "aria-busy", "true");
    try {
      this.onPlaced(caller);
      await post("/api/calls", {
        caller,
        count: Number(this.count.value),
        starts_legacy: this.legacy.checked,
        is_policy_recording: this.recording.checked,
      });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.tell(error.message);
    } finally {
      setAttribute(button, "aria-busy", null);
    }
  }

  async setTraffic(rate) {
    try {
      await post("/api/traffic", { calls_per_second: rate });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.tell(error.message);
    }
  }

  toggleTraffic() {
    this.setTraffic(this.store.callsPerSecond ? 0 : 1);
  }
}
