// Single keys as shortcuts; they do nothing while somebody types.

import { byId, h } from "./dom.js";

const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select";
const OFF = "keys-off";

export class Keys {
  /** `keys` maps a key to `{text, run}`; those without a text are not listed. */
  constructor(keys) {
    this.keys = keys;
    this.dialog = byId("help");
    this.isOn = byId("keys-on");
    this.isOn.checked = localStorage.getItem(OFF) === null;
    this.isOn.addEventListener("change", () => {
      if (this.isOn.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "1");
    });
    byId("help-keys").append(...Object.entries(keys).filter(([, { text }]) => text).flatMap(([key, { text }]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]));
    byId("help-button").addEventListener("click", () => this.help());
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  help() {
    this.dialog.showModal();
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.isOn.checked || this.dialog.open) return;
    if (event.key === "Escape" && event.target.matches("textarea")) event.target.blur();
    if (event.target.closest?.(TYPING)) return;
    const key = this.keys[event.key];
    if (!key) return;
    event.preventDefault();
    key.run();
  }
}
