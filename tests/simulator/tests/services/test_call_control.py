"""tests.simulator.services.call_control: what Graph takes, path by path."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from shared.core.actions import ROWS, Source
from tests.simulator.services.call_control import (
    CONTROLS,
    CallRequest,
    RingingCall,
)
from tests.simulator.services.graph_faults import (
    RandomFaults,
    hanging,
    lost,
    refused,
    throttled,
)
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.signing import APP_ID, TENANT_ID

CALLBACK = "https://weu.calls.example.org/api/calls/default"
PERSON = {
    "@odata.type": "#microsoft.graph.invitationParticipantInfo",
    "identity": {"user": {"id": "550fae72-d251-43ec-868c-373732c2704f"}},
}
PROMPT = {
    "@odata.type": "#microsoft.graph.mediaPrompt",
    "mediaInfo": {"uri": "https://cdn.example.org/menu.wav", "resourceId": "1"},
}
MEDIA = {"@odata.type": "#microsoft.graph.serviceHostedMediaConfig"}
BODIES: dict[str, Any] = {
    "answer": {
        "callbackUri": CALLBACK,
        "acceptedModalities": ["audio"],
        "mediaConfig": {**MEDIA, "preFetchMedia": [PROMPT["mediaInfo"]]},
    },
    "reject": {"reason": "busy"},
    "redirect": {"targets": [PERSON], "timeout": 30},
    "delete": None,
    "keepAlive": None,
    "playPrompt": {"prompts": [PROMPT], "clientContext": "menu"},
    "recordResponse": {"prompts": [PROMPT], "stopTones": ["#"], "playBeep": False},
    "subscribeToTone": {},
    "cancelMediaProcessing": {"clientContext": "x"},
    "transfer": {"transferTarget": PERSON},
    "mute": {},
    "unmute": {},
    "invite": {"participants": [PERSON]},
    "sendDtmfTones": {"tones": ["tone1", "pound"], "delayBetweenTonesMs": 10},
    "updateRecordingStatus": {"status": "recording"},
}
RINGING = ("answer", "reject", "redirect")


@pytest.fixture(scope="module")
def running() -> Iterator[Neighbours]:
    with Neighbours() as neighbours:
        yield neighbours


@pytest.fixture
def neighbours(running: Neighbours) -> Iterator[Neighbours]:
    yield running
    running.graph.faults.clear()
    running.graph.controls.clear()


@pytest.fixture(scope="module")
def token(running: Neighbours) -> str:
    found = requests.post(
        f"{running.entra.url}/{TENANT_ID}/oauth2/v2.0/token",
        data={
            "client_id": APP_ID,
            "client_secret": running.registration.secret,
            "grant_type": "client_credentials",
            "scope": f"{running.graph.url}/.default",
        },
        verify=str(running.authority.bundle),
        timeout=10,
    )
    return str(found.json()["access_token"])


def ask(
    neighbours: Neighbours, token: str, call_id: str, name: str, body: Any = ...
) -> requests.Response:
    control = CONTROLS[name]
    url = f"{neighbours.graph.graph_url}/communications/calls/{call_id}{control.path}"
    return requests.request(
        control.method,
        url,
        json=BODIES[name] if body is ... else body,
        headers={"Authorization": f"Bearer {token}"},
        verify=str(neighbours.authority.bundle),
        timeout=10,
    )


def outcome(reply: requests.Response) -> tuple[int, str | None]:
    """Return the status, and the code of an error."""
    is_error = reply.status_code >= 400
    return reply.status_code, reply.json()["error"]["code"] if is_error else None


def call_in_state_for(neighbours: Neighbours, name: str) -> RingingCall:
    """Return a call about which the control may be asked for."""
    call = neighbours.graph.ring(f"for-{name}", TENANT_ID)
    call.is_policy_recording = name == "updateRecordingStatus"
    call.is_group = True
    if name not in RINGING:
        call.callback_uri, call.is_established = CALLBACK, True
    return call


def test_graph_has_the_paths_and_members_that_the_product_asks_for() -> None:
    """The two tables are written apart; methods, paths and members must agree."""
    rows = {
        row.name: (
            row.method,
            row.path,
            None if row.members is None else {*row.members},
        )
        for row in ROWS
        if row.source is not Source.JOINING
    }
    here = {
        name: (c.method, c.path, None if c.members is None else {*c.members})
        for name, c in CONTROLS.items()
    }

    assert len(here) == 15
    assert here == rows


@pytest.mark.parametrize("name", CONTROLS)
def test_a_legal_request_is_carried_out(
    neighbours: Neighbours, token: str, name: str
) -> None:
    """Status and operation are the documented ones, and the call is told."""
    call = call_in_state_for(neighbours, name)
    told: list[CallRequest] = []
    call.on_control = told.append

    reply = ask(neighbours, token, call.call_id, name)

    assert reply.status_code == CONTROLS[name].status
    assert [(asked.control, asked.body) for asked in told] == [(name, BODIES[name])]
    if CONTROLS[name].operation:
        operation = reply.json()
        assert operation["id"] == told[0].operation_id
        assert reply.headers["Location"].endswith(f"/operations/{operation['id']}")
        assert operation["clientContext"] == BODIES[name].get("clientContext")
    else:
        assert not reply.content


@pytest.mark.parametrize("name", CONTROLS)
def test_a_call_in_the_wrong_state_or_of_nobody_is_refused(
    neighbours: Neighbours, token: str, name: str
) -> None:
    call = call_in_state_for(neighbours, name)
    assert outcome(ask(neighbours, token, "unknown", name)) == (404, "8522")
    assert outcome(ask(neighbours, "forged", call.call_id, name)) == (
        401,
        "InvalidAuthenticationToken",
    )

    call.callback_uri = CALLBACK if name in RINGING else None
    call.is_established = False
    assert outcome(ask(neighbours, token, call.call_id, name)) == (409, "8501")

    call.is_over = True
    assert outcome(ask(neighbours, token, call.call_id, name)) == (404, "8522")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("redirect", {"targets": []}),
        ("redirect", {"targets": [PERSON], "timeout": 5}),
        ("delete", {}),
        ("keepAlive", {"clientContext": "x"}),
        ("playPrompt", {"prompts": []}),
        ("playPrompt", {"prompts": [PROMPT] * 21}),
        ("playPrompt", {"prompts": [PROMPT], "loop": 2}),
        ("playPrompt", {"prompts": [{**PROMPT, "mediaInfo": {"uri": "http://x"}}]}),
        ("playPrompt", {"prompts": [PROMPT], "clientContext": "x" * 257}),
        ("recordResponse", {"prompts": [PROMPT, PROMPT]}),
        ("recordResponse", {"maxRecordDurationInSeconds": 121}),
        ("recordResponse", {"stopTones": ["tone1"]}),
        ("subscribeToTone", []),
        ("transfer", {}),
        ("transfer", {"transferTarget": {"identity": {}}}),
        ("invite", {"participants": [PERSON] * 6}),
        ("sendDtmfTones", {"tones": ["1"]}),
        ("updateRecordingStatus", {"status": "paused"}),
    ],
)
def test_a_malformed_body_is_refused(
    neighbours: Neighbours, token: str, name: str, body: Any
) -> None:
    call = call_in_state_for(neighbours, name)

    assert outcome(ask(neighbours, token, call.call_id, name, body)) == (400, "7500")


@pytest.mark.parametrize(
    ("name", "members", "refusal"),
    [
        ("mute", {"is_group": False}, (400, "7500")),
        ("invite", {"is_group": False}, (400, "7500")),
        ("updateRecordingStatus", {"is_policy_recording": False}, (403, "8506")),
        ("subscribeToTone", {"is_policy_recording": True}, (500, "9999")),
        ("playPrompt", {"is_transferring": True}, (409, "8501")),
    ],
)
def test_what_this_kind_of_call_does_not_have_is_refused(
    neighbours: Neighbours,
    token: str,
    name: str,
    members: dict[str, bool],
    refusal: tuple[int, str],
) -> None:
    call = call_in_state_for(neighbours, name)
    for member, value in members.items():
        setattr(call, member, value)

    assert outcome(ask(neighbours, token, call.call_id, name)) == refusal


def test_faults_come_once_and_only_a_lost_reply_lets_the_request_take_effect(
    neighbours: Neighbours, token: str
) -> None:
    graph = neighbours.graph
    call = call_in_state_for(neighbours, "playPrompt")
    graph.faults_of["playPrompt"].extend([throttled(7), refused(503), hanging(0.01)])
    graph.faults.append(lost())

    replies = [ask(neighbours, token, call.call_id, "playPrompt") for _ in range(3)]
    with pytest.raises(requests.ConnectionError):
        ask(neighbours, token, call.call_id, "playPrompt")

    assert [reply.status_code for reply in replies] == [429, 503, 200]
    assert replies[0].headers["Retry-After"] == "7"
    assert [(a.status, a.took_effect) for a in graph.controls] == [
        (429, False),
        (503, False),
        (200, True),
        (0, True),
    ]


def test_random_faults_are_the_same_for_the_same_seed() -> None:
    def kinds(seed: int) -> list[tuple[bool, int | None]]:
        make = RandomFaults(seed, throttled=0.2, unavailable=0.2, late=0.2, lost=0.2)
        faults = [make() for _ in range(200)]
        return [
            (f.loses_reply, f.reply().status_code if f.reply else None) for f in faults
        ]

    assert kinds(1) == kinds(1) != kinds(2)
    assert {(False, None), (True, None), (False, 429), (False, 503)} == {*kinds(1)}


def test_a_recording_takes_its_own_token(neighbours: Neighbours, token: str) -> None:
    location, access = neighbours.graph.keep_recording()

    def get(bearer: str) -> requests.Response:
        return requests.get(
            location,
            headers={"Authorization": f"Bearer {bearer}"},
            verify=str(neighbours.authority.bundle),
            timeout=10,
        )

    assert get(access).content.startswith(b"RIFF")
    assert get(token).status_code == 401


@pytest.mark.parametrize("name", ["delete", "reject", "redirect"])
def test_nothing_can_be_done_with_a_call_that_the_bot_has_ended(
    neighbours: Neighbours, token: str, name: str
) -> None:
    call = call_in_state_for(neighbours, name)
    ask(neighbours, token, call.call_id, name)

    for other in CONTROLS:
        assert outcome(ask(neighbours, token, call.call_id, other)) == (404, "8522")
