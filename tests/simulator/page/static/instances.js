// The instances of each region: the calls that they hold, their health, and their faults.

import { RefusedError, post } from "./api.js";
import { byId, h, oncePerFrame, setAttribute, setText } from "./dom.js";
import { count } from "./words.js";

const WAYS = {
  none: { text: "none", hint: "There are no instances: the bot’s handlers take the events. Choose a way, and each region gets stateful instances that hold its calls." },
  forward: { text: "forward", hint: "The regions answer, and deliver each event of a call to the instance that holds it." },
  direct: { text: "direct", hint: "The regions answer with the URL of an instance; the platform posts to it." },
  "own-media": { text: "own media", hint: "The regions ask Graph for nothing: they deliver incoming calls to an instance, which answers them itself." },
};
const SHOWN_CALLS = 4;
const PASSED_OVER_SECONDS = 30;
const FAULTS = {
  slow: { text: "Slow", explanation: "It takes two seconds for each reply." },
  dead: { text: "Kill", explanation: "It refuses connections." },
  restart: { text: "Restart", explanation: "It forgets its calls." },
  move: { text: "Move", explanation: "It goes on at another address, with its calls; DNS tells." },
  cure: { text: "Cure", explanation: "It replies at once again, with its calls." },
};
const STATES = { up: "accepting", slow: "slow", dead: "dead" };
const TONES = { up: "green", slow: "amber", dead: "red" };

export class InstancePanel {
  #cards = new Map();
  #groups = new Map();

  constructor(store, { tell, announce, onSelect }) {
    this.store = store;
    this.tell = tell;
    this.onSelect = onSelect;
    byId("instances-panel").hidden = false;
    this.choice = h("select", { id: "instances-way" }, Object.entries(WAYS).map(([name, { text }]) => h("option", { value: name }, text)));
    this.apply = h("button", { type: "submit" }, "Restart the regions with it");
    this.choice.addEventListener("change", () => this.#drawChoice());
    byId("instances-form").append(h("label", { class: "label", for: "instances-way" }, "How events reach them"), this.choice, this.apply);
    byId("instances-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#choose();
    });
    this.hint = byId("instances-hint");
    this.choice.value = store.instanceWay;
    this.draw = oncePerFrame(() => this.#draw());
    store.on("instances-chosen", (event) => {
      if (!event.isNews) return;
      this.choice.value = event.way;
      announce(`Instances: ${WAYS[event.way].text}. The regions restart.`);
      this.draw();
    });
    store.on("instance-changed", (event) => {
      if (event.sentence) announce(`${event.sentence}.`);
      this.draw();
    });
    store.on("call-placed", this.draw);
    setInterval(this.draw, 1000);
    this.#draw();
  }

  async #choose() {
    setAttribute(this.apply, "aria-busy", "true");
    await this.#post("way", { way: this.choice.value });
    setAttribute(this.apply, "aria-busy", null);
  }

  async #post(path, members) {
    try {
      await post(`/api/instances/${path}`, members);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.tell(error.message);
    }
  }

  #draw() {
    const { instances } = this.store;
    this.#drawChoice();
    for (const [key, card] of this.#cards) {
      if (!instances.has(key)) {
        card.root.remove();
        this.#cards.delete(key);
      }
    }
    for (const [region, group] of this.#groups) {
      if (!instances.size) {
        group.remove();
        this.#groups.delete(region);
      }
    }
    for (const [key, instance] of instances) {
      const card = this.#cards.get(key) ?? this.#build(key, instance);
      this.#update(card, instance);
    }
  }

  /** Says what the choice means; regions that run with it need no restart. */
  #drawChoice() {
    setText(this.hint, WAYS[this.choice.value].hint);
    this.apply.disabled = this.choice.value === this.store.instanceWay && !this.apply.hasAttribute("aria-busy");
  }

  #build(key, { region, partition }) {
    const part = () => h("dd", {});
    const card = { state: h("span", { class: "state" }), calls: part(), taken: part(), place: part(), buttons: new Map() };
    const title = `instance-${region}-${partition}`;
    card.root = h(
      "article",
      { class: "panel region-card instance-card", "aria-labelledby": title, "data-instance": key },
      h("header", {}, h("h4", { id: title }, partition, h("span", { class: "visually-hidden" }, ` of ${region}`)), card.state),
      h("dl", {}, h("dt", {}, "holds"), card.calls, h("dt", {}, "took"), card.taken, h("dt", {}, "is at"), card.place),
      h("div", { class: "region-faults", role: "group", "aria-label": `Faults of ${partition} of ${region}` }, Object.entries(FAULTS).map(([what, { text, explanation }]) => {
        const button = h("button", { type: "button", class: "fault", title: explanation }, text);
        button.addEventListener("click", () => this.#act(button, { region, partition, what: button.getAttribute("aria-pressed") === "true" ? "cure" : what }));
        card.buttons.set(what, button);
        return button;
      })),
    );
    this.#cards.set(key, card);
    this.#groupOf(region).append(card.root);
    return card;
  }

  #groupOf(region) {
    let group = this.#groups.get(region);
    if (!group) {
      group = h("div", { class: "instance-group" }, h("h3", {}, region));
      this.#groups.set(region, group);
      byId("instances").append(group);
    }
    return group;
  }

  async #act(button, members) {
    setAttribute(button, "aria-busy", "true");
    await this.#post("act", members);
    setAttribute(button, "aria-busy", null);
  }

  #update(card, instance) {
    const { state, taken, address, is_draining: isDraining } = instance;
    // The page knows the world's clock but roughly.
    const left = Math.min(PASSED_OVER_SECONDS, Math.ceil(instance.passed_over_until - this.store.seconds));
    const isPassedOver = left > 0;
    const words = [state === "up" && isPassedOver ? null : STATES[state], isPassedOver && `passed over for ${left}\u00a0s`, isDraining && "draining"];
    setText(card.state, words.filter(Boolean).join(", "));
    setAttribute(card.root, "data-tone", isPassedOver && state === "up" ? "amber" : TONES[state]);
    setText(card.taken, count(taken, "notification"));
    setText(card.place, address);
    for (const what of ["slow", "dead"]) setAttribute(card.buttons.get(what), "aria-pressed", state === what);
    this.#drawCalls(card, instance);
  }

  #drawCalls(card, { held, calls }) {
    const known = calls.filter((id) => this.store.calls.has(id)).slice(0, SHOWN_CALLS);
    const drawn = `${held} ${known.join(" ")}`;
    if (card.calls.dataset.drawn === drawn) return;
    card.calls.dataset.drawn = drawn;
    const focused = card.calls.contains(document.activeElement) ? document.activeElement.dataset.call : null;
    card.calls.replaceChildren(
      count(held, "call"),
      ...known.map((id) => h("button", { type: "button", class: "quiet held", "data-call": id, onclick: () => this.onSelect(id) }, `from ${this.#cityOf(id)}`)),
    );
    if (focused) card.calls.querySelector(`[data-call="${CSS.escape(focused)}"]`)?.focus();
  }

  #cityOf(callId) {
    const { caller } = this.store.calls.get(callId);
    return this.store.callers.get(caller)?.city ?? caller;
  }
}
