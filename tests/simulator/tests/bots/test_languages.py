"""The example bot with languages, path by path."""

import pytest

from shared.calls import (
    Action,
    Established,
    Failed,
    OperationCompleted,
    Tone,
    cancel_media_processing,
    hang_up,
    play_prompt,
    subscribe_to_tone,
)
from tests.simulator.bots.languages import WAV, bot
from tests.support.told import Told


def hours(language: str, turn: int) -> list[Action]:
    prompt = play_prompt(WAV.format(language), client_context=str(turn))
    return [cancel_media_processing(), prompt]


def ended(turn: int, *, is_cancelled: bool = False) -> OperationCompleted:
    return OperationCompleted(
        type="playPrompt", client_context=str(turn), is_cancelled=is_cancelled
    )


@pytest.fixture
def call() -> Told:
    found = Told(bot)
    subscribe, prompt = found.tell(*[Established()] * 3)
    assert subscribe == subscribe_to_tone()
    assert [each["mediaInfo"]["uri"] for each in (prompt.body or {})["prompts"]] == [
        WAV.format(name) for name in ("choose", "silence-5s", "english")
    ]
    return found


def test_who_presses_nothing_hears_english(call: Told) -> None:
    assert call.tell(ended(0)) == [hang_up()]


def test_a_key_interrupts_what_plays_at_any_time(call: Told) -> None:
    assert call.tell(Tone(key="2", sequence_id=1)) == hours("german", 1)
    assert call.tell(ended(0, is_cancelled=True)) == []
    assert call.tell(Tone(key="3", sequence_id=2)) == hours("french", 2)
    assert call.tell(ended(1, is_cancelled=True)) == []
    assert call.tell(ended(2)) == [hang_up()]


def test_a_prompt_that_ends_as_a_key_comes_does_not_end_the_call(call: Told) -> None:
    call.tell(Tone(key="2", sequence_id=1))

    assert call.tell(ended(0)) == []


def test_a_wrong_key_changes_nothing(call: Told) -> None:
    assert call.tell(Tone(key="9", sequence_id=1), Tone(sequence_id=2)) == []
    assert call.tell(ended(0)) == [hang_up()]


def test_keys_that_are_repeated_or_late_change_nothing(call: Told) -> None:
    call.tell(Tone(key="2", sequence_id=5))

    assert call.tell(Tone(key="2", sequence_id=5), Tone(key="1", sequence_id=4)) == []


def test_keys_without_an_order_are_taken_as_they_come(call: Told) -> None:
    assert call.tell(Tone(key="2")) == hours("german", 1)
    assert call.tell(Tone(key="1")) == hours("english", 2)


def test_a_lost_state_lets_the_prompt_end_and_keys_work(call: Told) -> None:
    call.tell(Tone(key="2", sequence_id=1))
    call.state = {}

    assert call.tell(Tone(key="3", sequence_id=2)) == hours("french", 2)

    call.state = {}
    assert call.tell(ended(1, is_cancelled=True)) == []
    assert call.tell(ended(2)) == [hang_up()]


def test_whatever_fails_ends_the_call(call: Told) -> None:
    assert call.tell(Failed(action="playPrompt")) == [hang_up()]
