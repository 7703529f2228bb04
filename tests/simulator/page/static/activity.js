// What happened besides calls: faults, changes of regions and rules, traffic, log lines.

import { byId, h, oncePerFrame } from "./dom.js";
import { clock, count } from "./words.js";

const SHOWN = 30;
// Not announced here: their own panels do that, or nobody needs to hear of them.
const QUIET = new Set(["log-written", "traffic-changed", "instances-chosen", "instance-changed"]);

export class Activity {
  constructor(store, { announce }) {
    this.store = store;
    this.titles = new Map(store.faults.map((fault) => [fault.name, fault.title]));
    const draw = oncePerFrame(() => this.draw());
    for (const kind of ["fault-injected", "fault-healed", "region-changed", "endpoint-changed", "rules-changed", "traffic-changed", "instances-chosen", "instance-changed", "log-written"]) {
      store.on(kind, (event) => {
        draw();
        if (event.isNews && !QUIET.has(kind)) announce(`${this.#sentence(event)}.`);
      });
    }
    this.draw();
  }

  draw() {
    if (!this.store.activity.length) {
      byId("activity").replaceChildren(h("li", { class: "empty" }, "Nothing yet. Inject a fault to see it here."));
      return;
    }
    byId("activity").replaceChildren(
      ...this.store.activity.slice(-SHOWN).reverse().map((event) =>
        h("li", { "data-kind": event.kind }, h("span", { class: "when" }, clock(event.seconds)), h("span", {}, this.#sentence(event))),
      ),
    );
  }

  #sentence(event) {
    const title = this.titles.get(event.fault) ?? event.fault;
    const where = event.region ? ` (${event.region})` : "";
    switch (event.kind) {
      case "fault-injected": return `Fault: ${title}${where}`;
      case "fault-healed": return `Healed: ${title}${where}`;
      case "region-changed": return `${event.region} is ${event.state}`;
      case "endpoint-changed": return `Traffic Manager: ${event.region} is ${event.status}`;
      case "rules-changed": return `${event.region ?? "All regions"}: ${count(event.rules.length, "region rule")}`;
      case "traffic-changed": return event.calls_per_second ? `Traffic: ${count(event.calls_per_second, "call")} per second` : "Traffic is off";
      case "instances-chosen": return `Instances: ${event.way}`;
      case "instance-changed": return event.sentence;
      default: {
        const about = event.line.peer ?? event.line.instance;
        return `${event.region} logged ${event.line.event}${about ? ` (${about})` : ""}`;
      }
    }
  }
}
