"""docs/behaviour.md section 8: what a handler leaves, however odd it is."""

from collections.abc import Iterator
from typing import override

import pytest

from shared.calls import Action, Bot, Tone, mute, play_prompt
from tests.support.bot_calls import PlaceCall

URL = "https://cdn.example/a.wav"


class Unreadable(list[Action]):
    """A list that cannot be read, as when a thread still changes it."""

    @override
    def __iter__(self) -> Iterator[Action]:
        raise RuntimeError


def test_a_result_that_cannot_be_read_is_a_handler_that_failed(
    place_call: PlaceCall,
) -> None:
    """A follow-up that got 503 would come again, and prompts would play twice."""
    bot = Bot()
    bot.tone(lambda _event: Unreadable([mute()]))
    call = place_call(bot)
    assert call.post(call.tone()).status == 202
    assert (call.line["reason"], call.line["type"]) == ("bot-failed", "RuntimeError")


@pytest.mark.parametrize(
    "changes", [{"prompts": []}, {"clientContext": object()}, {"loop": 2}]
)
def test_an_action_whose_body_was_changed_is_vetted_again(
    place_call: PlaceCall, changes: dict[str, object]
) -> None:
    bot = Bot()

    @bot.tone
    def play(_event: Tone) -> list[Action]:
        action = play_prompt(URL)
        assert action.body is not None
        action.body.update(changes)
        return [mute(), action]

    call = place_call(bot)
    assert call.post(call.tone()).status == 202
    assert (call.line["reason"], call.asked) == ("bot-failed", [])
    assert call.line["detail"] == "tone: the body of play_prompt was changed."


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_an_action_is_json_in_all_its_parts(value: object) -> None:
    """Graph's types are vetted member by member, but not all that is within them."""
    media = {"mediaInfo": {"uri": URL, "further": value}}
    with pytest.raises(ValueError, match=r"play_prompt: its body must be JSON\."):
        Action(name="playPrompt", body={"prompts": [media]})
