"""Whole calls to a toy bot: what each control causes, and what a script notices."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator.caller.call import ScriptError
from tests.simulator.platform.wire import Wire
from tests.simulator.services.graph_api import Fault
from tests.simulator.services.graph_faults import RandomFaults, lost
from tests.simulator.tests.caller.toy_bot import (
    Asked,
    ToyBot,
    person,
    play,
    prompt,
)

SALES = "550fae72-d251-43ec-868c-373732c2704f"
HANG_UP: Asked = ("delete", None)
SUBSCRIBE: Asked = ("subscribeToTone", {})
CANCEL: Asked = ("cancelMediaProcessing", {})
TRANSFER: Asked = ("transfer", {"transferTarget": person(SALES)})


@pytest.fixture(scope="module")
def running() -> Iterator[ToyBot]:
    with ToyBot() as bot:
        yield bot


@pytest.fixture
def bot(running: ToyBot) -> ToyBot:
    running.seen.clear()
    running.data.clear()
    running.replies.clear()
    running.is_once = True
    running.on_incoming = running.answer
    running.graph.faults.clear()
    running.graph.standing_fault = Fault
    return running


def reacts(bot: ToyBot, **reactions: Asked | list[Asked]) -> None:
    """Let the bot react by a table; ``_`` stands for a space."""
    table = {name.replace("_", " "): asked for name, asked in reactions.items()}

    def react(name: str, _data: Any) -> list[Asked]:
        asked = table.get(name, [])
        return asked if isinstance(asked, list) else [asked]

    bot.react = react


def test_a_call_is_told_of_as_on_the_wire(bot: ToyBot) -> None:
    """``established`` comes without media, then thrice: bare, with chat, as meeting."""
    reacts(bot)
    with bot.call() as call:
        call.is_answered()
        call.hangs_up()

    assert bot.seen == [
        "incoming",
        "establishing",
        "established without media",
        "established",
        "established",
        "established",
        "roster",
        "terminated",
    ]
    bare, with_chat, as_meeting = bot.data[3:6]
    assert "chatInfo" not in bare
    assert "chatInfo" in with_chat
    assert {"chatInfo", "meetingInfo"} <= as_meeting.keys()


def test_a_menu_plays_reacts_to_a_key_and_transfers(bot: ToyBot) -> None:
    """The prompt takes half a minute of the call and no time."""
    reacts(bot, established=[SUBSCRIBE, play("menu", context="m")], tone_tone1=TRANSFER)

    with bot.call(lengths={"menu": 30.0}) as call:
        call.hears("menu")
        call.presses("1")
        call.is_transferred_to(SALES)

    assert [heard.ended_seconds for heard in call.heard] == [30.5]
    assert bot.seen[-5:] == [
        "playPrompt completed",
        "tone tone1",
        "transferring",
        "transferAccepted",
        "terminated",
    ]
    assert bot.data[-1]["resultInfo"]["subcode"] == 7015
    assert [d["clientContext"] for d in bot.data if "clientContext" in d] == ["m"]


def test_keys_are_told_only_after_a_subscription(bot: ToyBot) -> None:
    reacts(bot, established=play("menu"))
    with bot.call() as call:
        call.hears("menu")
        call.presses("12")
    assert not [name for name in bot.seen if name.startswith("tone")]

    bot.seen.clear()
    reacts(bot, established=SUBSCRIBE)
    with bot.call() as call:
        call.presses("1*#a")
    told = [name for name in bot.seen if name.startswith("tone")]
    assert told == ["tone tone1", "tone star", "tone pound", "tone a"]
    numbers = [d["toneInfo"]["sequenceId"] for d in bot.data if "toneInfo" in d]
    assert numbers == [1, 2, 3, 4]


def test_prompts_queue_and_a_cancel_cuts_all_of_them(bot: ToyBot) -> None:
    reacts(
        bot,
        established=[SUBSCRIBE, play("a"), play("b"), play("c")],
        tone_tone0=[CANCEL, play("d")],
    )

    with bot.call() as call:
        call.hears("a")
        call.starts_to_hear("b")
        call.presses("0")
        call.hears("d")

    told = [(h.name, h.started_seconds, h.ended_seconds, h.is_cut) for h in call.heard]
    assert told == [
        ("a", 0.5, 3.5, False),
        ("b", 3.5, 3.6, True),
        ("d", 3.6, 6.6, False),
    ]
    ended = [name for name in bot.seen if name.startswith("playPrompt")]
    assert ended == [
        f"playPrompt {word}" for word in ("completed", "failed", "failed", "completed")
    ]
    cancelled = [
        d["resultInfo"]["subcode"] for d in bot.data if d and "completionReason" in d
    ]
    assert cancelled == [8508, 8508]


@pytest.mark.parametrize(
    ("reaction", "code", "seconds"),
    [("refuses", (500, 7000), 3.0), ("does not answer", (500, 7700), 20.0)],
)
def test_a_transfer_that_fails_brings_the_call_back(
    bot: ToyBot, reaction: str, code: tuple[int, int], seconds: float
) -> None:
    reacts(bot, established=TRANSFER, transfer_failed=[play("sorry"), TRANSFER])

    with bot.call(people={SALES: reaction}) as call:
        call.comes_back_from(SALES)
        assert call.conversation.timeline.now_seconds == 0.5 + seconds
        call.hangs_up()

    result = bot.data[bot.seen.index("transfer failed")]["resultInfo"]
    assert (result["code"], result["subCode"]) == code
    # Whoever is on the way to somebody hears no prompt that comes too late.
    assert bot.replies == [202, 202, 200, 202]


def test_recordings_end_as_their_bounds_say(bot: ToyBot) -> None:
    """A pause, the longest time, a stop tone, silence, or the end of the call."""
    body = {"prompts": [prompt("beep")], "stopTones": ["#"], "clientContext": "r"}
    bounds = {"maxSilenceTimeoutInSeconds": 2, "maxRecordDurationInSeconds": 10}
    reacts(bot, established=("recordResponse", {**body, **bounds}))

    def end_of(*, says: float = 0.0, presses: str = "") -> dict[str, Any]:
        bot.data.clear()
        with bot.call() as call:
            call.hears("beep")
            if says:
                call.says(says)
            if presses:
                call.presses(presses)
            if presses != "hang up":
                call.waits(20)
        [ended] = [data for data in bot.data if "recordingLocation" in data]
        return dict(ended)

    def subcode(ended: dict[str, Any]) -> tuple[str, int]:
        return ended["status"], ended["resultInfo"]["subcode"]

    assert subcode(end_of(says=3)) == ("completed", 8504)
    assert subcode(end_of(says=30)) == ("completed", 8515)
    assert subcode(end_of(says=1, presses="#")) == ("completed", 8514)
    silent = end_of()
    assert (subcode(silent), silent["recordingLocation"]) == (("failed", 8503), "")
    spoken = end_of(says=1)
    assert spoken["recordingLocation"].startswith(f"{bot.graph.url}/recordings/")
    assert spoken["recordingAccessToken"] in bot.graph.recordings.values()


def test_a_recording_of_somebody_who_hangs_up_is_told_after_the_end(
    bot: ToyBot,
) -> None:
    reacts(bot, established=("recordResponse", {"maxRecordDurationInSeconds": 60}))

    with bot.call() as call:
        call.says(2)
        call.hangs_up()

    assert bot.seen[-2:] == ["terminated", "record completed"]


def test_barge_in_cuts_what_plays(bot: ToyBot) -> None:
    body = {"bargeInAllowed": True, "initialSilenceTimeoutInSeconds": 1}
    reacts(bot, established=[play("a", "b"), ("recordResponse", body)])

    with bot.call() as call:
        call.waits(10)

    assert [h.is_audible for h in call.heard] == [False]
    assert bot.seen[-3:] == ["playPrompt failed", "record failed", "terminated"]


def test_group_calls_have_mute_and_invitations(bot: ToyBot) -> None:
    invite: Asked = ("invite", {"participants": [person(SALES)], "clientContext": "i"})
    reacts(bot, established=[("mute", {}), ("unmute", {}), invite])

    with bot.call(is_group_call=True) as call:
        call.is_joined_by(SALES)

    rosters = [d for d in bot.data if isinstance(d, list)]
    assert [[p["isMuted"] for p in roster] for roster in rosters] == [
        [False, False],
        [False, True],
        [False, False],
        [False, False, False],
    ]
    assert "inviteParticipants completed" in bot.seen


def test_the_bot_can_press_keys_and_hang_up(bot: ToyBot) -> None:
    tones: Asked = ("sendDtmfTones", {"tones": ["tone1", "pound"]})
    reacts(bot, established=tones, sendDtmfTones_completed=HANG_UP)

    with bot.call() as call:
        call.hears_keys("1#")
        call.is_hung_up()

    assert bot.seen[-2:] == ["terminating", "terminated"]


def test_a_call_that_nobody_keeps_alive_ends_after_45_minutes(bot: ToyBot) -> None:
    """Virtual ones: the bot plays half an hour, and keeps the call once."""
    reacts(
        bot,
        established=play("half-an-hour"),
        playPrompt_completed=[("keepAlive", None)],
    )

    with bot.call(lengths={"half-an-hour": 1800.0}) as call:
        call.hears("half-an-hour")
        call.waits(2699)
        assert "the call goes on" in call.story()
        call.waits(2)
        assert "the platform ended it" in call.story()

    assert bot.data[-1]["resultInfo"]["code"] == 408


@pytest.mark.parametrize(
    ("asked", "end"),
    [
        (("reject", {"reason": "busy"}), "deleted"),
        (("redirect", {"targets": [person(SALES)]}), "terminated"),
    ],
)
def test_a_call_can_be_turned_away(bot: ToyBot, asked: Asked, end: str) -> None:
    bot.on_incoming = lambda: asked

    with bot.call() as call:
        if asked[0] == "reject":
            call.is_rejected()
        else:
            call.is_redirected_to(SALES)

    assert bot.seen == ["incoming", end]


def test_a_lost_reply_to_a_prompt_is_heard_all_the_same(bot: ToyBot) -> None:
    reacts(bot, established=play("menu"))
    bot.graph.faults_of["playPrompt"].append(lost())

    call = bot.call()
    with pytest.raises(ScriptError, match="established got"), call:
        call.hears("menu")


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ([("hears", "other")], "heard 'menu' instead of 'other'"),
        ([("hears", "menu"), ("hears", "menu")], "never heard 'menu'"),
        ([("is_transferred_to", SALES)], "was not transferred to"),
        ([("says", 1.0)], "was never recorded"),
        ([("presses", "x")], "no telephone has the key 'X'"),
        ([("is_hung_up",)], "was not hung up by the bot"),
        ([("is_rejected",)], "was not rejected"),
        ([("comes_back_from", SALES)], "never came back from"),
    ],
)
def test_a_script_that_does_not_hold_says_why(
    bot: ToyBot, steps: list[tuple[Any, ...]], complaint: str
) -> None:
    """Nothing can happen any more, so it says it at once."""
    reacts(bot, established=play("menu"))

    def follow() -> None:
        with bot.call() as call:
            for name, *arguments in steps:
                getattr(call, name)(*arguments)

    with pytest.raises(ScriptError, match=complaint) as raised:
        follow()
    assert "actions: " in str(raised.value)


def test_a_prompt_that_is_heard_twice_is_noticed(bot: ToyBot) -> None:
    """A bot that reacts to all three ``established`` plays its menu three times."""
    bot.is_once = False
    reacts(bot, established=play("menu"), tone_tone1=HANG_UP, roster=SUBSCRIBE)

    with bot.call() as call:
        call.hears("menu")
        call.waits(1)
        call.presses("1")

        with pytest.raises(ScriptError, match="also heard 'menu'"):
            call.is_hung_up()


def test_a_rough_wire_repeats_and_reorders_the_same_way_for_a_seed(
    bot: ToyBot,
) -> None:
    reacts(bot, established=[SUBSCRIBE, play("menu")])

    def seen_with(seed: int) -> list[str]:
        bot.seen.clear()
        with bot.call(wire=Wire.rough(seed)) as call:
            call.hears("menu")
            call.presses("123")
        return sorted(bot.seen)

    first = seen_with(1)
    assert first == seen_with(1)
    assert any(seen_with(seed) != first for seed in (2, 3))
    assert first.count("established") > 3


def test_random_faults_of_graph_reach_the_bot(bot: ToyBot) -> None:
    bot.graph.standing_fault = RandomFaults(seed=3, throttled=0.5)
    bot.graph.faults_of["answer"].append(Fault())
    reacts(bot, established=[SUBSCRIBE, play("a"), play("b"), play("c"), play("d")])
    with bot.call() as call:
        call.conversation.run_until(lambda: False)

    assert {200, 429} <= {*bot.replies}
