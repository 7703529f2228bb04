// How the panels put numbers, replies and states into words.

const ERRORS = {
  "name-unresolved": "no address",
  "connection-refused": "unreachable",
  "connect-timeout": "no connection",
  "tls-refused": "bad certificate",
  "connection-lost": "cut off",
  "reply-timeout": "no reply",
};

/** The tone of a reply; the style sheet gives each tone a colour. */
export function toneOf(status) {
  if (status === 204) return "blue";
  if (status === 302 || status === 307) return "amber";
  if (status === 202 || status === 200) return "green";
  return "red";
}

/** A status, or the error that came instead. */
export function replyOf(step) {
  if (step.status) return String(step.status);
  if (step.error) return ERRORS[step.error] ?? step.error;
  return "…";
}

/** How a call ended, in a word or two: the bot sends a call on, regions redirect it. */
export function outcomeOf({ outcome }) {
  return outcome === "redirected" ? "sent on" : outcome;
}

/** A result code with its subcode, as far as the platform told them. */
export function resultOf(code, subcode) {
  if (code == null) return "no code";
  return subcode == null ? String(code) : `${code}/${subcode}`;
}

export function milliseconds(seconds) {
  const value = seconds * 1000;
  if (value >= 1000) return `${seconds.toFixed(value < 10_000 ? 2 : 1)}\u00a0s`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}\u00a0ms`;
}

/** Formats seconds since the world started, such as 12:34.5. */
export function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
}

export function ago(seconds) {
  if (seconds < 1) return "now";
  if (seconds < 90) return `${Math.round(seconds)}\u00a0s ago`;
  return `${Math.round(seconds / 60)}\u00a0min ago`;
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** The value that `share` of the numbers (0 to 1) do not exceed. */
export function quantile(numbers, share) {
  if (!numbers.length) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The condition of a region: a word and a tone. */
export function conditionOf(region) {
  if (region.state === "starting") return { tone: "amber", text: "starting" };
  if (region.state === "stopped") return { tone: "red", text: "stopped" };
  if (region.state === "hanging") return { tone: "red", text: "hanging" };
  const last = region.probes.at(-1);
  if (last && last.status !== 200) return { tone: "red", text: "unhealthy" };
  if (region.endpoint === "disabled") return { tone: "grey", text: "disabled" };
  if (region.endpoint === "degraded") return { tone: "amber", text: "recovering" };
  return { tone: "green", text: "healthy" };
}

/** Whether Traffic Manager names a region in DNS. */
export function routingOf(region) {
  if (region.endpoint === "online") return "in DNS";
  if (region.endpoint === "disabled") return "not in DNS: disabled";
  return "not in DNS: degraded";
}
