// Puts the page together: the snapshot, the panels, the events.

import { follow, get, post } from "./api.js";
import { Activity } from "./activity.js";
import { CallDetail } from "./detail.js";
import { CallList } from "./calls.js";
import { CallMap } from "./map.js";
import { DnsPanel } from "./dns.js";
import { FaultPanel, switchFault } from "./faults.js";
import { Keys } from "./keys.js";
import { PlaceForm } from "./place.js";
import { RegionCards } from "./regions.js";
import { RulesPanel } from "./rules.js";
import { Store } from "./store.js";
import { byId, h, oncePerFrame, setAttribute, setText } from "./dom.js";
import { milliseconds, quantile } from "./words.js";

const TOAST_MS = 6000;
const LINK = { connecting: "connecting", live: "live", lost: "not connected" };

let toastTimer = null;

/** Says what went wrong, for eyes and screen readers. */
function tell(sentence) {
  const toast = byId("toast");
  setText(toast, sentence);
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { toast.hidden = true; }, TOAST_MS);
}

function announce(sentence) {
  byId("announcer").textContent = sentence;
}

function showLink(state) {
  setText(byId("link"), LINK[state]);
  setAttribute(byId("link"), "data-state", state);
}

/** The figures of the head line. */
function showTotals(store) {
  const names = { placed: "calls", answered: "answered", redirects: "redirects", lost: "lost", refused: "refused", forged: "forged" };
  const values = new Map();
  const items = Object.entries(names).map(([name, text]) => {
    const value = h("dd", {});
    values.set(name, value);
    return h("div", { "data-total": name }, value, h("dt", {}, text));
  });
  const median = h("dd", {}, "–");
  const slow = h("dd", {}, "–");
  items.push(h("div", {}, median, h("dt", {}, "median")), h("div", {}, slow, h("dt", {}, "95 %")));
  byId("totals").replaceChildren(...items);
  const draw = () => {
    for (const [name, value] of values) {
      setText(value, store.totals[name].toLocaleString("en"));
      setAttribute(value.parentElement, "data-is-zero", store.totals[name] === 0);
    }
    if (!store.latencies.length) return;
    setText(median, milliseconds(quantile(store.latencies, 0.5)));
    setText(slow, milliseconds(quantile(store.latencies, 0.95)));
  };
  store.on("*", oncePerFrame(draw));
  draw();
}

async function start() {
  showLink("connecting");
  const store = new Store();
  store.start(await get("/api/world"));
  setText(byId("environment"), store.snapshot.environment);
  document.title = `Calls finding their way · ${store.snapshot.environment}`;

  const onFault = (button, fault, region, isOn) => switchFault(button, fault, region, isOn, tell);
  const rules = new RulesPanel(store, { tell, announce });
  const detail = new CallDetail(store, { onExplain: (callId, step) => rules.explainStep(callId, step) });
  const calls = new CallList(store, { onSelect: (callId) => detail.show(callId), announce });
  const place = new PlaceForm(store, { tell, onPlaced: (caller) => calls.expect(caller) });
  const map = new CallMap(store, { onPlace: (caller) => place.place(caller) });
  const dns = new DnsPanel(store);
  dns.onRoutes = () => map.draw();
  new RegionCards(store, { onFault });
  new FaultPanel(store, { onFault });
  new Activity(store, { announce });
  showTotals(store);

  const healAll = () => post("/api/heal-all").catch((error) => tell(error.message));
  byId("heal-all").addEventListener("click", healAll);
  const keys = new Keys({
    p: { text: "place a call", run: () => place.place() },
    j: { text: "next call of the list", run: () => calls.step(1) },
    k: { text: "call before", run: () => calls.step(-1) },
    d: { text: "path of the selected call", run: () => byId("detail").focus() },
    r: { text: "edit the region rules (Esc leaves)", run: () => rules.focus() },
    t: { text: "traffic on, off", run: () => place.toggleTraffic() },
    h: { text: "heal everything", run: healAll },
    "?": { text: "this list", run: () => keys.help() },
  });

  follow(store.snapshot.since, {
    onEvents: (events) => store.take(events),
    onState: showLink,
    onGone: () => location.reload(),
  });
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => {
  showLink("lost");
  tell(`The page could not start: ${error.message}`);
});
