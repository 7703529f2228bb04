"""Bodies of actions, against the requests that Graph documents."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from shared.calls import (
    Action,
    Participant,
    accept_join,
    answer,
    application,
    application_instance,
    cancel_media_processing,
    hang_up,
    invite,
    invite_new_bot,
    keep_alive,
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
from shared.core.actions import ROWS
from tests.support.checkout import CHECKOUT

# msgraph-sdk is among the tools: with its 17,000 modules it would double the set-up.
SDK = list((CHECKOUT / ".venv-tools").glob("lib/python*/site-packages"))

WAV = "https://cdn.contoso.com/beep.wav"
WAV_ID = str(uuid5(NAMESPACE_URL, WAV))
GUID = "550fae72-d251-43ec-868c-373732c2704f"
NUMBER = "+12345678901"
HEIDI = user(GUID)
TYPE = "@odata.type"
PROMPTS = [
    {
        TYPE: "#microsoft.graph.mediaPrompt",
        "mediaInfo": {
            TYPE: "#microsoft.graph.mediaInfo",
            "uri": WAV,
            "resourceId": WAV_ID,
        },
    }
]


def info(
    kind: str = "user",
    value: str = GUID,
    of_type: str = "invitationParticipantInfo",
    **more: str,
) -> dict[str, Any]:
    return {
        TYPE: f"#microsoft.graph.{of_type}",
        "identity": {
            TYPE: "#microsoft.graph.identitySet",
            kind: {TYPE: "#microsoft.graph.identity", "id": value},
        },
        **more,
    }


def _media_config(*urls: str) -> dict[str, Any]:
    return {
        TYPE: "#microsoft.graph.serviceHostedMediaConfig",
        "preFetchMedia": [
            {"uri": url, "resourceId": str(uuid5(NAMESPACE_URL, url))} for url in urls
        ],
    }


CONTEXT = {"clientContext": "c"}
# Every function with all that it takes, and with as little as it takes.
MADE: list[tuple[Action, str, dict[str, Any] | None]] = [
    (
        answer(),
        "answer",
        {"acceptedModalities": ["audio"], "mediaConfig": _media_config()},
    ),
    (
        answer(prefetch=[WAV], modalities=["audio", "video"], participant_capacity=200),
        "answer",
        {
            "acceptedModalities": ["audio", "video"],
            "mediaConfig": _media_config(WAV),
            "participantCapacity": 200,
        },
    ),
    (reject(), "reject", {"reason": "none"}),
    (reject("busy"), "reject", {"reason": "busy"}),
    (redirect(HEIDI), "redirect", {"targets": [info()]}),
    (
        redirect(application(GUID), application_instance(GUID), timeout=15),
        "redirect",
        {"targets": [info("application"), info("applicationInstance")], "timeout": 15},
    ),
    (hang_up(), "delete", None),
    (keep_alive(), "keepAlive", None),
    (play_prompt(WAV), "playPrompt", {"prompts": PROMPTS}),
    (
        play_prompt(WAV, WAV, client_context="c"),
        "playPrompt",
        {"prompts": PROMPTS * 2, **CONTEXT},
    ),
    (record_response(), "recordResponse", {}),
    (
        record_response(
            WAV,
            barge_in_allowed=False,
            initial_silence_timeout_in_seconds=1,
            max_silence_timeout_in_seconds=2,
            max_record_duration_in_seconds=120,
            play_beep=True,
            stop_tones="#1*a",
            client_context="c",
        ),
        "recordResponse",
        {
            "prompts": PROMPTS,
            "bargeInAllowed": False,
            "initialSilenceTimeoutInSeconds": 1,
            "maxSilenceTimeoutInSeconds": 2,
            "maxRecordDurationInSeconds": 120,
            "playBeep": True,
            "stopTones": ["#", "1", "*", "A"],
            **CONTEXT,
        },
    ),
    (subscribe_to_tone(), "subscribeToTone", {}),
    (subscribe_to_tone(client_context="c"), "subscribeToTone", CONTEXT),
    (cancel_media_processing(client_context="c"), "cancelMediaProcessing", CONTEXT),
    (mute(client_context="c"), "mute", CONTEXT),
    (unmute(client_context="c"), "unmute", CONTEXT),
    (
        transfer(phone(NUMBER)),
        "transfer",
        {"transferTarget": info("phone", NUMBER)},
    ),
    (
        transfer(
            HEIDI,
            transferee=Participant(kind="user", id=GUID, participant_id="p"),
            replaces_call_id="e5d39592",
            client_context="c",
        ),
        "transfer",
        {
            "transferTarget": info(replacesCallId="e5d39592"),
            "transferee": info(of_type="participantInfo", participantId="p"),
            **CONTEXT,
        },
    ),
    (invite(HEIDI), "invite", {"participants": [info()]}),
    (
        invite(HEIDI, HEIDI, replaces_call_id="e5", client_context="c"),
        "invite",
        {"participants": [info(replacesCallId="e5")] * 2, **CONTEXT},
    ),
    (
        send_dtmf_tones("10*#aD"),
        "sendDtmfTones",
        {"tones": ["tone1", "tone0", "star", "pound", "a", "d"]},
    ),
    (
        send_dtmf_tones(["1"], delay_between_tones_ms=0, client_context="c"),
        "sendDtmfTones",
        {"tones": ["tone1"], "delayBetweenTonesMs": 0, **CONTEXT},
    ),
    (
        update_recording_status("notRecording", client_context="c"),
        "updateRecordingStatus",
        {"status": "notRecording", **CONTEXT},
    ),
    (
        accept_join(),
        "acceptJoinResponse",
        {TYPE: "#microsoft.graph.acceptJoinResponse"},
    ),
    (
        reject_join("forbidden"),
        "rejectJoinResponse",
        {TYPE: "#microsoft.graph.rejectJoinResponse", "reason": "forbidden"},
    ),
    (
        invite_new_bot("https://other.contoso.com/api/calls"),
        "inviteNewBotResponse",
        {
            TYPE: "#microsoft.graph.inviteNewBotResponse",
            "inviteUri": "https://other.contoso.com/api/calls",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("action", "name", "body"), MADE)
def test_an_action_has_graphs_name_and_body(
    action: Action, name: str, body: dict[str, Any] | None
) -> None:
    assert (action.name, action.body) == (name, body)
    assert action == Action(name=name, body=body)
    assert hash(action) == hash(Action(name=name, body=body))
    assert action.client_context == (body or {}).get("clientContext")


def test_every_row_of_the_table_is_made_above() -> None:
    assert {action.name for action, _name, _body in MADE} == {row.name for row in ROWS}


def _examples(shared_data: Path) -> dict[str, tuple[str, str, Any]]:
    """Return method, path below the call and body of each documented request."""
    found = {}
    for path in sorted((shared_data / "payloads" / "requests").glob("*.txt")):
        head, _, body = path.read_text("utf-8").partition("\n\n")
        method, url = head.splitlines()[0].split()
        _, _, below = url.partition("/calls/")[2].partition("/")
        found[path.name] = (method, below, json.loads(body) if body.strip() else None)
    return found


def test_the_table_takes_every_documented_request(shared_data: Path) -> None:
    """Except routing policies, which Graph's table lacks, and a choice of words."""
    rows = {(row.method, row.path.strip("/")): row for row in ROWS}
    refused = {}
    for name, (method, below, body) in _examples(shared_data).items():
        text = json.dumps(body).replace("callbackUri-value", "https://bot/api/calls")
        try:
            Action(name=rows[method, below].name, body=json.loads(text))
        except ValueError as error:
            refused[name] = str(error)

    assert refused == {
        "v1_call-redirect_request2.http.txt": "redirect: its body has an unknown "
        "member.",
        "v1_call-updaterecordingstatus_request1.http.txt": "update_recording_status: "
        "status must be one of 'notRecording', 'recording', 'failed'.",
    }


