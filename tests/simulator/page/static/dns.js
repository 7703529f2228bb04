// Where DNS sends each caller, and the latest answers and probes.

import { RefusedError, get } from "./api.js";
import { byId, h, oncePerFrame } from "./dom.js";
import { ago, milliseconds, replyOf } from "./words.js";

const SHOWN = 8;

export class DnsPanel {
  constructor(store) {
    this.store = store;
    this.routes = h("dl", { class: "routes-table" });
    this.answers = h("ol", { class: "log" });
    this.probes = h("ol", { class: "log" });
    const { probe } = store.snapshot;
    byId("dns").append(
      h("h3", {}, store.snapshot.globalHost, " leads to"),
      this.routes,
      h("h3", {}, `Last answers: TTL ${probe.ttlSeconds} s`),
      this.answers,
      h("h3", {}, `Last probes: every ${probe.intervalSeconds} s, ${probe.toleratedFailures} failures tolerated`),
      this.probes,
    );
    store.on("endpoint-changed", (event) => event.isNews && this.#ask());
    store.on("fault-healed", (event) => event.fault === "dns-frozen" && this.#ask());
    store.on(["dns-answered", "probe-answered"], oncePerFrame(() => this.draw()));
    this.draw();
  }

  async #ask() {
    try {
      this.store.routes = await get("/api/routes");
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return;
    }
    this.draw();
    this.onRoutes?.();
  }

  draw() {
    const { store } = this;
    const cities = new Map([...store.regions.keys()].map((code) => [code, []]));
    for (const caller of store.callers.values()) {
      const codes = store.routes[caller.key] ?? [];
      for (const code of codes.slice(0, 1)) cities.get(code)?.push(caller.city);
    }
    this.routes.replaceChildren(
      ...[...cities].flatMap(([code, names]) => [h("dt", {}, code), h("dd", {}, names.length ? names.join(", ") : "nobody")]),
    );
    this.answers.replaceChildren(
      ...store.dnsAnswers.slice(-SHOWN).reverse().map((event) =>
        h(
          "li",
          {},
          h("span", { class: "when" }, ago(store.seconds - event.seconds)),
          h("span", {}, `${event.asker_name}: `, h("span", { class: "mono" }, event.name.split(".")[0]), event.regions.length ? ` → ${event.regions.join(", ")}` : ` ${event.rcode}`),
        ),
      ),
    );
    const probes = [...store.regions.values()].flatMap((region) => region.probes).sort((a, b) => b.number - a.number);
    this.probes.replaceChildren(
      ...probes.slice(0, SHOWN).map((event) =>
        h(
          "li",
          { "data-tone": event.status === 200 ? "green" : "red" },
          h("span", { class: "when" }, ago(store.seconds - event.seconds)),
          h("span", {}, h("b", {}, event.region), ` ${replyOf(event)}, ${milliseconds(event.took_seconds)}`),
        ),
      ),
    );
  }
}
