"""Protocol determination and the body."""

from pathlib import Path
from typing import Any

import pytest

from shared.core.errors import BodyRefusedError, LengthRequiredError
from shared.core.protocol import Protocol, detect_protocol, read_body
from shared.core.reasons import Reason
from tests.simulator.platform.notifications import incoming, legacy_incoming
from tests.support.rules import call_from

CALL = call_from("DE")
JOINING = "#microsoft.graph.participantJoiningNotification"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (incoming(CALL, "https://bot"), Protocol.GRAPH),
        ({"value": []}, Protocol.GRAPH),
        ({"value": [None, 1, "x"]}, Protocol.GRAPH),
        ({"value": [], "@odata.type": "#other"}, Protocol.GRAPH),
        ({"value": [], "callState": "incoming"}, Protocol.GRAPH),
        ({"value": [], "@odata.type": JOINING, "call": {}}, Protocol.GRAPH),
        (legacy_incoming(CALL), Protocol.LEGACY),
        ({"callState": "incoming"}, Protocol.LEGACY),
        ({"callState": None}, Protocol.LEGACY),
        ({"presentedModalityTypes": ["audio"]}, Protocol.LEGACY),
        ({"operationOutcome": {}}, Protocol.LEGACY),
        ({"type": "callStateChange", "currentState": "x"}, Protocol.LEGACY),
        ({"callState": "incoming", "@odata.type": 7}, Protocol.LEGACY),
        ({"callState": "incoming", "@odata.type": "#other"}, Protocol.LEGACY),
        ({"@odata.type": JOINING, "call": {}}, Protocol.PARTICIPANT_JOINING),
    ],
)
def test_the_top_level_tells_the_protocol(
    body: dict[str, Any], expected: Protocol
) -> None:
    assert detect_protocol(body) is expected


@pytest.mark.requirement("R23")
@pytest.mark.parametrize(
    "body",
    [
        {},
        *({"value": value} for value in (None, {}, "[]", 1, {"callState": "incoming"})),
        {"value": None, "callState": "incoming"},
        {"callState": "incoming", "@odata.type": "#microsoft.graph.call"},
        {"@odata.type": "#microsoft.graph.commsNotifications"},
        {"value": None, "@odata.type": JOINING, "call": {}},
        {"value": {}, "@odata.type": JOINING, "call": {}},
        {"@odata.type": JOINING},
        *({"@odata.type": JOINING, "call": call} for call in (None, "x")),
        {"@odata.type": JOINING.lower(), "call": {}},
        {"@odata.type": {"a": 1}, "call": {}},
        {"call": {}},
        {"callstate": "incoming"},
        {"id": "x", "type": "message", "text": "a chat activity"},
        {"__class__": "x", "constructor": {}},
    ],
)
def test_anything_else_is_refused(body: dict[str, Any]) -> None:
    """A 204 for rubbish would hide faults."""
    with pytest.raises(BodyRefusedError) as refused:
        detect_protocol(body)

    assert refused.value.reason is Reason.PROTOCOL_UNKNOWN
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.BODY_EMPTY),
        (b"{", Reason.BODY_NOT_JSON),
        (b'{"a":1,"a":1}', Reason.BODY_NOT_JSON),
        (b"\xef\xbb\xbf{}", Reason.BODY_NOT_JSON),
        (b'{"a":NaN}', Reason.BODY_NOT_JSON),
        (b"[]", Reason.BODY_NOT_OBJECT),
        (b"null", Reason.BODY_NOT_OBJECT),
    ],
)
def test_a_body_must_be_one_strict_json_object(body: bytes, reason: Reason) -> None:
    with pytest.raises(BodyRefusedError) as refused:
        read_body(body, is_transfer_encoded=False)

    assert refused.value.reason is reason
    assert refused.value.status == 400


def test_an_empty_body_with_transfer_encoding_needs_a_length() -> None:
    """The Functions host drops such bodies."""
    with pytest.raises(LengthRequiredError) as refused:
        read_body(b"", is_transfer_encoded=True)

    assert refused.value.status == 411


def test_transfer_encoding_does_not_matter_to_a_body_that_is_there() -> None:
    """Other hosts may deliver the body."""
    assert read_body(b"{}", is_transfer_encoded=True) == {}


def _bodies(shared_data: Path, *patterns: str) -> dict[str, bytes]:
    folder = shared_data / "payloads"
    paths = [path for pattern in patterns for path in folder.glob(pattern)]
    return {path.name: path.read_bytes() for path in sorted(paths)}


@pytest.mark.parametrize(
    ("protocol", "patterns", "at_least"),
    [
        (Protocol.LEGACY, ("legacy/*.json", "synthetic/*legacy*.json"), 4),
        (Protocol.GRAPH, ("graph-docs/*.json", "graph-other/graph_*.json"), 45),
    ],
)
def test_published_notifications_are_of_the_protocol_that_they_document(
    shared_data: Path, protocol: Protocol, patterns: tuple[str, ...], at_least: int
) -> None:
    """These are recordings, and all examples in the documentation that are JSON."""
    bodies = _bodies(shared_data, *patterns)
    valid = {name: body for name, body in bodies.items() if "INVALID" not in name}

    assert len(valid) >= at_least
    for name, body in valid.items():
        found = detect_protocol(read_body(body, is_transfer_encoded=False))
        assert found is protocol, name


def test_published_examples_that_are_no_json_are_refused(shared_data: Path) -> None:
    """They have trailing commas, and one is the page's malformed sample."""
    bodies = _bodies(shared_data, "*/*.INVALID.json")
    sample = shared_data / "payloads" / "graph-other" / "seed_sample_malformed.http.txt"
    bodies["the page's sample"] = sample.read_bytes().split(b"\n\n", 1)[1]

    assert len(bodies) >= 9
    for name, body in bodies.items():
        with pytest.raises(BodyRefusedError) as refused:
            read_body(body, is_transfer_encoded=False)
        assert refused.value.reason is Reason.BODY_NOT_JSON, name
