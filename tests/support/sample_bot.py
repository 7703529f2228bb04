"""A bot file with all that handlers may be; mypy strict judges it like a user's.

Where a line must not pass, ``type: ignore`` stands: mypy tells if it is not needed.
"""

from typing import Any

from shared.calls import (
    Action,
    Bot,
    Established,
    Event,
    Failed,
    Incoming,
    OperationCompleted,
    ParticipantJoining,
    Participants,
    State,
    Terminated,
    Tone,
    TransferFailed,
    accept_join,
    hang_up,
    keep_alive,
    play_prompt,
    reject,
    reject_join,
    subscribe_to_tone,
    transfer,
    user,
)

bot = Bot(otherwise=reject("busy"))
MENU = "https://cdn.contoso.com/menu.wav"
SALES = user("550fae72-d251-43ec-868c-373732c2704f")


@bot.incoming
def take(event: Incoming) -> Action | None:
    return reject("forbidden") if event.source.country_code == "XX" else None


@bot.participant_joining()
async def join(event: ParticipantJoining) -> Action:
    return accept_join() if event.participant_id else reject_join()


@bot.established
def menu(event: Established, state: dict[str, Any]) -> list[Action]:
    state["asked"] = state.get("asked", 0) + 1
    return [subscribe_to_tone(), play_prompt(MENU, client_context="menu")]


@bot.tone("1")
@bot.tone(key="a")
def sales(event: Tone) -> Action:
    return transfer(SALES)


@bot.tone("1")
@bot.tone
async def again(event: Tone, state: State) -> list[Action] | None:
    state["keys"] = state.get("keys", "") + event.key
    return None if event.key == "#" else [play_prompt(MENU)]


@bot.operation_completed("record")
def recorded(event: OperationCompleted, state: State) -> None:
    state["location"] = event.recording_location


@bot.operation_completed(client_context="bye")
def end(event: OperationCompleted) -> Action | None:
    return None if event.is_cancelled else hang_up()


@bot.operation_completed(type="playPrompt", client_context="menu")
@bot.terminated
@bot.transfer_failed()
def look(event: Event, *, state: State) -> None:
    state["seen"] = event.name


@bot.failed("transfer")
def apologise(event: Failed) -> Action:
    return play_prompt(MENU, client_context=event.reason)


@bot.failed
@bot.participants
@bot.event()
def rest(event: Event) -> list[Action]:
    return [keep_alive()]


# A bot of its own keeps what mypy must refuse.
wrong = Bot()


@wrong.tone("1")  # type: ignore[type-var]
def another_event(event: Established) -> None: ...


@wrong.established  # type: ignore[type-var]
def no_action(event: Established) -> str:
    return event.name


@wrong.terminated()  # type: ignore[type-var]
def a_tuple(event: Terminated) -> tuple[Action, ...]:
    return (hang_up(),)


@wrong.transfer_failed  # type: ignore[type-var]
def a_text_as_state(event: TransferFailed, state: str) -> None: ...


@wrong.participants
def a_wrong_word(event: Participants) -> Action:
    return reject("Busy") if event.is_delta else hang_up()  # type: ignore[arg-type]
