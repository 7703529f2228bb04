"""What callers heard, judged: whatever was played again must be noticed."""

from typing import Any

from tests.simulator.drill.scripted_calls import Moment, heard_twice, without_cause
from tests.simulator.services.call_control import CallRequest


def play(name: str, turn: str) -> CallRequest:
    uri = f"https://cdn.contoso.com/{name}.wav"
    body: dict[str, Any] = {
        "clientContext": turn,
        "prompts": [{"mediaInfo": {"uri": uri}}],
    }
    return CallRequest("call", "", body, 200, "playPrompt", took_effect=True)


def moments(*events: tuple[float, str]) -> list[Moment]:
    return [Moment(*event) for event in events]


def test_a_prompt_that_is_heard_oftener_than_asked_for_is_heard_twice() -> None:
    actions = [play("main", "1"), play("main", "1"), play("orders", "2")]

    assert heard_twice(["main", "main", "orders"], actions) == ["main"]


def test_a_prompt_that_is_asked_for_again_and_not_heard_is_not_heard_twice() -> None:
    """The call ended first."""
    assert heard_twice(["bye"], [play("bye", "bye"), play("bye", "bye")]) == []


def test_a_prompt_of_two_turns_may_be_heard_twice() -> None:
    assert heard_twice(["main", "main"], [play("main", "1"), play("main", "2")]) == []


def test_each_turn_needs_an_event_that_came_before_it() -> None:
    causes = moments((1.0, "established"), (3.0, "tone 1"))

    assert without_cause(moments((1.1, "1"), (3.1, "2")), causes) == []
    assert without_cause(moments((1.1, "1"), (2.9, "2")), causes) == ["turn 2"]
    assert without_cause(moments((1.1, "1"), (3.1, "2"), (3.2, "3")), causes) == [
        "turn 3"
    ]


def test_a_turn_that_is_asked_for_again_needs_no_event_of_its_own() -> None:
    causes = moments((1.0, "established"))

    assert without_cause(moments((1.1, "1"), (1.2, "1")), causes) == []
