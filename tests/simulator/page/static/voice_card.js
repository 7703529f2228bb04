// The card that is there while the bot records: speak, choose a file, or say nothing.

import { h, setAttribute, setText } from "./dom.js";
import { Microphone, toWav } from "./voice.js";

export class VoiceCard {
  #microphone = null;
  #startedAt = 0;
  #url = null;

  /** `begin` tells the server that somebody speaks; `post` sends what was said. */
  constructor({ post, begin, tell }) {
    this.post = post;
    this.begin = begin;
    this.tell = tell;
    this.title = h("p", {});
    this.speak = h("button", { type: "button", id: "voice-speak", onclick: () => this.#toggle() }, "Speak into the microphone");
    this.file = h("input", { type: "file", id: "voice-file", accept: "audio/*", onchange: () => this.#sendFile() });
    this.playback = h("div", {});
    this.controls = h("div", { class: "phone-card", id: "phone-voice", hidden: true }, this.title, h("div", { class: "buttons" }, this.speak), h("div", { class: "field" }, h("label", { for: "voice-file" }, "or let a file speak"), this.file));
    this.element = h("div", {}, this.controls, this.playback);
  }

  show(now, isUp) {
    const records = isUp && Boolean(now?.is_recording);
    this.controls.hidden = !records;
    if (records) setText(this.title, `The bot records, for ${now.longest_seconds} s at most.`);
    else if (this.#microphone) this.finish();
  }

  forget() {
    this.playback.replaceChildren();
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = null;
  }

  async #toggle() {
    if (this.#microphone) {
      await this.finish();
      return;
    }
    const microphone = new Microphone();
    try {
      await microphone.start();
    } catch {
      this.tell("There is no microphone that may be used. Let a file speak.");
      return;
    }
    this.#microphone = microphone;
    this.#startedAt = performance.now();
    setText(this.speak, "I have spoken");
    setAttribute(this.speak, "aria-pressed", "true");
    await this.begin();
  }

  /** Stops the microphone if it is on, and sends what was said. */
  async finish() {
    const microphone = this.#microphone;
    if (!microphone) return;
    this.#microphone = null;
    setText(this.speak, "Speak into the microphone");
    setAttribute(this.speak, "aria-pressed", null);
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const { wav } = await microphone.stop();
    await this.#send(wav, { seconds, is_spoken: true });
  }

  async #sendFile() {
    const [file] = this.file.files;
    if (!file) return;
    this.file.value = "";
    try {
      const { wav, seconds } = await toWav(file);
      await this.#send(wav, { seconds: Math.min(seconds, 120), is_spoken: false });
    } catch (error) {
      if (error.name !== "EncodingError") throw error;
      this.tell("This file holds no sound that the browser can read.");
    }
  }

  async #send(wav, members) {
    this.forget();
    this.#url = URL.createObjectURL(wav);
    this.playback.append(h("p", { class: "hint" }, "What you said:"), h("audio", { controls: true, src: this.#url, "aria-label": "What you said" }));
    await this.post(wav, { ...members, seconds: members.seconds.toFixed(2) });
  }
}
