// Requests to the page's own server; the page sends no others.

/** The server refused a request; `problems` are sentences for people. */
export class RefusedError extends Error {
  constructor(problems) {
    super(problems.join(" "));
    this.problems = problems;
  }
}

async function readReply(response) {
  // A request that was aborted may end in the middle of its reply.
  const body = await response.json().catch((error) => {
    if (error instanceof SyntaxError) return {};
    throw error;
  });
  if (response.ok && !body.problems) return body;
  throw new RefusedError(body.problems ?? [`The server replied ${response.status}.`]);
}

async function send(path, options = {}) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error instanceof TypeError) throw new RefusedError(["The page’s server does not answer."]);
    throw error;
  }
}

export async function get(path) {
  return readReply(await send(path));
}

export async function post(path, members = {}, signal = undefined) {
  return readReply(
    await send(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(members),
      signal,
    }),
  );
}

/** Sends a recording; `members` go into the query. */
export async function postWav(path, members, wav) {
  return readReply(
    await send(`${path}?${new URLSearchParams(members)}`, { method: "POST", headers: { "Content-Type": "audio/wav" }, body: wav }),
  );
}

/**
 * Follows the events from a number on. `onEvents` gets them in batches, `onState` gets
 * "connecting", "live" or "lost", and `onGone` is called if too many were missed.
 */
export function follow(since, { onEvents, onState, onGone }) {
  const source = new EventSource(`/api/events?since=${since}`);
  source.onopen = () => onState("live");
  source.onmessage = (message) => onEvents(JSON.parse(message.data));
  source.onerror = () => onState(source.readyState === EventSource.CLOSED ? "lost" : "connecting");
  source.addEventListener("reload", () => {
    source.close();
    onGone();
  });
  return source;
}
