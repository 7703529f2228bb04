"""A bot: which handler gets an event, and what it may be, return and keep."""

import asyncio
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from shared import bot as delivered
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
    Person,
    Terminated,
    Tone,
    TransferFailed,
    accept_join,
    answer,
    hang_up,
    keep_alive,
    play_prompt,
    redirect,
    reject,
    reject_join,
    subscribe_to_tone,
    transfer,
)
from shared.core.events import TONES
from shared.core.handlers import HandlerError, encode_state
from tests.support import sample_bot
from tests.support.checkout import CHECKOUT
from tests.support.sample_bot import MENU, SALES


def end(event: Event) -> Action:
    return hang_up()


XX = Incoming(source=Person(country_code="XX"))
NOTHING: list[Action] = []


@pytest.mark.parametrize(
    ("event", "actions", "state"),
    [
        (XX, [reject("forbidden")], {}),
        (Incoming(), NOTHING, {}),
        (ParticipantJoining(), [reject_join()], {}),
        (ParticipantJoining(participant_id="p"), [accept_join()], {}),
        (
            Established(),
            [subscribe_to_tone(), play_prompt(MENU, client_context="menu")],
            {"asked": 1},
        ),
        (Tone(key="1"), [transfer(SALES)], {}),
        (Tone(key="A"), [transfer(SALES)], {}),
        (Tone(key="2"), [play_prompt(MENU)], {"keys": "2"}),
        (Tone(key="#"), NOTHING, {"keys": "#"}),
        (OperationCompleted(type="record"), NOTHING, {"location": None}),
        (
            OperationCompleted(type="record", client_context="bye"),
            NOTHING,
            {"location": None},
        ),
        (OperationCompleted(type="playPrompt", client_context="bye"), [hang_up()], {}),
        (OperationCompleted(client_context="bye", is_cancelled=True), NOTHING, {}),
        (
            OperationCompleted(type="playPrompt", client_context="menu"),
            NOTHING,
            {"seen": "operation_completed"},
        ),
        (OperationCompleted(client_context="menu"), NOTHING, {}),
        (OperationCompleted(type="playPrompt"), NOTHING, {}),
        (Terminated(), NOTHING, {"seen": "terminated"}),
        (TransferFailed(result_code=500), NOTHING, {"seen": "transfer_failed"}),
        (
            Failed(action="transfer", reason="action-refused"),
            [play_prompt(MENU, client_context="action-refused")],
            {},
        ),
        (Failed(action="playPrompt"), [keep_alive()], {}),
        (Failed(reason="bot-failed"), [keep_alive()], {}),
        (Participants(), [keep_alive()], {}),
        (Event(), [keep_alive()], {}),
    ],
)
def test_the_first_handler_that_fits_gets_the_event_and_no_other(
    event: Event, actions: list[Action], state: dict[str, Any]
) -> None:
    kept: dict[str, Any] = {}

    assert sample_bot.bot.react(event, kept) == actions
    assert kept == state


def test_event_gets_only_what_no_decorator_names() -> None:
    bot = Bot()
    bot.event(end)

    assert bot.react(Event()) == [hang_up()]
    assert bot.react(Tone(key="1")) == []
    assert bot.handles(Event)
    assert not bot.handles(Tone)


def test_the_state_is_what_the_call_remembers() -> None:
    state = {"keys": "1"}

    sample_bot.bot.react(Tone(key="2"), state)

    assert state == {"keys": "12"}


def test_decorators_return_the_function_unchanged() -> None:
    assert inspect.isfunction(sample_bot.sales)
    assert sample_bot.sales(Tone()) == transfer(SALES)
    assert inspect.iscoroutinefunction(sample_bot.again)


async def _react_on_a_loop() -> list[Action]:
    return sample_bot.bot.react(Tone(key="2"))


def test_an_async_handler_reacts_on_an_event_loop_and_without_one() -> None:
    async def waiting(event: Tone) -> Action:
        await asyncio.sleep(0)
        return hang_up()

    bot = Bot()
    bot.tone(waiting)

    assert bot.react(Tone()) == [hang_up()]
    assert asyncio.run(_react_on_a_loop()) == [play_prompt(MENU)]


class _Handlers:
    def method(self, event: Event, state: dict[str, Any]) -> Action:
        state["seen"] = event.name
        return hang_up()

    async def __call__(self, event: Event) -> Action:
        return end(event)


def _with_default(event: Event, other: int = 1) -> Action:
    return hang_up() if other else keep_alive()


@pytest.mark.parametrize(
    "handler",
    [
        _Handlers().method,
        _Handlers(),
        _with_default,
        partial(_with_default, other=1),
        lambda event: [end(event)],
    ],
)
def test_whatever_can_be_called_with_the_event_is_a_handler(handler: Any) -> None:
    bot = Bot()
    bot.terminated(handler)

    assert bot.react(Terminated(), {}) == [hang_up()]


def _none() -> None: ...


def _only_state(state: object) -> None: ...


def _other(event: Event, other: object) -> None: ...


def _third(event: Event, other: int = 1, state: object = None) -> None: ...


def _state(event: Event, state: object) -> None: ...


def _yielding(event: Event) -> Any:
    yield hang_up()