def _shape(value: object) -> object:
    """Return names and types, without what examples leave to the reader or let be."""
    if isinstance(value, dict):
        left_out = {"displayName", "endpointType", "languageId", "region", TYPE}
        return {k: _shape(v) for k, v in value.items() if k not in left_out}
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return value


C = "d45324c1-fcb5-430a-902c-f20af696537c"


@pytest.mark.parametrize(
    ("example", "action"),
    [
        ("call-reject_request1", reject("busy")),
        ("call-reject_request2", reject()),
        ("call-playprompt_request1", play_prompt(WAV, client_context=C)),
        (
            "call-record_request1",
            record_response(
                WAV,
                barge_in_allowed=True,
                max_record_duration_in_seconds=10,
                initial_silence_timeout_in_seconds=5,
                max_silence_timeout_in_seconds=2,
                play_beep=True,
                stop_tones=["#", "1", "*"],
                client_context=C,
            ),
        ),
        (
            "call-answer_p2p_service_hosted",
            answer(prefetch=[WAV, "https://cdn.contoso.com/cool.wav"]),
        ),
        (
            "call-redirect_request1",
            redirect(application("22bfd41f-550e-477d-8789-f6f7bd2a5e8b")),
        ),
        ("call-redirect_request3", redirect(phone(NUMBER))),
        (
            "call-transfer_request1",
            transfer(HEIDI, replaces_call_id="replacesCallId-value"),
        ),
        (
            "call-transfer_request4",
            transfer(
                phone(NUMBER),
                replaces_call_id="e5d39592-99bd-4db8-bca8-30fb894ec51d",
                client_context="9e90d1c1-f61e-43e7-9f75-d420159aae08",
            ),
        ),
        (
            "participant-invite_request1",
            invite(
                user("278405a3-f568-4b3e-b684-009193463064"),
                replaces_call_id="a7ebfb2d-871e-419c-87af-27290b22e8db",
                client_context="f2fa86af-3c51-4bc2-8fc0-475452d9764f",
            ),
        ),
        ("call-delete_request1", hang_up()),
        ("call-keepalive_request1", keep_alive()),
    ],
)
def test_functions_make_the_documented_requests(
    shared_data: Path, example: str, action: Action
) -> None:
    """Where ids of prompts and callback URLs are the product's own."""
    examples = _examples(shared_data)
    (found,) = [value for name, value in examples.items() if f"{example}." in name]
    method, below, body = found
    text = json.dumps(body).replace("1D6DE2D4-CD51-4309-8DAA-70768651088E", WAV_ID)
    cool = str(uuid5(NAMESPACE_URL, "https://cdn.contoso.com/cool.wav"))
    want = json.loads(text.replace("1D6DE2D4-CD51-4309-8DAA-70768651088F", cool))
    (want or {}).pop("callbackUri", None)

    assert (method, below) == (action.row.method, action.row.path.strip("/"))
    assert _shape(action.body) == _shape(want)


