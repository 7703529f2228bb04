// Starts the page: gets the snapshot, builds the panels, follows the events.

import { follow, get, post } from "./api.js";
import { Activity } from "./activity.js";
import { CallDetail } from "./detail.js";
import { CallList } from "./calls.js";
import { CallMap } from "./map.js";
import { DnsPanel } from "./dns.js";
import { EndsPanel } from "./ends.js";
import { FaultPanel, switchFault } from "./faults.js";
import { InstancePanel } from "./instances.js";
import { Keys } from "./keys.js";
import { PHONE_KEYS, Phone } from "./phone.js";
import { PlaceForm } from "./place.js";
import { RegionCards } from "./regions.js";
import { RulesPanel } from "./rules.js";
import { Store } from "./store.js";
import { byId, h, oncePerFrame, setAttribute, setText } from "./dom.js";
import { milliseconds, quantile } from "./words.js";

const TOAST_MS = 6000;
const LINK = { connecting: "connecting", live: "live", lost: "not connected" };

let toastTimer = null;

/** Shows what went wrong; screen readers read it, too. */
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

/** The figures at the top of the page. */
function showTotals(store) {
  const names = { placed: "calls", answered: "answered", rejected: "rejected", redirects: "redirects", lost: "lost", refused: "refused", forged: "forged" };
  const values = new Map();
  const items = Object.entries(names).map(([name, text]) => {
    const value = h("dd", {});
    values.set(name, value);
    return h("div", { "data-total": name }, value, h("dt", {}, text));
  });
  const median = h("dd", {}, "–");
  const slow = h("dd", {}, "–");
  items.push(h("div", {}, median, h("dt", {}, "median")), h("div", {}, slow, h("dt", {}, "p95")));
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

/** The keys of the phone are keys of the keyboard, too. */
function phoneKeys(phone) {
  const keys = Object.fromEntries(PHONE_KEYS.map((key) => [key, { run: () => phone.press(key) }]));
  keys[1].text = "press a key of the phone, also 2 to 9, 0, * and #";
  return { c: { text: "call the bot, or hang up", run: () => phone.callOrHangUp() }, ...keys };
}

async function start() {
  showLink("connecting");
  const store = new Store();
  store.start(await get("/api/world"));
  setText(byId("environment"), store.snapshot.environment);
  document.title = `Front door · ${store.snapshot.environment}`;

  const onFault = (button, fault, region, isOn) => switchFault(button, fault, region, isOn, tell);
  const rules = new RulesPanel(store, { tell, announce });
  const ends = new EndsPanel(store, { onSelect: (callId) => showCall(callId), tell });
  const detail = new CallDetail(store, {
    onExplain: (callId, step) => rules.explainStep(callId, step),
    meaningOf: (code, subcode) => ends.meaningOf(code, subcode),
  });
  const calls = new CallList(store, { onSelect: (callId) => detail.show(callId), announce });
  const showCall = (callId) => {
    calls.select(callId);
    byId("detail").focus();
  };
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
  if (store.snapshot.instances) new InstancePanel(store, { tell, announce, onSelect: showCall });
  const phone = store.snapshot.phone ? new Phone(store, { tell, announce }) : null;
  const keys = new Keys({
    ...(phone ? phoneKeys(phone) : {}),
    p: { text: "place a call", run: () => place.place() },
    j: { text: "select the next call", run: () => calls.step(1) },
    k: { text: "select the previous call", run: () => calls.step(-1) },
    d: { text: "go to the path of the selected call", run: () => byId("detail").focus() },
    r: { text: "edit the region rules (Esc leaves the editor)", run: () => rules.focus() },
    t: { text: "turn traffic on or off", run: () => place.toggleTraffic() },
    h: { text: "heal everything", run: healAll },
    "?": { text: "show this list", run: () => keys.help() },
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
