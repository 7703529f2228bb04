// The map: regions with their health, where DNS sends callers, and calls on their way.

import { eachLandDot } from "./land.js";
import { byId, oncePerFrame, s, setAttribute, setText } from "./dom.js";
import { FOLLOW_UPS } from "./store.js";
import { conditionOf, replyOf, routingOf, toneOf } from "./words.js";

const WIDTH = 1000;
const HEIGHT = 440;
const LEFT = -130;
const TOP = 71;
const PER_DEGREE = WIDTH / 310;
const STRETCH = 1.16;

const FLIGHT_MS = 620;
const MAX_FLIGHTS = 70;
const TRAIL_MS = 1600;

const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

function project(longitude, latitude) {
  return { x: (longitude - LEFT) * PER_DEGREE, y: (TOP - latitude) * PER_DEGREE * STRETCH };
}

/** A curve between two points, bent so that the two directions do not overlap. */
function curve(from, to) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy) || 1;
  const bend = Math.min(70, length * 0.22);
  const up = dx >= 0 ? -1 : 1;
  return {
    from,
    to,
    via: { x: (from.x + to.x) / 2 - (up * dy * bend) / length, y: (from.y + to.y) / 2 + (up * dx * bend) / length },
  };
}

const pathOf = ({ from, via, to }) => `M${from.x} ${from.y}Q${via.x} ${via.y} ${to.x} ${to.y}`;

function pointOn({ from, via, to }, t) {
  const u = 1 - t;
  return {
    x: u * u * from.x + 2 * u * t * via.x + t * t * to.x,
    y: u * u * from.y + 2 * u * t * via.y + t * t * to.y,
  };
}

export class CallMap {
  #flights = new Set();
  #queues = new Map();
  #isFlying = false;

  constructor(store, { onPlace }) {
    this.store = store;
    this.regionNodes = new Map();
    this.routeNodes = new Map();
    this.layers = Object.fromEntries(
      ["land", "routes", "trails", "callers", "regions", "flights"].map((name) => [name, s("g", { class: name })]),
    );
    this.svg = s(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-labelledby": "map-title map-text" },
      s("title", { id: "map-text" }),
      ...Object.values(this.layers),
    );
    this.#drawLand();
    this.#drawCallers(onPlace);
    this.#drawRegions();
    byId("map").replaceChildren(this.svg);
    const redraw = oncePerFrame(() => this.draw());
    store.on(["endpoint-changed", "region-changed", "probe-answered"], redraw);
    store.on("step-ended", (event) => event.isNews && this.#showStep(event));
    this.draw();
  }

  /** Draws regions and routes as they are now. */
  draw() {
    const words = [];
    for (const [code, region] of this.store.regions) {
      const condition = conditionOf(region);
      const node = this.regionNodes.get(code);
      setAttribute(node.group, "data-tone", condition.tone);
      setAttribute(node.group, "data-endpoint", region.endpoint);
      setText(node.title, `${code}, ${region.location}: ${condition.text}, ${routingOf(region)}`);
      setText(node.state, condition.tone === "green" ? "" : condition.text);
      words.push(`${code} ${condition.text}`);
    }
    setText(this.svg.querySelector("title"), `World map. Regions: ${words.join(", ")}.`);
    this.#drawRoutes();
  }

  #drawLand() {
    let dots = "";
    eachLandDot((longitude, latitude) => {
      const { x, y } = project(longitude, latitude);
      if (y >= 2 && y <= HEIGHT - 2) dots += `M${x.toFixed(1)} ${y.toFixed(1)}h0`;
    });
    this.layers.land.append(s("path", { d: dots }));
  }

