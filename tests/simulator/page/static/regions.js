// A card for each region: its health, its probes, its calls, and its faults.

import { byId, h, oncePerFrame, s, setAttribute, setText } from "./dom.js";
import { faultKey } from "./store.js";
import { ago, conditionOf, milliseconds, quantile, replyOf, routingOf } from "./words.js";

const PROBES = 24;

export class RegionCards {
  constructor(store, { onFault }) {
    this.store = store;
    this.onFault = onFault;
    this.cards = new Map();
    for (const region of store.regions.values()) this.#build(region);
    byId("regions").replaceChildren(...[...this.cards.values()].map((card) => card.root));
    store.on("*", oncePerFrame(() => this.draw()));
    setInterval(() => this.draw(), 1000);
    this.draw();
  }

  #build(region) {
    const part = (name) => h("dd", { class: name });
    const card = {
      state: h("span", { class: "state" }),
      routing: part("routing"),
      probe: part("probe"),
      calls: part("answered"),
      redirects: part("redirects"),
      bars: Array.from({ length: PROBES }, (_, i) => s("rect", { x: i * 5, width: 3.4, y: 0, height: 14, rx: 1 })),
      buttons: new Map(),
    };
    const title = `region-${region.code}`;
    card.root = h(
      "article",
      { class: "panel region-card", "aria-labelledby": title, "data-code": region.code },
      h("header", {}, h("h3", { id: title }, region.code), h("span", { class: "location" }, region.location), card.state),
      s("svg", { class: "probes", viewBox: `0 0 ${PROBES * 5} 14`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...card.bars),
      h(
        "dl",
        {},
        h("dt", {}, "probe"), card.probe,
        h("dt", {}, "DNS"), card.routing,
        h("dt", {}, "answered"), card.calls,
        h("dt", {}, "redirects"), card.redirects,
      ),
      h("div", { class: "region-faults", role: "group", "aria-label": `Faults of ${region.code}` }, this.#buttons(region, card)),
    );
    this.cards.set(region.code, card);
  }

  #buttons(region, card) {
    const short = {
      "region-killed": "Kill",
      "region-hanging": "Hang",
      "region-misconfigured": "Break settings",
      "region-disabled": "Disable in DNS",
      "region-restart": "Restart",
    };
    return this.store.faults.filter((fault) => fault.isRegional).map((fault) => {
      const text = short[fault.name] ?? fault.title;
      const button = h("button", { type: "button", class: "fault", title: fault.explanation }, text);
      if (!fault.isInstant) button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        const isOn = fault.isInstant || button.getAttribute("aria-pressed") !== "true";
        this.onFault(button, fault, region.code, isOn);
      });
      card.buttons.set(fault.name, button);
      return button;
    });
  }

  draw() {
    for (const [code, region] of this.store.regions) {
      const card = this.cards.get(code);
      const condition = conditionOf(region);
      const last = region.probes.at(-1);
      setAttribute(card.root, "data-tone", condition.tone);
      setText(card.state, condition.text);
      setText(card.routing, routingOf(region));
      setText(card.probe, last ? [replyOf(last), last.status && milliseconds(last.took_seconds), ago(this.store.seconds - last.seconds)].filter(Boolean).join(", ") : "none yet");
      const median = quantile(region.latencies, 0.5);
      setText(card.calls, median === null ? String(region.answered) : `${region.answered}, median ${milliseconds(median)}`);
      setText(card.redirects, `${region.sentAway} out, ${region.takenIn} in`);
      card.bars.forEach((bar, i) => {
        const probe = region.probes[region.probes.length - PROBES + i];
        setAttribute(bar, "data-tone", probe ? (probe.status === 200 ? "green" : "red") : "none");
      });
      for (const [name, button] of card.buttons) {
        if (button.hasAttribute("aria-pressed")) {
          setAttribute(button, "aria-pressed", this.store.activeFaults.has(faultKey(name, code)));
        }
      }
    }
  }
}
