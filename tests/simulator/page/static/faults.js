// The faults that affect no single region, and how a fault is turned on and off.

import { RefusedError, post } from "./api.js";
import { byId, h, oncePerFrame, setAttribute } from "./dom.js";
import { faultKey } from "./store.js";

/** Turns a fault on or off. The button is busy meanwhile; an event reports the change. */
export async function switchFault(button, fault, region, isOn, tell) {
  button.setAttribute("aria-busy", "true");
  try {
    await post("/api/faults", { fault: fault.name, region, is_on: isOn });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    tell(error.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

export class FaultPanel {
  constructor(store, { onFault }) {
    this.store = store;
    this.buttons = new Map();
    const general = store.faults.filter((fault) => !fault.isRegional);
    byId("faults").replaceChildren(...general.map((fault) => this.#build(fault, onFault)));
    store.on(["fault-injected", "fault-healed"], oncePerFrame(() => this.draw()));
    this.draw();
  }

  #build(fault, onFault) {
    const id = `fault-${fault.name}`;
    const button = h("button", { type: "button", class: "fault", "aria-describedby": id }, fault.title);
    if (!fault.isInstant) button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const isOn = fault.isInstant || button.getAttribute("aria-pressed") !== "true";
      onFault(button, fault, null, isOn);
    });
    this.buttons.set(fault.name, button);
    return h("div", { class: "fault-row" }, button, h("p", { id }, fault.explanation));
  }

  draw() {
    for (const [name, button] of this.buttons) {
      if (!button.hasAttribute("aria-pressed")) continue;
      setAttribute(button, "aria-pressed", this.store.activeFaults.has(faultKey(name, null)));
    }
  }
}
