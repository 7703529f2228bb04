"""A menu of two levels: * repeats it, and after three failures a person helps."""

from shared import calls
from shared.calls import Action, Bot, Event, OperationCompleted, State, Tone

WAV = "https://cdn.contoso.com/menu/{}.wav"
PEOPLE = {
    "operator": calls.user("550fae72-d251-43ec-868c-373732c2704f"),
    "sales": calls.user("0c8a1d2e-6f0b-4b5e-9f57-2d1c7a90e4b3"),
}
# Where each key leads: to a person, or to a menu, which has a wav of its name.
MENUS = {
    "main": {"1": "orders", "2": "operator", "*": "main"},
    "orders": {"1": "sales", "2": "operator", "*": "orders", "#": "main"},
}
bot = Bot()


def go(state: State, to: str, failures: int = 0) -> Action:
    """Transfer to a person, or ask: with a menu, and a silence to answer in."""
    to = to if failures < 3 else "operator"
    state.update(at=to, failures=failures, turn=state.get("turn", 0) + 1)
    if to in PEOPLE:
        return calls.transfer(PEOPLE[to])
    wavs = (f"{to}-again" if failures else to, "silence-5s")
    return calls.play_prompt(*map(WAV.format, wavs), client_context=str(state["turn"]))


@bot.established
def start(event: Event, state: State) -> list[Action]:
    return [calls.subscribe_to_tone(), go(state, "main")]


@bot.tone
def choose(event: Tone, state: State) -> list[Action] | None:
    """Follow the key; a wrong one is a failure."""
    at, order = state.get("at"), event.sequence_id or 0
    if at not in MENUS or 0 < order <= state.get("order", 0):
        return None  # transferred already, or the state is lost, or the key is old
    state["order"] = order
    to = MENUS[at].get(event.key)
    action = go(state, to) if to else go(state, at, state["failures"] + 1)
    return [calls.cancel_media_processing(), action]


@bot.operation_completed("playPrompt", client_context="goodbye")
def end(event: OperationCompleted) -> Action | None:
    return None if event.is_cancelled else calls.hang_up()


@bot.operation_completed("playPrompt")
def hear_nothing(event: OperationCompleted, state: State) -> Action | None:
    """The silence has ended. That is a failure, unless a key came first."""
    asked, turn = int(event.client_context or 0), state.get("turn", 0)
    if event.is_cancelled or asked < turn:
        return None
    if asked > turn:  # what was kept of this call is lost: count no longer
        return go(state, "operator")
    return go(state, state["at"], state["failures"] + 1)


@bot.failed("playPrompt")
def give_up(event: Event) -> Action:
    return calls.hang_up()


@bot.failed
@bot.transfer_failed
def apologise(event: Event) -> Action:
    return calls.play_prompt(WAV.format("goodbye"), client_context="goodbye")
