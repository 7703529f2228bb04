"""A PIN: callers enter four digits, and a service says whose adviser to call."""

import requests

from shared import calls
from shared.calls import Action, Bot, Event, Incoming, OperationCompleted, State, Tone

SERVICE = "https://pins.contoso.com/check"
WAV = "https://cdn.contoso.com/pin/{}.wav"
OPERATOR = calls.user("550fae72-d251-43ec-868c-373732c2704f")
GOODBYE = calls.play_prompt(WAV.format("goodbye"), client_context="bye")
bot = Bot()


def play(state: State, *wavs: str) -> Action:
    """Play, and then a silence: when that ends, no key has come."""
    urls = map(WAV.format, (*wavs, "silence-5s"))
    return calls.play_prompt(*urls, client_context=str(state["turn"]))


def ask(state: State, wav: str, tries: int) -> Action:
    state.update(tries=tries, turn=state.get("turn", 0) + 1)
    state["keys"] = [] if tries < 3 else None  # None: no key is wanted any more
    return play(state, wav) if tries < 3 else GOODBYE


def look_up(state: State, pin: str, call_id: str) -> Action:
    """Ask the service, which counts tries: with one key a try counts once."""
    key = {"Idempotency-Key": f"{call_id}/try-{state['tries']}"}
    try:
        body = {"caller": state["caller"], "pin": pin}
        reply = requests.post(SERVICE, json=body, headers=key, timeout=3)
        if reply.status_code == 403:
            return ask(state, "wrong", state["tries"] + 1)
        reply.raise_for_status()
        adviser = calls.user(reply.json()["adviser"])
    except (requests.RequestException, ValueError, LookupError, TypeError):
        adviser = OPERATOR  # a person asks, if service or state are lost
    state["keys"] = None
    return calls.transfer(adviser)


@bot.incoming
async def take(event: Incoming, state: State) -> None:
    state["caller"] = event.source.id  # no later event says who calls


@bot.established
async def start(event: Event, state: State) -> list[Action]:
    return [calls.subscribe_to_tone(), ask(state, "welcome", 0)]


@bot.tone  # on a thread, because it waits for the service; the others never wait
def collect(event: Tone, state: State) -> list[Action] | None:
    keys = state.get("keys")
    if keys is None or not event.key.isdigit():
        return None
    keys = sorted([*keys, [event.sequence_id or len(keys), event.key]])
    state.update(keys=keys, turn=state["turn"] + 1)
    pin = "".join(key for _, key in keys)
    action = look_up(state, pin, event.call.id) if len(pin) == 4 else play(state)
    return [calls.cancel_media_processing(), action]


@bot.operation_completed("playPrompt")
async def end(event: OperationCompleted, state: State) -> Action | None:
    if event.client_context == "bye":
        return None if event.is_cancelled else calls.hang_up()
    asked, turn = int(event.client_context or 0), state.get("turn", 0)
    if event.is_cancelled or asked < turn:
        return None  # a key came
    # Where what was kept of this call is lost, this was the last try.
    return ask(state, "again", state["tries"] + 1 if asked == turn else 3)


@bot.transfer_failed
@bot.failed("transfer")
async def apologise(event: Event) -> Action:
    return GOODBYE


@bot.failed
async def give_up(event: Event) -> Action:
    return calls.hang_up()
