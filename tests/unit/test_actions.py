"""Actions: what is vetted when one is made, and what the table says."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from shared import calls
from shared.calls import (
    Action,
    Person,
    answer,
    application,
    application_instance,
    cancel_media_processing,
    hang_up,
    invite,
    invite_new_bot,
    mute,
    phone,
    play_prompt,
    record_response,
    redirect,
    reject,
    reject_join,
    send_dtmf_tones,
    subscribe_to_tone,
    transfer,
    unmute,
    update_recording_status,
    user,
)
from shared.core.actions import ROWS, Row, Source

WAV = "https://cdn.contoso.com/beep.wav"
GUID = "550fae72-d251-43ec-868c-373732c2704f"
NUMBER = "+12345678901"
HEIDI = user(GUID)
LONG = "c" * 257
BAD_URLS = (
    "", "http://cdn.contoso.com/a.wav", "cdn.contoso.com/a.wav", "/a.wav", "https://",
    "https:///a.wav", "https://a b/c", "https://cdn.contoso.com/ü.wav", "https://[x/a",
    "https://user@cdn.contoso.com/a.wav", "ftp://cdn.contoso.com/a.wav", None, 7, [WAV],
)  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
@pytest.mark.parametrize(
    "make",
    [
        play_prompt,
        lambda url: play_prompt(WAV, url),
        record_response,
        lambda url: answer(prefetch=[url]),
        invite_new_bot,
    ],
)
def test_prompts_and_new_bots_are_absolute_https_urls(
    make: Callable[[Any], Action], url: object
) -> None:
    with pytest.raises(ValueError, match="https URL"):
        make(url)


def test_urls_may_have_ports_and_signatures() -> None:
    assert play_prompt("HTTPS://cdn.contoso.com:8443/a.wav?sv=1&sig=%2B#x").body


# The function, an argument, and values that it must not have.
WRONG: list[tuple[Callable[..., object], str, tuple[object, ...]]] = [
    (reject, "reason", ("Busy", "", None, 1)),
    (reject_join, "reason", ("gone", 1)),
    (answer, "modalities", ((), ("data",), "audio", None, 7)),
    (answer, "prefetch", (WAV, None, 7)),
    (answer, "participant_capacity", (0, -1, 2**31, True, "1", 1.0)),
    (partial(redirect, HEIDI), "timeout", (14, 91, True, "15", 15.0)),
    (record_response, "initial_silence_timeout_in_seconds", (0, 121, True, "5", 5.0)),
    (record_response, "max_silence_timeout_in_seconds", (0, 121, True, "5", 5.0)),
    (record_response, "max_record_duration_in_seconds", (0, 121, True, "5", 5.0)),
    (record_response, "barge_in_allowed", (0, 1, "true")),
    (record_response, "play_beep", (0, 1, "true")),
    (record_response, "stop_tones", ("", "1x", [], ["12"], [1], 1)),
    (send_dtmf_tones, "keys", ("", "1 2", "x", [], ["12"], ["tone1"], [1], 1, None)),
    (partial(send_dtmf_tones, "1"), "delay_between_tones_ms", (-1, True, "3", 2**31)),
    (update_recording_status, "status", ("NotRecording", "", None, 1)),
    (transfer, "person", (None, GUID, {}, Person(), Person(kind="phone", id=GUID))),
    (transfer, "person", (Person(kind="encrypted", id=GUID),)),
    (partial(transfer, HEIDI), "transferee", (Person(), GUID)),
    (partial(transfer, HEIDI), "replaces_call_id", ("", "a/b", 7)),
    (partial(invite, HEIDI), "replaces_call_id", ("", "a b")),
    (subscribe_to_tone, "client_context", (LONG, 7)),
    (cancel_media_processing, "client_context", (LONG, 7)),
    (mute, "client_context", (LONG, 7)),
    (unmute, "client_context", (LONG, 7)),
    (partial(play_prompt, WAV), "client_context", (LONG,)),
    (record_response, "client_context", (LONG,)),
    (partial(transfer, HEIDI), "client_context", (LONG,)),
    (partial(invite, HEIDI), "client_context", (LONG,)),
    (partial(send_dtmf_tones, "1"), "client_context", (LONG,)),
    (partial(update_recording_status, "failed"), "client_context", (LONG,)),
    (user, "id", ("", "heidi@contoso.com", NUMBER, None)),
    (application, "id", (f"{{{GUID}}}",)),
    (application_instance, "id", ("x",)),
    (phone, "number", ("", "12345678901", "+0123", "+1 23", f"+{'1' * 16}", GUID, 7)),
    (Action, "name", ("invented",)),
    (partial(Action, name="delete"), "body", ({},)),
    (partial(Action, name="mute"), "body", (None, [], {"prompts": []})),
]


@pytest.mark.parametrize(
    ("function", "argument", "value"),
    [(make, name, value) for make, name, values in WRONG for value in values],
)
def test_a_wrong_argument_is_a_value_error_with_a_sentence(
    function: Callable[..., object], argument: str, value: object
) -> None:
    with pytest.raises(ValueError, match=argument) as refused:
        function(**{argument: value})

    assert str(refused.value).endswith(".")
    assert LONG not in str(refused.value)


@pytest.mark.parametrize(
    ("function", "what", "counts"),
    [
        (redirect, HEIDI, (0, 26)),
        (invite, HEIDI, (0, 6)),
        (play_prompt, WAV, (0, 21)),
        (record_response, WAV, (2,)),
    ],
)
def test_too_many_or_too_few_are_refused(
    function: Callable[..., Action], what: object, counts: tuple[int, ...]
) -> None:
    for count in counts:
        with pytest.raises(ValueError, match="must be"):
            function(*[what] * count)


def test_bounds_belong_to_what_is_taken() -> None:
    assert redirect(*[HEIDI] * 25, timeout=90).body
    assert invite(*[HEIDI] * 5).body
    assert play_prompt(*[WAV] * 20, client_context="c" * 256).body
    assert record_response(max_silence_timeout_in_seconds=120).body
    assert transfer(Person(kind="user", id=GUID.upper(), display_name="H")).body


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.function)
def test_the_reference_of_a_function_says_what_the_table_says(row: Row) -> None:
    """Editors show the docstring; the table is where its facts come from."""
    reference = " ".join((getattr(calls, row.function).__doc__ or "").split())

    assert row.page in reference
    assert row.source is Source.JOINING or f"Permission: {row.permission}" in reference
    assert row.function in calls.__all__


def test_what_would_be_heard_twice_is_not_repeatable() -> None:
    once = {row.function for row in ROWS if not row.is_repeatable}

    assert once == {
        *("play_prompt", "record_response", "transfer", "invite", "send_dtmf_tones")
    }


def test_actions_compare_by_value_and_are_frozen() -> None:
    assert play_prompt(WAV) == play_prompt(WAV)
    assert play_prompt(WAV) != play_prompt(WAV, client_context="c")
    with pytest.raises(dataclasses.FrozenInstanceError):
        hang_up().name = "mute"  # type: ignore[misc]
