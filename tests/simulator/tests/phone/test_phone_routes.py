"""The phone's routes: what they serve, and what they refuse in sentences."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.phone.phone import Phone
from tests.simulator.tests.page.test_server import Client
from tests.simulator.tests.phone.conftest import open_page
from tests.simulator.tests.phone.following import ends, hears, wait_for

WAV = b"RIFF" + b"\x00" * 60


@pytest.fixture(scope="module")
def client(phone: Phone) -> Iterator[Client]:
    with open_page(phone) as server, closing(Client(server.url)) as open_client:
        yield open_client


@pytest.mark.parametrize(
    ("path", "members", "sentence"),
    [
        ("call", {"caller": "atlantis", "kind": "user"}, "caller must be one of"),
        ("call", {"caller": "paris", "kind": "robot"}, "kind must be one of"),
        ("press", {"call_id": "none", "key": "1"}, "no longer known"),
        ("press", {"call_id": "none", "key": "12"}, "key must be one of"),
        ("react", {"call_id": "none", "reaction": "answers"}, "no longer known"),
        ("react", {"call_id": "none", "reaction": "sings"}, "must be one of"),
        ("again", {"call_id": "none", "step": 1}, "no longer known"),
        ("refuse", {"control": "sing", "how": "403"}, "control must be one of"),
        ("refuse", {"control": "transfer", "how": "200"}, "how must be one of"),
        ("state", {"place": "paper"}, "place must be one of"),
    ],
)
def test_what_cannot_be_done_is_said(
    client: Client, path: str, members: dict[str, Any], sentence: str
) -> None:
    reply = client.post(f"api/phone/{path}", members)

    assert reply.status_code == 400
    assert sentence in reply.json()["problems"][0]


def test_what_a_call_does_not_do_now_is_said(client: Client, phone: Phone) -> None:
    began = client.post("api/phone/call", {"caller": "paris", "kind": "user"})
    call_id = began.json()["call_id"]
    call = phone.find(call_id)
    assert call is not None
    hears(phone, call, "main")

    for path, members, sentence in (
        ("react", {"reaction": "answers"}, "Nobody is called now."),
        ("speak", {}, "The bot does not record now."),
        ("again", {"step": 999}, "This event is no longer known."),
    ):
        reply = client.post(f"api/phone/{path}", {"call_id": call_id, **members})
        assert reply.json()["problems"] == [sentence]
    client.post("api/phone/hang-up", {"call_id": call_id})

    assert ends(phone, call)["ended_by"] == "caller"
    script = client.get(f"api/phone/calls/{call_id}/script").json()["script"]
    assert "hangs up" in script
    assert client.get("api/phone/calls/none/script").status_code == 404


def test_only_prompts_are_served(client: Client, phone: Phone) -> None:
    reply = client.get("api/phone/prompts/main.wav")

    assert reply.headers["content-type"] == "audio/wav"
    assert reply.content == (phone.prompts.folder / "main.wav").read_bytes()
    for name in ("texts.txt", "..%2Fbot.py", "%2E%2E/bot.py", "nothing.wav"):
        assert client.get(f"api/phone/prompts/{name}").status_code == 404


def test_a_recording_is_a_wav_for_a_call(client: Client) -> None:
    """Forms of other sites cannot send that type."""
    wav = {"Content-Type": "audio/wav"}
    for query, body in (
        ("call_id=none&seconds=1", WAV),
        ("call_id=none&seconds=many", WAV),
        ("call_id=none&seconds=1", b"MP3"),
        ("call_id=none&seconds=1", WAV + bytes(5 * 1024 * 1024)),
    ):
        reply = client.post(f"api/phone/voice?{query}", body, **wav)
        assert reply.status_code == 400
    assert client.post("api/phone/voice", WAV).status_code == 403
    assert client.post("api/phone/press", WAV, **wav).status_code == 403


def test_refusals_and_the_state_are_in_the_snapshot(
    client: Client, phone: Phone, bot_file: Path
) -> None:
    client.post("api/phone/refuse", {"control": "transfer", "how": "429"})
    since = phone.journal.next_number
    client.post("api/phone/state", {"place": "store"})
    wait_for(phone, "region-changed", since=since, state="running")

    shown = client.get("api/phone").json()

    assert shown["refusals"] == {"transfer": "429"}
    assert shown["statePlace"] == "store"
    assert shown["bot"] == {"file": str(bot_file), "state": "running", "problem": None}
    assert {p["name"]: p["text"] for p in shown["prompts"]}["again"] == (
        "Enter your PIN."
    )
    client.post("api/phone/refuse", {"control": "transfer", "how": ""})
    assert client.get("api/world").json()["phone"]["refusals"] == {}