def test_replies_to_a_join_are_the_documented_ones(shared_data: Path) -> None:
    path = (
        shared_data / "payloads" / "graph-other" / "participantJoining_responses.json"
    )
    documented = {reply[TYPE]: set(reply) for reply in json.loads(path.read_bytes())}
    made = [accept_join(), reject_join(), invite_new_bot("https://x/api/calls")]

    assert {(a.body or {})[TYPE]: set(a.body or {}) for a in made} == documented


def _snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


def _model(name: str) -> Any:
    """Return msgraph-sdk's model of an action's body."""
    folder = "participants.invite" if name == "invite" else _snake(name)
    module = importlib.import_module(
        "msgraph.generated.communications.calls.item."
        f"{folder}.{_snake(name)}_post_request_body"
    )
    return getattr(module, f"{name[0].upper()}{name[1:]}PostRequestBody")


def _unknown(model: Any) -> Iterator[str]:
    """Yield what a model took without knowing it."""
    yield from getattr(model, "additional_data", {})
    for value in vars(model).values():
        for each in value if isinstance(value, list) else [value]:
            if hasattr(each, "get_field_deserializers"):
                yield from _unknown(each)


def test_msgraph_sdk_reads_every_body_without_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its identity set lacks two kinds, and its transfer the documented context."""
    monkeypatch.setattr(sys, "path", [*sys.path, *map(str, SDK)])
    pytest.importorskip("msgraph", reason="needs `make .venv-tools/.ready`")
    package = "kiota_serialization_json.json"
    reader = importlib.import_module(f"{package}_parse_node_factory")
    writer = importlib.import_module(f"{package}_serialization_writer_factory")
    kind = "application/json"
    for action, name, body in MADE:
        if not (body and action.row.path):
            continue  # it sends none, or is a reply, which the SDK has no model of
        node = reader.JsonParseNodeFactory().get_root_parse_node(
            kind, json.dumps(body).encode()
        )
        model = node.get_object_value(_model(name))
        writing = writer.JsonSerializationWriterFactory()
        written = writing.get_serialization_writer(kind)
        written.write_object_value(None, model)

        assert json.loads(written.get_serialized_content()) == body
        assert set(_unknown(model)) <= {
            *("phone", "applicationInstance"),
            *(("clientContext",) if name == "transfer" else ()),
        }
