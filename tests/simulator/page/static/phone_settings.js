// Around the calls: the bot's file, Graph's refusals, where states are, and the script.

import { byId, h, setAttribute, setText } from "./dom.js";
import { segments } from "./place.js";

const HOW = new Map([["403", "403 forbidden"], ["400", "400 bad request"], ["404", "404 no such call"], ["429", "429 throttled"], ["503", "503 unavailable"]]);
const PLACES = [["memory", "in memory"], ["store", "in the store"]];

export class PhoneSettings {
  #told = "";
  #drawnRefusals = "";

  constructor(model, { act, announce, script }) {
    this.model = model;
    this.act = act;
    this.announce = announce;
    this.script = script;
    this.bot = byId("phone-bot");
    this.#build();
  }

  #build() {
    this.control = h("select", { id: "refuse-control" }, this.model.refusable.map((name) => h("option", { value: name, selected: name === "transfer" }, name)));
    this.how = h("select", { id: "refuse-how" }, [...HOW].map(([value, text]) => h("option", { value }, text)));
    this.active = h("ul", { class: "refusals", "aria-label": "What Graph refuses" });
    this.places = h("div", { class: "segments", role: "radiogroup", "aria-label": "Where states are kept" }, segments("state-place", PLACES, this.model.statePlace, (place) => this.#keepIn(place)));
    this.text = h("textarea", { id: "phone-script", readonly: true, rows: "12", spellcheck: "false", "aria-label": "The call as a script" });
    this.save = h("a", { class: "button", download: "call.txt" }, "Save as call.txt");
    this.scriptBox = h("div", { class: "script", hidden: true }, this.text, this.save);
    this.write = h("button", { type: "button", id: "phone-write", onclick: () => this.#write() }, "Write this call as a test");
    byId("phone-settings").append(
      h("div", { class: "setting" }, h("label", { class: "label", for: "refuse-control" }, "Graph refuses"), this.control, h("label", { class: "visually-hidden", for: "refuse-how" }, "with"), this.how, h("button", { type: "button", id: "refuse-add", onclick: () => this.act("refuse", { control: this.control.value, how: this.how.value }) }, "Switch on"), this.active),
      h("div", { class: "setting" }, h("span", { class: "label" }, "State"), this.places),
    );
    byId("phone-test").append(this.write, this.scriptBox);
  }

  async #keepIn(place) {
    setAttribute(this.places, "aria-busy", "true");
    await this.act("state", { place });
    setAttribute(this.places, "aria-busy", null);
    this.announce(`The regions have restarted: states are ${place === "store" ? "in the store" : "in memory"}.`);
  }

  async #write() {
    const script = await this.script();
    if (script === null) return;
    this.text.value = script;
    if (this.save.href) URL.revokeObjectURL(this.save.href);
    this.save.href = URL.createObjectURL(new Blob([script], { type: "text/plain" }));
    this.scriptBox.hidden = false;
    this.text.focus();
  }

  draw() {
    this.#drawBot();
    this.write.disabled = !this.model.call;
    for (const input of this.places.querySelectorAll("input")) input.checked = input.value === this.model.statePlace;
    const key = JSON.stringify(this.model.refusals);
    if (key === this.#drawnRefusals) return;
    this.#drawnRefusals = key;
    this.active.replaceChildren(...Object.entries(this.model.refusals).map(([control, how]) => h("li", {}, h("button", { type: "button", class: "fault", "aria-pressed": "true", "aria-label": `${control}: ${HOW.get(how)}. Switch off`, onclick: () => this.act("refuse", { control, how: null }) }, `${control} ${how} ✕`))));
  }

  #drawBot() {
    const { file, state, problem } = this.model.bot;
    const place = problem?.line ? `line ${problem.line}: ` : "";
    const text = {
      running: `${file} takes the calls. Save it, and call again.`,
      restarting: `${file} was saved. The regions restart with it …`,
      broken: `${file} cannot be imported. ${place}${problem?.type}: ${problem?.message} The regions keep the code from before.`,
    }[state];
    setText(this.bot, text);
    setAttribute(this.bot, "data-state", state);
    if (this.#told && this.#told !== text) this.announce(state === "running" ? `The regions run the new ${file}.` : text);
    this.#told = text;
  }
}
