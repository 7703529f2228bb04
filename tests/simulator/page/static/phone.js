// The phone: calls the bot, plays what it says, and does what the person does.

import { RefusedError, get, post, postWav } from "./api.js";
import { byId, h, oncePerFrame, setAttribute, setText } from "./dom.js";
import { PhoneLog } from "./phone_log.js";
import { PhoneSettings } from "./phone_settings.js";
import { PhoneStore, endOf, spoken } from "./phone_store.js";
import { callerSelect, segments } from "./place.js";
import { beepWav } from "./voice.js";
import { VoiceCard } from "./voice_card.js";
import { count } from "./words.js";

export const PHONE_KEYS = [..."123456789*0#"];
const KEY_NAMES = { "*": "star", "#": "hash" };
const KINDS = { user: "Teams user", guest: "guest", phone: "telephone" };
const REACTIONS = { answers: "Accept", refuses: "Decline", "does not answer": "Do not answer" };
const MAX_DRIFT_SECONDS = 0.4;
const MAX_BEEP_LATE_SECONDS = 2;

export class Phone {
  #played = null;
  #linesShown = new Set();

  constructor(store, { tell, announce }) {
    this.store = store;
    this.tell = tell;
    this.audio = byId("phone-audio");
    this.beep = byId("phone-beep");
    this.kind = "user";
    this.isBlocked = false;
    this.model = new PhoneStore(store, (event) => this.#take(event));
    this.voice = new VoiceCard({ post: (wav, members) => this.#sendVoice(wav, members), begin: () => this.#do("speak"), tell });
    this.log = new PhoneLog(store, this.model, { again: (members) => this.#do("again", members) });
    this.settings = new PhoneSettings(this.model, { act: (name, members) => this.#act(name, members), announce, script: () => this.#script() });
    this.draw = oncePerFrame(() => this.#draw());
    this.#build();
    byId("phone").hidden = false;
    this.#draw();
  }

  #build() {
    this.caller = callerSelect(this.store, "phone-caller");
    this.rough = h("input", { type: "checkbox", id: "phone-rough" });
    this.form = h(
      "form",
      { class: "phone-form" },
      h("div", { class: "field" }, h("label", { for: "phone-caller" }, "You call from"), this.caller),
      h("div", { class: "segments", role: "radiogroup", "aria-label": "You are" }, segments("phone-kind", Object.entries(KINDS), "user", (kind) => { this.kind = kind; })),
      h("label", { class: "check" }, this.rough, " rough wire: events come twice, and late"),
      h("button", { type: "submit", class: "primary" }, "Call the bot ", h("kbd", {}, "c")),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.call();
    });
    this.state = h("p", { class: "phone-state", id: "phone-state", role: "status" });
    this.now = h("p", { class: "phone-now", id: "phone-now" });
    this.bar = h("div", { class: "phone-bar", "aria-hidden": "true" }, h("div"));
    this.lines = h("div", { class: "phone-lines", id: "phone-lines", role: "log", "aria-label": "What is heard and said", tabindex: "0" });
    this.keypad = h("div", { class: "keypad", role: "group", "aria-label": "Keys" }, PHONE_KEYS.map((key) => h("button", { type: "button", "data-key": key, "aria-label": KEY_NAMES[key] ?? key, onclick: () => this.press(key) }, key)));
    this.target = h("div", { class: "phone-card", id: "phone-target", hidden: true });
    this.sound = h("input", { type: "checkbox", id: "phone-sound", checked: true });
    this.sound.addEventListener("change", () => { this.audio.muted = this.beep.muted = !this.sound.checked; });
    this.hangUpButton = h("button", { type: "button", class: "hang-up", id: "phone-hang-up", onclick: () => this.hangUp() }, "Hang up ", h("kbd", {}, "c"));
    byId("phone-device").append(this.form, this.state, this.now, this.bar, this.target, this.voice.element, this.keypad, h("div", { class: "phone-foot" }, this.hangUpButton, h("label", { class: "check" }, this.sound, " sound")), this.lines);
  }

  // What the person does.

  async call() {
    // The click allows the page to play sound later.
    this.audio.play().catch(() => undefined);
    setAttribute(this.form.querySelector("button"), "aria-busy", "true");
    await this.#act("call", { caller: this.caller.value, kind: this.kind, is_rough: this.rough.checked });
    setAttribute(this.form.querySelector("button"), "aria-busy", null);
  }

  callOrHangUp() {
    return this.model.goesOn ? this.hangUp() : this.call();
  }

  async press(key) {
    if (!this.model.isUp) return;
    const button = this.keypad.querySelector(`[data-key="${CSS.escape(key)}"]`);
    setAttribute(button, "data-is-pressed", "true");
    setTimeout(() => setAttribute(button, "data-is-pressed", null), 150);
    // A key may end the recording: what was said must be there before.
    await this.voice.finish();
    await this.#do("press", { key });
  }

  async hangUp() {
    if (!this.model.goesOn) return;
    await this.voice.finish();
    await this.#do("hang-up");
  }

  /** Does something with the call that is shown. */
  #do(name, members = {}) {
    return this.#act(name, { call_id: this.model.call?.callId ?? "", ...members });
  }

  async #act(name, members) {
    try {
      return await post(`/api/phone/${name}`, members);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.tell(error.message);
      return null;
    }
  }

  async #sendVoice(wav, members) {
    try {
      await postWav("/api/phone/voice", { call_id: this.model.call?.callId ?? "", ...members }, wav);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.tell(error.message);
    }
  }

  async #script() {
    const { call } = this.model;
    if (!call) return null;
    try {
      return (await get(`/api/phone/calls/${encodeURIComponent(call.callId)}/script`)).script;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.tell(error.message);
      return null;
    }
  }

  // What happens.

  #take(event) {
    if (event.kind === "phone-called") {
      this.#stop();
      this.#linesShown.clear();
      this.lines.replaceChildren();
      this.voice.forget();
    }
    if (event.kind === "bot-file-changed" && event.isNews) this.#learn();
    if (event.isBeep && this.store.seconds - event.seconds < MAX_BEEP_LATE_SECONDS) this.#beep();
    this.#follow();
    this.draw();
  }

  /** Gets the bot's prompts anew: they may have changed with its file. */
  async #learn() {
    try {
      const { bot: _bot, ...known } = await get("/api/phone");
      this.model.use({ ...known, bot: this.model.bot });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }

  /** Plays what plays in the call, from the place where it is by now. */
  #follow() {
    const { playing } = this.model;
    if (playing === this.#played) return;
    this.#stop();
    this.#played = playing;
    if (!playing?.hasSound) return;
    this.audio.src = `/api/phone/prompts/${encodeURIComponent(playing.name)}.wav`;
    const late = this.store.seconds - playing.seconds;
    if (late > MAX_DRIFT_SECONDS) this.audio.currentTime = late;
    this.audio.play().catch((error) => {
      // Browsers play nothing before the first click; a prompt may also be over by now.
      if (error.name === "NotAllowedError") this.#waitForClick();
    });
  }

  /** Beeps before a recording; what is heard is written, too. */
  #beep() {
    if (!this.beep.src) this.beep.src = URL.createObjectURL(beepWav());
    this.beep.currentTime = 0;
    // Browsers play nothing before the first click.
    this.beep.play().catch(() => undefined);
  }

