"""shared.core.call_records: what is kept of a call, and which events it still takes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.call_records import (
    MAX_CLAIMS,
    MAX_RECORD_BYTES,
    Arrival,
    CallKey,
    CallRecord,
)
from shared.core.handlers import MAX_STATE_BYTES, encode_state
from shared.core.strict_json import read_object

NEW = CallRecord()
OVER = CallRecord(is_over=True)
ESTABLISHED = Arrival("established")
TERMINATED = Arrival("terminated", is_end=True)
RECORDED = Arrival("operation 17", is_late_allowed=True)
FAILED = Arrival(None, is_late_allowed=True)
ROSTER = Arrival(None)
HUGE = "0123456789" * 100_000

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(categories=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_a_call_is_known_by_its_tenant_and_id_in_any_case() -> None:
    """Another tenant's token must not meet it."""
    assert CallKey("1FDD12d0", "4E1f-B").path == "1fdd12d0/4e1f-b"
    assert CallKey("a", "c").path != CallKey("b", "c").path


def test_an_event_is_handled_once() -> None:
    assert NEW.may_handle(ESTABLISHED)
    noted = NEW.noting(ESTABLISHED)
    assert not noted.may_handle(ESTABLISHED)
    assert noted.may_handle(Arrival("tone 1"))
    assert noted.state == b"{}"


def test_an_event_without_identity_is_handled_each_time() -> None:
    assert NEW.noting(ROSTER) == NEW
    assert NEW.may_handle(ROSTER)


@pytest.mark.parametrize(
    ("arrival", "is_handled"),
    [
        (ESTABLISHED, False),
        (ROSTER, False),
        (RECORDED, True),
        (FAILED, True),
        (TERMINATED, True),
    ],
)
def test_of_a_call_that_is_over_only_what_may_be_late_is_handled(
    arrival: Arrival, is_handled: bool
) -> None:
    """Its end, too, where it was marked and nobody was there to handle it."""
    assert OVER.may_handle(arrival) is is_handled


@pytest.mark.parametrize("arrival", [RECORDED, TERMINATED])
def test_what_comes_late_is_handled_once_as_well(arrival: Arrival) -> None:
    noted = OVER.noting(arrival)
    assert not noted.may_handle(arrival)
    assert noted.is_over


def test_the_end_of_a_call_is_marked_with_its_claim_or_without() -> None:
    assert NEW.noting(TERMINATED) == CallRecord(claims=("terminated",), is_over=True)
    assert NEW.noting(Arrival(None, is_end=True)) == OVER


def test_the_last_thousand_claims_are_kept() -> None:
    record = NEW
    for number in range(MAX_CLAIMS + 1):
        record = record.noting(Arrival(f"tone {number}"))

    assert len(record.claims) == MAX_CLAIMS == 1000
    assert record.may_handle(Arrival("tone 0"))
    assert not record.may_handle(Arrival("tone 1"))


@pytest.mark.parametrize("claim", [f"operation {HUGE}", 'operation "\ud800\n"'])
def test_a_claim_of_any_length_and_any_characters_is_kept_short(claim: str) -> None:
    """An operation's id is whatever the notification says."""
    noted = NEW.noting(Arrival(claim))

    assert not noted.may_handle(Arrival(claim))
    assert noted.may_handle(Arrival(f"{claim}0"))
    assert len(noted.encode()) < 200


def test_a_record_is_the_same_after_it_was_written_and_read() -> None:
    state = encode_state({"turn": 3, "name": "Jürgen 😀", "odd": "\ud800", "keys": []})
    record = CallRecord(state, ("established", "tone 1"), is_over=True)

    assert CallRecord.decode(record.encode()) == record
    assert CallRecord.decode(NEW.encode()) == NEW
    assert json.loads(NEW.encode()) == {"state": {}, "claims": [], "isOver": False}


def test_the_largest_record_fits() -> None:
    """The store reads no more than that."""
    state = encode_state({"s": "x" * (MAX_STATE_BYTES - len('{"s":""}'))})
    claims = tuple(f"{number:0100}" for number in range(MAX_CLAIMS))
    record = CallRecord(state, claims, is_over=False)

    assert len(state) == MAX_STATE_BYTES
    assert len(record.encode()) <= MAX_RECORD_BYTES
    assert CallRecord.decode(record.encode()) == record


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"state":{},"claims":[],"isOver":0}',
        b'{"state":{},"claims":[],"isOver":false}x',
        b'{"state":{},"claims":[],"claims":[],"isOver":false}',
        b'{"state":{},"claims":"established","isOver":false}',
        b'{"state":{},"claims":[1],"isOver":false}',
        b'{"state":[],"claims":[],"isOver":false}',
        b'{"claims":[],"isOver":false}',
        b'{"state":{"a":NaN},"claims":[],"isOver":false}',
        b'{"state":{"a":1e999},"claims":[],"isOver":false}',
        b'{"state":{"a":"%b"},"claims":[],"isOver":false}' % (b"x" * MAX_STATE_BYTES),
        b'{"state":{},"claims":[%b""],"isOver":false}' % (b'"",' * MAX_CLAIMS),
        b'{"state":{},"claims":[],"isOver":false}' + b" " * MAX_RECORD_BYTES,
        b'{"state":' + b"[" * 100_000,
    ],
)
def test_anything_else_is_no_record(data: bytes) -> None:
    with pytest.raises(ValueError):
        CallRecord.decode(data)


@given(data=st.binary())
def test_whatever_the_bytes_are_only_a_value_error_comes_of_them(data: bytes) -> None:
    with pytest.raises(ValueError):
        CallRecord.decode(data)


@given(state=st.dictionaries(st.text(), VALUES, max_size=5))
def test_whatever_a_state_holds_it_comes_back(state: dict[str, Any]) -> None:
    record = CallRecord(encode_state(state))

    assert read_object(CallRecord.decode(record.encode()).state) == state
