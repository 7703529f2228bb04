"""Recordings in the forms in which people paste them in public."""

import json

import pytest

from tests.simulator.explain.environment import read_environment
from tests.simulator.explain.explanation import Explanation, Question, explain
from tests.simulator.explain.recording import Recording, RecordingError, parse_recording
from tests.simulator.options import DEFAULT_FILE
from tests.simulator.platform.notifications import established, incoming, terminated
from tests.simulator.services.signing import TENANT_ID
from tests.support.rules import call_from

CALL = call_from("SG", caller_region="apac")
INCOMING = incoming(CALL, "https://bot.example.org/callback/calling")
BODY = json.dumps(INCOMING, indent=2)
ITEM = INCOMING["value"][0]

# What the SDK logs of a notification that came, of its own reply, and of what it sent.
TAKEN = f"""\
$>2026-01-05T10:36:31.1044090Z Info: CommunicationsClientExtensions.cs:220 Log
ScenarioId: 8d1c2f4a-5b6e-4f70-8a91-b2c3d4e5f607
AppName: MenuBot
TransactionDirection: Incoming
TraceType: HttpRequest
request: POST https://bot.example.org/api/calls?hop=1
headers:
  X-Forwarded-For: (redacted)
  X-Microsoft-Skype-Caller-Region: apac
  MS-Teams-Region: (redacted)
  Connection: close
  Authorization: (redacted)
  User-Agent: Microsoft-Skype/3.0,(Calling/1.0)
  Content-Length: 4415
  Content-Type: application/json
{BODY}
"""
REPLY = """\
$>2026-01-05T10:36:31.1054096Z Info: CommunicationsClientExtensions.cs:230 Log
TransactionDirection: Incoming
TraceType: HttpResponse
ResponseTime: 10
request: POST https://bot.example.org/api/calls
response: 202 Accepted
headers:
  client-request-id: 1f2e3d4c-5b6a-4798-8695-a4b3c2d1e0f9
"""
SENT = """\
$>2026-01-05T10:36:32.0000000Z Info: GraphHttpClient.cs:300 Log
TransactionDirection: Outgoing
TraceType: HttpRequest
request: POST https://graph.microsoft.com/v1.0/communications/calls/x/answer
headers:
  Authorization: (redacted)
{
  "callbackUri": "https://bot.example.org/api/calls"
}
"""


def explained(recording: Recording) -> Explanation:
    """Explain a recording that reaches eus2 of prod."""
    prod = read_environment(DEFAULT_FILE)
    return explain(Question(recording=recording, environment=prod, region="eus2"))


def test_the_log_of_the_sdk_is_read() -> None:
    """Its indented headers count, and what is redacted counts as unknown."""
    recording = parse_recording(TAKEN.encode())

    assert json.loads(recording.body) == json.loads(BODY)
    assert recording.raw_query == "hop=1"
    assert recording.headers["x-microsoft-skype-caller-region"] == "apac"
    assert not recording.headers.keys() & {"ms-teams-region", "content-length"}
    assert recording.notes == (
        "Redacted, so unknown: x-forwarded-for, ms-teams-region, authorization.",
    )
    explanation = explained(recording)
    assert explanation.verdict.status == 202
    assert "The recorded one was redacted." in explanation.steps[2].sentence
    assert "would be refused" not in explanation.steps[2].sentence


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_replies_and_what_the_bot_sent_are_passed_over(end: str) -> None:
    """Records may come in any order, and newest first."""
    log = REPLY + SENT + TAKEN + SENT + REPLY
    recording = parse_recording(log.replace("\n", end).encode())

    assert json.loads(recording.body) == json.loads(BODY)
    assert explained(recording).verdict.decision == "answer"


def test_of_several_notifications_in_a_log_the_first_is_read() -> None:
    end = json.dumps(terminated(CALL), indent=2)
    log = TAKEN + TAKEN.replace(BODY, end).replace("/api/calls", "/api/calls/media-a")

    recording = parse_recording(log.encode())

    assert json.loads(recording.body) == json.loads(BODY)
    assert recording.partition is None
    assert "The log has 2 requests; this is the first." in recording.notes


def test_a_damaged_body_in_a_log_ends_with_its_record() -> None:
    log = TAKEN.replace('"changeType": "created",', "(cut)") + REPLY.partition("req")[0]

    recording = parse_recording(log.encode())

    assert b"(cut)" in recording.body
    assert b"HttpResponse" not in recording.body
    assert explained(recording).verdict.reason == "body-not-json"


def test_the_headers_alone_may_be_indented() -> None:
    """Somebody has pasted a record without its first lines."""
    recording = parse_recording(TAKEN.partition("headers:\n")[2].encode())

    assert recording.headers["x-microsoft-skype-caller-region"] == "apac"
    assert json.loads(recording.body) == json.loads(BODY)


@pytest.mark.parametrize("log", [REPLY, SENT, SENT + REPLY])
def test_a_log_without_a_notification_is_told_so(log: str) -> None:
    with pytest.raises(RecordingError, match="a log without a notification"):
        parse_recording(log.encode())


def test_a_single_item_is_read_with_the_remark_that_value_is_missing() -> None:
    """Everything else goes on as if it had come in the list."""
    explanation = explained(parse_recording(json.dumps(ITEM).encode()))

    assert "`value` is missing: one item is recorded" in explanation.steps[0].sentence
    assert "would refuse it as it is: 400" in explanation.steps[0].sentence
    assert explanation.tenant == TENANT_ID
    assert explanation.verdict.answers[0].call_id == CALL.call_id


@pytest.mark.parametrize(
    ("state", "decision"),
    [("incoming", "answer"), ("Established", "accept"), ("terminated", "accept")],
)
def test_a_call_by_itself_is_read_with_the_same_remark(
    state: str, decision: str
) -> None:
    """The kind of change follows from its state."""
    call = {**ITEM["resourceData"], "state": state}

    explanation = explained(parse_recording(json.dumps(call).encode()))

    assert "`value` is missing: one call is recorded" in explanation.steps[0].sentence
    assert explanation.verdict.decision == decision


def test_a_call_by_itself_needs_neither_an_id_nor_a_type() -> None:
    data = ITEM["resourceData"]
    call = {name: data[name] for name in data.keys() - {"id", "@odata.type"}}

    explanation = explained(parse_recording(json.dumps(call).encode()))

    assert "without its id (one is assumed)" in explanation.steps[0].sentence
    assert explanation.verdict.decision == "answer"


@pytest.mark.parametrize(
    "body",
    [
        {"value": [ITEM]},
        {"value": [established(CALL, is_audio_active=True)["value"][0]]},
        {"@odata.type": "#microsoft.graph.participantJoiningNotification", "call": {}},
        {"callState": "incoming"},
        {"state": "incoming"},
        {"@odata.type": "#microsoft.graph.participant", "state": "x", "source": {}},
        [ITEM],
        7,
    ],
)
def test_what_is_no_bare_notification_stays_as_it_is(body: object) -> None:
    data = json.dumps(body).encode()

    assert parse_recording(data).body == data


@pytest.mark.parametrize("text", ["It does not work since yesterday.", "<html></html>"])
def test_what_is_no_notification_in_any_form_is_told_so(text: str) -> None:
    explanation = explained(parse_recording(text.encode()))

    assert "no notification can be found in it" in explanation.steps[0].sentence
    assert explanation.verdict.reason == "body-not-json"
