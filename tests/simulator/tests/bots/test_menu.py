"""The example bot with a menu, path by path."""

import pytest

from shared.calls import (
    Action,
    Established,
    Failed,
    OperationCompleted,
    Tone,
    TransferFailed,
    cancel_media_processing,
    hang_up,
    play_prompt,
    subscribe_to_tone,
    transfer,
)
from tests.simulator.bots.menu import PEOPLE, WAV, bot
from tests.support.told import Told

STOP = cancel_media_processing()
OPERATOR, SALES = transfer(PEOPLE["operator"]), transfer(PEOPLE["sales"])
GOODBYE = play_prompt(WAV.format("goodbye"), client_context="goodbye")


def asked(menu: str, turn: int) -> Action:
    wavs = WAV.format(menu), WAV.format("silence-5s")
    return play_prompt(*wavs, client_context=str(turn))


def ended(context: object, *, is_cancelled: bool = False) -> OperationCompleted:
    return OperationCompleted(
        type="playPrompt", client_context=str(context), is_cancelled=is_cancelled
    )


@pytest.fixture
def call() -> Told:
    """A call in which the main menu plays."""
    found = Told(bot)
    assert found.tell(Established()) == [subscribe_to_tone(), asked("main", 1)]
    return found


def test_two_keys_lead_through_both_menus(call: Told) -> None:
    assert call.tell(Tone(key="1")) == [STOP, asked("orders", 2)]
    assert call.tell(ended(1, is_cancelled=True)) == []
    assert call.tell(Tone(key="1")) == [STOP, SALES]


@pytest.mark.parametrize(
    ("keys", "last"),
    [
        ("2", OPERATOR),
        ("*", asked("main", 2)),
        ("1*", asked("orders", 3)),
        ("1#", asked("main", 3)),
        ("12", OPERATOR),
    ],
)
def test_every_key_does_what_the_menu_says(call: Told, keys: str, last: Action) -> None:
    assert call.tell(*(Tone(key=key) for key in keys))[-2:] == [STOP, last]


def test_the_third_failure_leads_to_a_person_whatever_the_failures_were(
    call: Told,
) -> None:
    assert call.tell(Tone(key="7")) == [STOP, asked("main-again", 2)]
    assert call.tell(ended(2)) == [asked("main-again", 3)]
    assert call.tell(Tone(key="")) == [STOP, OPERATOR]


def test_silence_alone_leads_to_a_person_too(call: Told) -> None:
    call.tell(ended(1), ended(2))

    assert call.tell(ended(3)) == [OPERATOR]
    assert call.tell(ended(3)) == []


def test_a_right_key_forgives_failures(call: Told) -> None:
    call.tell(ended(1), ended(2), Tone(key="1"))

    assert call.tell(ended(4)) == [asked("orders-again", 5)]


def test_a_silence_that_ends_as_a_key_comes_asks_nothing(call: Told) -> None:
    """It was not cancelled in time, but its turn is over."""
    call.tell(Tone(key="1"))

    assert call.tell(ended(1)) == []


def test_repeated_events_play_nothing_again(call: Told) -> None:
    assert call.tell(Established(), Established()) == []

    call.tell(Tone(key="1", sequence_id=1))

    assert call.tell(Tone(key="1", sequence_id=1)) == []


def test_a_key_that_comes_late_answers_no_later_question(call: Told) -> None:
    assert call.tell(Tone(key="1", sequence_id=2)) == [STOP, asked("orders", 2)]
    assert call.tell(Tone(key="1", sequence_id=1)) == []


def test_keys_do_nothing_once_the_caller_is_transferred(call: Told) -> None:
    call.tell(Tone(key="2"))

    assert call.tell(Tone(key="1"), ended(1, is_cancelled=True), ended(1)) == []


@pytest.mark.parametrize(
    "failure", [TransferFailed(result_code=500), Failed(action="transfer")]
)
def test_a_failed_transfer_ends_with_a_goodbye(
    call: Told, failure: TransferFailed | Failed
) -> None:
    call.tell(Tone(key="2"))

    assert call.tell(failure) == [GOODBYE]
    assert call.tell(ended("goodbye")) == [hang_up()]


def test_a_goodbye_that_is_cut_short_hangs_up_nothing(call: Told) -> None:
    assert call.tell(ended("goodbye", is_cancelled=True)) == []


def test_nobody_waits_where_nothing_can_be_played(call: Told) -> None:
    assert call.tell(Failed(action="playPrompt")) == [hang_up()]
    assert call.tell(Failed(action="subscribeToTone")) == [GOODBYE]


def test_with_a_lost_state_keys_do_nothing_and_silence_leads_to_a_person(
    call: Told,
) -> None:
    """A bot that counted attempts anew could ask for ever."""
    call.state = {}
    assert call.tell(Tone(key="1")) == []

    call.state = {}
    assert call.tell(ended(1)) == [OPERATOR]


def test_a_state_that_is_older_than_the_prompt_counts_as_lost(call: Told) -> None:
    """What the event that asked had left was not kept."""
    older = call.state
    call.tell(ended(1))
    call.state = older

    assert call.tell(ended(2)) == [OPERATOR]