@pytest.mark.parametrize(
    ("register", "sentence"),
    [
        (lambda bot: bot.established(_none), "takes the event"),
        (lambda bot: bot.established(_other), "takes the event"),
        (lambda bot: bot.established(_third), "second parameter"),
        (lambda bot: bot.established(_only_state), "second parameter"),
        (lambda bot: bot.established(_yielding), "must not yield"),
        (lambda bot: bot.established(_Handlers), "a function"),
        (lambda bot: bot.established("menu"), "a function"),
        (lambda bot: bot.established()(None), "a function"),
        (lambda bot: bot.participant_joining(_state), "no state"),
        *(
            (lambda bot, key=key: bot.tone(key), "key must be")
            for key in ("", "10", "x", "tone1", 1, ["1"])
        ),
        (lambda bot: bot.failed("hang_up"), "delete"),
        (lambda bot: bot.failed("answer"), "delete"),
        (lambda bot: bot.failed(5), "delete"),
        (lambda bot: bot.operation_completed("playPromptOperation"), "type"),
        (lambda bot: bot.operation_completed("play_prompt"), "type"),
        (lambda bot: bot.operation_completed(7), "type"),
        (lambda bot: bot.operation_completed(client_context=7), "client_context"),
        (lambda bot: type(bot)(hang_up()), "otherwise"),
        (lambda bot: type(bot)(reject), "otherwise"),
    ],
)
def test_a_wrong_registration_fails_with_a_sentence(
    register: Callable[[Any], object], sentence: str
) -> None:
    with pytest.raises(HandlerError, match=sentence):
        register(Bot())


def test_an_unknown_decorator_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="answered"):
        Bot().answered  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("key", TONES)
def test_a_key_may_be_written_in_either_case(key: str) -> None:
    bot = Bot()
    bot.tone(key.lower())(end)

    assert bot.react(Tone(key=key)) == [hang_up()]


@pytest.mark.parametrize(
    ("otherwise", "action"),
    [(None, answer()), (reject("busy"), reject("busy")), (redirect(SALES),) * 2],
)
def test_otherwise_is_what_a_call_gets_where_no_handler_decides(
    otherwise: Action | None, action: Action
) -> None:
    bot = Bot(otherwise=otherwise)

    assert bot.otherwise == action
    assert bot.react(Incoming()) == []


@pytest.mark.parametrize(
    ("event", "returned"),
    [
        *((Incoming(), each) for each in (hang_up(), accept_join(), [hang_up()])),
        (Incoming(), [answer(), answer()]),
        *((ParticipantJoining(), each) for each in (answer(), hang_up())),
        (ParticipantJoining(), [accept_join(), accept_join()]),
        *(
            (event, action)
            for event in (Tone(), Failed(), Event(), Established(), Terminated())
            for action in (answer(), reject(), redirect(SALES), reject_join())
        ),
        (Tone(), [hang_up(), answer()]),
        *zip([Tone()] * 6, ("x", 1, {}, (), (hang_up(),), hang_up), strict=True),
        *zip([Tone()] * 3, ([None], ["delete"], [[hang_up()]]), strict=True),
    ],
)
def test_what_may_not_come_from_an_event_is_refused(
    event: Event, returned: object
) -> None:
    bot = Bot()

    def return_it(event: Event) -> Any:
        return returned

    getattr(bot, event.name)(return_it)

    with pytest.raises(HandlerError, match=event.name):
        bot.react(event)


def test_a_handlers_own_exception_goes_through() -> None:
    def failing(event: Tone) -> None:
        raise KeyError(event.key)

    bot = Bot()
    bot.tone(failing)

    with pytest.raises(KeyError):
        bot.react(Tone())


def _cycle() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["itself"] = found
    return found


@pytest.mark.parametrize(
    "state",
    [
        *([], None, "x", {1: "a"}, {"a": {2: 1}}, {"a": object()}, {"a": {1}}),
        *({"a": b"x"}, {"a": float("nan")}, _cycle(), {"a": "x" * 16_384}),
        {"a": 10**5000},
    ],
)
def test_a_state_that_cannot_be_kept_is_refused(state: Any) -> None:
    with pytest.raises(HandlerError, match=r"^state"):
        encode_state(state)


@pytest.mark.parametrize(
    "state",
    [{}, {"a": [1, 2.5, None, True, {"b": "ü"}]}, {"a": "x" * 16_376}, {"a": "\ud83d"}],
)
def test_a_state_of_json_is_kept(state: dict[str, Any]) -> None:
    assert json.loads(encode_state(state)) == state


def test_react_refuses_a_state_that_could_not_be_kept() -> None:
    def keep(event: Tone, state: dict[str, Any]) -> None:
        state["event"] = event

    bot = Bot()
    bot.tone(keep)

    with pytest.raises(HandlerError, match=r"^state"):
        bot.react(Tone(), {})


AS_DELIVERED = pytest.mark.skipif(
    delivered.bot.has_handlers, reason="shared/bot.py is no longer as delivered"
)


@AS_DELIVERED
def test_as_delivered_there_are_no_handlers() -> None:
    assert isinstance(delivered.bot, Bot)
    assert delivered.bot.otherwise == answer()
    assert delivered.bot._handlers == {}


@AS_DELIVERED
def test_the_example_of_the_delivered_file_runs() -> None:
    _, _, example = (delivered.__doc__ or "").partition(":\n\n")
    found: dict[str, Any] = {}

    exec(inspect.cleandoc(example), found)  # noqa: S102 - our own example

    assert found["bot"].react(Tone(key="1")) == [transfer(SALES)]
    assert len(found["bot"].react(Established())) == 2


def test_starting_the_app_imports_nothing_of_the_bot() -> None:
    """The first request does: the cold import stays as it is."""
    code = "import sys, function_app; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, check=True
    ).stdout.decode()

    assert "shared.service" in printed.split()
    assert not {"shared.bot", "shared.calls"} & {*printed.split()}
