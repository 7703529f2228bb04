// What the page knows of the phone: its latest call, the bot's file, the switches.

const MAX_STEPS = 400;
const MAX_LINES = 200;

export const KINDS = [
  "phone-called", "phone-changed", "phone-switched", "prompt-started", "prompt-ended", "key-pressed", "keys-heard",
  "caller-spoke", "person-reacted", "bot-file-changed", "step-started", "step-ended", "handler-ran", "phone-logged",
];

export class PhoneStore {
  #steps = new Map();

  /** `snapshot` is what the server says of the phone; `onChange` is called after each event. */
  constructor(store, onChange) {
    this.onChange = onChange;
    this.use(store.snapshot.phone);
    this.call = null;
    store.on(KINDS, (event) => {
      if (this.#reduce(event)) onChange(event);
    });
  }

  use(snapshot) {
    this.bot = snapshot.bot;
    this.prompts = new Map(snapshot.prompts.map((prompt) => [prompt.name, prompt]));
    this.statePlace = snapshot.statePlace;
    this.refusals = snapshot.refusals;
    this.refusable = snapshot.refusable;
  }

  get isUp() {
    return this.call?.now.state === "up";
  }

  get goesOn() {
    return this.call !== null && this.call.now.state !== "over";
  }

  /** The prompt that plays now, or null. */
  get playing() {
    const last = this.call?.prompts.at(-1);
    return last && last.ended === undefined ? last : null;
  }

  #reduce(event) {
    switch (event.kind) {
      case "phone-called": return this.#begin(event);
      case "bot-file-changed": {
        if (event.isNews) this.bot = event;
        return event.isNews;
      }
      case "phone-switched": {
        if (!event.isNews) return false;
        this.statePlace = event.state_place;
        this.refusals = event.refusals;
        return true;
      }
      default: return this.call?.callId === event.call_id && this.#ofCall(event);
    }
  }

  #begin(event) {
    this.#steps = new Map();
    this.call = { callId: event.call_id, began: event, prompts: [], lines: [], steps: [], now: { state: "ringing", asked: [], joined: [], sent_to: [] } };
    return true;
  }

  #ofCall(event) {
    const { call } = this;
    switch (event.kind) {
      case "phone-changed": this.#change(event); break;
      case "prompt-started": {
        call.prompts.push({ ...event, text: this.prompts.get(event.name)?.text ?? "", hasSound: this.prompts.get(event.name)?.seconds > 0 });
        this.#say(event, "bot", spoken(call.prompts.at(-1)));
        break;
      }
      case "prompt-ended": {
        const prompt = call.prompts.find(({ prompt: number }) => number === event.prompt);
        if (prompt) Object.assign(prompt, { ended: event.seconds, isCut: event.is_cut });
        if (event.is_cut && prompt) this.#say(event, "note", `${prompt.name} was cut short.`);
        break;
      }
      case "key-pressed": this.#say(event, "person", `You pressed ${event.key}.${event.is_told ? "" : " The bot has not subscribed to keys."}`); break;
      case "keys-heard": this.#say(event, "bot", `The bot pressed ${event.keys}.`); break;
      case "caller-spoke": this.#say(event, "person", `You spoke for ${event.spoken_seconds} s.`); break;
      case "person-reacted": this.#say(event, "note", `${event.person} ${event.reaction}.`); break;
      case "step-started": this.#startStep(event); break;
      case "step-ended": Object.assign(this.#steps.get(event.step) ?? {}, { ended: event }); break;
      case "handler-ran": this.#byMessage(event.message_id)?.handlers.push(event); break;
      case "phone-logged": Object.assign(this.#byMessage(event.line.message_id) ?? {}, { line: event.line, region: event.region }); break;
      default: return false;
    }
    return true;
  }

  #startStep(event) {
    const step = { ...event, handlers: [], line: null, ended: null };
    this.#steps.set(event.step, step);
    this.call.steps.push(step);
    if (this.call.steps.length > MAX_STEPS) this.call.steps.shift();
  }

  #byMessage(messageId) {
    return this.call.steps.findLast((step) => step.message_id === messageId);
  }

  #change(event) {
    const before = this.call.now;
    this.call.now = event;
    event.isBeep = event.has_beeped && !before.has_beeped;
    const { state } = event;
    if (state === "up" && before.state !== "up") this.#say(event, "note", "The bot has answered.");
    for (const person of event.asked.filter((each) => !before.asked.includes(each))) this.#say(event, "note", `The bot ${event.asked_for === "invite" ? "invites" : "transfers you to"} ${person}.`);
    if (event.is_recording && !before.is_recording) this.#say(event, "note", `${event.has_beeped ? "A beep: the" : "The"} bot records what you say.`);
    if (!event.is_recording && before.is_recording) this.#say(event, "note", "The bot no longer records.");
    if (state === "over" && before.state !== "over") this.#say(event, "note", endOf(event));
  }

  #say(event, who, text) {
    const { lines } = this.call;
    lines.push({ key: `${event.number}`, seconds: event.seconds, who, text });
    if (lines.length > MAX_LINES) lines.shift();
  }
}

/** What a screen reader and the eye get of a prompt. */
export function spoken({ name, text, length_seconds: seconds }) {
  if (text) return `“${text}”`;
  return `${name} (${seconds} s)`;
}

export function endOf({ ended_by: by, outcome, why, sent_to: people }) {
  if (outcome === "rejected") return "The bot rejected the call.";
  if (outcome === "redirected") return `The bot sent the call on to ${people.join(", ")}.`;
  if (by === "caller") return "You hung up.";
  if (by === "bot") return "The bot hung up.";
  if (by === "transfer") return `${people.join(", ")} has the call now.`;
  if (outcome) return `The call was ${outcome}: ${why}.`;
  return "The platform ended the call: nobody kept it alive.";
}
