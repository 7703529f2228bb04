// What the page knows: a snapshot, and every event since.

const MAX_CALLS = 400;
const MAX_ACTIVITY = 60;
const MAX_PROBES = 24;
const MAX_ANSWERS = 40;
const MAX_LATENCIES = 300;

export const FOLLOW_UPS = new Set(["establishing", "established", "roster", "terminated", "deleted"]);

export class Store {
  #listeners = new Map();

  constructor() {
    this.regions = new Map();
    this.callers = new Map();
    this.calls = new Map();
    this.activity = [];
    this.dnsAnswers = [];
    this.activeFaults = new Set();
    this.instances = new Map();
    this.latencies = [];
    this.offset = 0;
  }

  /** Calls `listener` for each event of these kinds, or for all (`"*"`). */
  on(kinds, listener) {
    for (const kind of [kinds].flat()) {
      this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), listener]);
    }
  }

  /** Starts from the snapshot that the server sent. */
  start(snapshot) {
    this.snapshot = snapshot;
    this.number = snapshot.number;
    this.offset = snapshot.seconds - performance.now() / 1000;
    this.totals = { ...snapshot.totals, why: { ...snapshot.totals.why } };
    this.callsPerSecond = snapshot.callsPerSecond;
    this.rulesByRegion = snapshot.rulesByRegion;
    this.routes = snapshot.routes;
    this.faults = snapshot.faults;
    this.regions = new Map(
      snapshot.regions.map((region) => [
        region.code,
        { ...region, probes: [], answered: 0, sentAway: 0, takenIn: 0, latencies: [] },
      ]),
    );
    this.callers = new Map(snapshot.callers.map((caller) => [caller.key, caller]));
    this.instanceWay = snapshot.instances?.way ?? "none";
    for (const instance of snapshot.instances?.instances ?? []) this.instances.set(instanceKey(instance), instance);
    for (const { fault, region } of snapshot.activeFaults) this.activeFaults.add(faultKey(fault, region));
  }

  /** The time in the world's seconds, estimated from the snapshot. */
  get seconds() {
    return performance.now() / 1000 + this.offset;
  }

  take(events) {
    for (const event of events) {
      // Earlier events are shown as history, but the snapshot already contains them.
      event.isNews = event.number >= this.number;
      this.#reduce(event);
      for (const listener of this.#listeners.get(event.kind) ?? []) listener(event);
    }
    for (const listener of this.#listeners.get("*") ?? []) listener(events);
  }

  #reduce(event) {
    const region = this.regions.get(event.region);
    switch (event.kind) {
      case "call-placed": return this.#placeCall(event);
      case "name-resolved": return this.#withCall(event, (call) => call.names.push(event));
      case "step-started": return this.#withCall(event, (call) => call.steps.set(event.step, event));
      case "step-ended": return this.#endStep(event, region);
      case "call-ended": return this.#endCall(event, region);
      case "dns-answered": return keep(this.dnsAnswers, event, MAX_ANSWERS);
      case "probe-answered": return region && keep(region.probes, event, MAX_PROBES);
      case "endpoint-changed": return this.#set(region, "endpoint", event.status, event);
      case "region-changed": return this.#set(region, "state", event.state, event);
      case "fault-injected": return this.#setFault(event, true);
      case "fault-healed": return this.#setFault(event, false);
      case "rules-changed": return this.#changeRules(event);
      case "traffic-changed": {
        if (event.isNews) this.callsPerSecond = event.calls_per_second;
        return this.#note(event);
      }
      case "forged-refused": {
        if (event.isNews) for (const n of Object.values(event.statuses)) this.totals.forged += n;
        return undefined;
      }
      case "instances-chosen": return this.#chooseInstances(event);
      case "instance-changed": return this.#changeInstance(event);
      case "log-written": return this.#note(event);
      default: return undefined;
    }
  }

  #placeCall(event) {
    this.calls.set(event.call_id, { ...event, names: [], steps: new Map(), ended: null });
    if (this.calls.size > MAX_CALLS) this.calls.delete(this.calls.keys().next().value);
    if (event.isNews) this.totals.placed += 1;
  }

  #withCall(event, change) {
    const call = this.calls.get(event.call_id);
    if (call) change(call);
  }

  #endStep(event, region) {
    this.#withCall(event, (call) => call.steps.set(event.step, { ...call.steps.get(event.step), ...event }));
    if (event.redirect_region) {
      if (event.isNews) this.totals.redirects += 1;
      if (region) region.sentAway += 1;
      const target = this.regions.get(event.redirect_region);
      if (target) target.takenIn += 1;
    }
  }

  #endCall(event, region) {
    this.#withCall(event, (call) => { call.ended = event; });
    if (event.isNews && event.outcome in this.totals) {
      this.totals[event.outcome] += 1;
      const why = `${event.outcome}: ${event.why}`;
      if (event.why) this.totals.why[why] = (this.totals.why[why] ?? 0) + 1;
    }
    if (event.outcome !== "answered") return;
    keep(this.latencies, event.answer_seconds, MAX_LATENCIES);
    if (region) {
      region.answered += 1;
      keep(region.latencies, event.answer_seconds, MAX_LATENCIES);
    }
  }

  #set(region, name, value, event) {
    if (region && event.isNews) region[name] = value;
    this.#note(event);
  }

  #setFault(event, isOn) {
    if (event.isNews) {
      const kind = this.faults.find((fault) => fault.name === event.fault);
      const key = faultKey(event.fault, event.region);
      if (isOn && !kind?.isInstant) this.activeFaults.add(key);
      else this.activeFaults.delete(key);
    }
    this.#note(event);
  }

  #changeRules(event) {
    if (event.isNews) {
      for (const code of event.region ? [event.region] : this.regions.keys()) {
        this.rulesByRegion[code] = event.rules;
      }
    }
    this.#note(event);
  }

  #chooseInstances(event) {
    if (event.isNews) {
      this.instanceWay = event.way;
      this.instances.clear();
    }
    this.#note(event);
  }

  /** Takes over how an instance is; `sentence` says what people should know of it. */
  #changeInstance(event) {
    if (!event.isNews) return;
    const key = instanceKey(event);
    const before = this.instances.get(key);
    this.instances.set(key, event);
    if (!before) return;
    const name = `Instance ${event.partition} of ${event.region}`;
    if (event.state !== before.state) event.sentence = `${name} is ${event.state}`;
    else if (event.address !== before.address) event.sentence = `${name} is at ${event.address} now`;
    else if (event.passed_over_until && !before.passed_over_until) event.sentence = `${event.region} passes instance ${event.partition} over: no new calls for 30 s`;
    if (event.sentence) this.#note(event);
  }

  /** The instance that a URL names, or undefined. */
  instanceAt(url) {
    const [, host] = url?.match(/^https:..([^/]+)/) ?? [];
    return [...this.instances.values()].find((instance) => instance.host === host);
  }

  #note(event) {
    keep(this.activity, event, MAX_ACTIVITY);
  }
}

export function faultKey(fault, region) {
  return `${fault}/${region ?? ""}`;
}

function instanceKey({ region, partition }) {
  return `${region}/${partition}`;
}

function keep(list, item, most) {
  list.push(item);
  if (list.length > most) list.shift();
}