  #waitForClick() {
    this.isBlocked = true;
    this.draw();
    const goOn = () => {
      this.isBlocked = false;
      this.#played = null;
      this.#follow();
      this.draw();
    };
    document.addEventListener("click", goOn, { once: true });
  }

  #stop() {
    this.#played = null;
    this.audio.pause();
  }

  #draw() {
    const { model } = this;
    const { call } = model;
    setText(this.state, this.#stateText());
    setAttribute(byId("phone"), "data-state", call?.now.state ?? "none");
    this.form.hidden = model.goesOn;
    this.hangUpButton.parentElement.hidden = !model.goesOn;
    for (const button of this.keypad.children) button.disabled = !model.isUp;
    const { playing } = model;
    setText(this.now, playing ? `${spoken(playing)}${this.isBlocked ? " Click anywhere to hear it." : ""}` : this.#silence());
    setAttribute(this.now, "data-is-silent", playing ? null : "true");
    this.bar.hidden = !playing;
    if (playing && this.bar.dataset.prompt !== `${call.callId}/${playing.prompt}`) this.#startBar(playing);
    this.#drawTarget();
    this.voice.show(call?.now ?? null, model.isUp);
    this.#drawLines();
    this.log.draw();
    this.settings.draw();
  }

  /** Says why nothing is heard. */
  #silence() {
    const { call, isUp } = this.model;
    const isTaken = !isUp || call.steps.some(({ handlers }) => handlers.length > 0);
    if (!isTaken && this.store.instanceWay !== "none") return "Nothing plays: an instance has the call.";
    return isTaken ? "Nothing plays." : `Nothing plays: no handler in ${this.model.bot.file} has taken an event.`;
  }

  #startBar(playing) {
    this.bar.dataset.prompt = `${this.model.call.callId}/${playing.prompt}`;
    const fill = h("div");
    fill.style.animationDuration = `${playing.length_seconds}s`;
    fill.style.animationDelay = `${Math.min(0, playing.seconds - this.store.seconds)}s`;
    this.bar.replaceChildren(fill);
  }

  #stateText() {
    const { call } = this.model;
    if (!call) return "Call the bot, and hear it.";
    const { state } = call.now;
    const city = this.store.callers.get(call.began.caller)?.city ?? call.began.caller;
    if (state === "ringing") return `Calling from ${city} …`;
    if (state === "connecting") return "The bot answers …";
    if (state === "up") return `In the call, from ${city}`;
    return endOf(call.now);
  }

  #drawTarget() {
    const asked = this.model.call?.now.asked ?? [];
    const key = asked.join(" ");
    if (this.target.dataset.people === key) return;
    this.target.dataset.people = key;
    this.target.hidden = asked.length === 0;
    if (!asked.length) return;
    const text = this.model.call.now.asked_for === "invite" ? "The bot invites" : "The bot transfers you to";
    this.target.replaceChildren(
      h("p", {}, `${text} ${count(asked.length, "person", "people")}, whose telephone rings:`),
      h("p", { class: "mono" }, asked.join(", ")),
      h("div", { class: "buttons" }, Object.entries(REACTIONS).map(([reaction, name]) => h("button", { type: "button", "data-reaction": reaction, onclick: () => this.#do("react", { reaction }) }, name))),
    );
  }

  #drawLines() {
    for (const line of this.model.call?.lines ?? []) {
      if (this.#linesShown.has(line.key + line.text)) continue;
      this.#linesShown.add(line.key + line.text);
      const when = (line.seconds - this.model.call.began.seconds).toFixed(1);
      this.lines.append(h("p", { "data-who": line.who }, h("span", { class: "when" }, `${when} s`), " ", line.text));
      this.lines.scrollTop = this.lines.scrollHeight;
    }
  }
}