  #drawCallers(onPlace) {
    for (const caller of this.store.callers.values()) {
      const { x, y } = project(caller.longitude, caller.latitude);
      const dot = s("circle", { cx: x, cy: y, class: "caller" });
      const target = s("circle", { cx: x, cy: y, r: 12, class: "caller-target" });
      const title = s("title", {}, `${caller.city} (${caller.countryCode}): click to place a call`);
      this.layers.callers.append(s("g", { onclick: () => onPlace(caller.key) }, dot, target, title));
    }
  }

  #drawRegions() {
    for (const [code, region] of this.store.regions) {
      const { x, y } = project(region.longitude, region.latitude);
      const title = s("title");
      const state = s("text", { class: "region-state", x: 0, y: 0 });
      const label = s("text", { class: "region-code" }, code);
      const group = s(
        "g",
        { class: "region", transform: `translate(${x} ${y})`, "data-code": code },
        s("circle", { class: "halo" }),
        s("circle", { class: "disc" }),
        s("path", { class: "cross", d: "M-4 -4 4 4M4 -4 -4 4" }),
        label,
        state,
        title,
      );
      this.layers.regions.append(group);
      this.regionNodes.set(code, { group, title, state, point: { x, y } });
    }
  }

  #drawRoutes() {
    for (const [key, caller] of this.store.callers) {
      const code = this.store.routes[key]?.[0];
      const from = project(caller.longitude, caller.latitude);
      const node = this.routeNodes.get(key) ?? this.layers.routes.appendChild(s("path"));
      this.routeNodes.set(key, node);
      if (code) setAttribute(node, "d", pathOf(curve(from, this.regionNodes.get(code).point)));
    }
  }

  /** Shows a POST as a dot that flies to the region, then the colour of the reply. */
  #showStep(event) {
    const call = this.store.calls.get(event.call_id);
    const region = this.regionNodes.get(event.region);
    if (!call || !region) return;
    if (FOLLOW_UPS.has(event.what)) {
      this.#ring(region, "faint");
      return;
    }
    const caller = this.store.callers.get(call.caller);
    const start = project(caller.longitude, caller.latitude);
    const tone = toneOf(event.status);
    const before = [...call.steps.values()].filter((step) => step.step < event.step && step.redirect_region).at(-1);
    const from = event.what === "redirected" && before ? this.regionNodes.get(before.region).point : start;
    const flight = {
      curve: curve(from, region.point),
      tone: event.what === "redirected" ? "amber" : "neutral",
      arrive: () => this.#arrive(region, tone, event),
    };
    this.#queue(event.call_id, flight);
    if (event.status === 204) {
      this.#queue(event.call_id, { curve: curve(region.point, start), tone: "blue", arrive: () => {} });
    }
  }

  #arrive(region, tone, event) {
    this.#ring(region, tone);
    if (tone !== "red") return;
    const word = s("text", { class: "burst", x: region.point.x, y: region.point.y - 18 }, replyOf(event));
    this.layers.flights.append(word);
    setTimeout(() => word.remove(), TRAIL_MS);
  }

  #ring(region, tone) {
    const ring = s("circle", { class: "ring", cx: region.point.x, cy: region.point.y, "data-tone": tone });
    this.layers.flights.append(ring);
    setTimeout(() => ring.remove(), 900);
  }

  /** Lets the flights of one call follow one another. */
  #queue(callId, flight) {
    if (isCalm.matches || document.hidden || this.#flights.size + this.#queues.size > MAX_FLIGHTS) {
      if (!document.hidden) this.#trail(flight);
      flight.arrive();
      return;
    }
    const queue = this.#queues.get(callId);
    if (queue) {
      queue.push(flight);
      return;
    }
    this.#queues.set(callId, []);
    this.#launch(callId, flight);
  }

  #launch(callId, flight) {
    const dot = s("circle", { class: "flight", "data-tone": flight.tone });
    this.layers.flights.append(dot);
    this.#trail(flight);
    this.#flights.add({ ...flight, callId, dot, startedAt: performance.now() });
    if (!this.#isFlying) requestAnimationFrame((now) => this.#fly(now));
    this.#isFlying = true;
  }

  #trail({ curve: line, tone }) {
    const trail = s("path", { class: "trail", d: pathOf(line), "data-tone": tone });
    this.layers.trails.append(trail);
    setTimeout(() => trail.remove(), TRAIL_MS);
  }

  #fly(now) {
    for (const flight of this.#flights) {
      const t = Math.min(1, Math.max(0, (now - flight.startedAt) / FLIGHT_MS));
      const eased = t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2;
      const { x, y } = pointOn(flight.curve, eased);
      flight.dot.setAttribute("cx", x.toFixed(1));
      flight.dot.setAttribute("cy", y.toFixed(1));
      if (t === 1) this.#land(flight);
    }
    this.#isFlying = this.#flights.size > 0;
    if (this.#isFlying) requestAnimationFrame((next) => this.#fly(next));
  }

  #land(flight) {
    this.#flights.delete(flight);
    flight.dot.remove();
    flight.arrive();
    const next = this.#queues.get(flight.callId)?.shift();
    if (next) this.#launch(flight.callId, next);
    else this.#queues.delete(flight.callId);
  }
}
