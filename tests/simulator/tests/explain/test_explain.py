"""``explain``: recordings are read as they are, and told rule by rule."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.environment import EnvironmentFileError
from tests.simulator.__main__ import main
from tests.simulator.explain.environment import read_environment
from tests.simulator.explain.explanation import Explanation, Question, explain
from tests.simulator.explain.recording import (
    MAX_FILE_BYTES,
    RecordingError,
    parse_recording,
    read_recording,
)
from tests.simulator.explain.text import to_text
from tests.simulator.options import DEFAULT_FILE
from tests.simulator.platform.notifications import (
    Call,
    batch,
    incoming,
    legacy_incoming,
)
from tests.simulator.services.signing import TENANT_ID
from tests.support.checkout import CHECKOUT
from tests.support.rules import TOKENS, call_from


def body_of(*calls: Call) -> bytes:
    """Return a notification of incoming calls."""
    items = [incoming(call, "https://b")["value"][0] for call in calls]
    return json.dumps(batch(*items)).encode()


PROD = read_environment(DEFAULT_FILE)
CALL = call_from("SG", caller_region="apac")
BODY = body_of(CALL)
FROM_APAC = "X-Microsoft-Skype-Caller-Region: apac"
# What became of the collected payloads, by folder: what may and what may not happen.
EXPECTED = {
    "graph-docs": {"answer", "accept"},
    "legacy": {"ask-for-graph"},
    "synthetic": {"answer", "accept", "ask-for-graph"},
}


def explained(data: bytes, *, region: str = "weu", **changes: Any) -> Explanation:
    """Explain in the environment prod, which has regions weu, eus2 and sea."""
    recording = parse_recording(data)
    question = Question(recording=recording, environment=PROD, region=region)
    return explain(replace(question, **changes))


def states(explanation: Explanation) -> str:
    """Return the states of all rules by their first letters."""
    return "".join(step.state[0] for step in explanation.steps)


def http(*lines: str, body: bytes = BODY, end: str = "\r\n") -> bytes:
    """Return a request in the form of HTTP."""
    return end.join([*lines, "", ""]).encode() + body


def test_a_body_in_json_is_explained_to_its_end() -> None:
    explanation = explained(BODY)

    assert states(explanation) == "ppappppdn"
    assert explanation.verdict.decision == "answer"
    assert explanation.tenant == TENANT_ID


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_headers_count_where_they_are_recorded(end: str) -> None:
    """Rule 3 of prod sends callers of apac to sea."""
    verdict = explained(http("POST /api/calls HTTP/1.1", FROM_APAC, end=end)).verdict

    assert (verdict.status, verdict.region) == (302, "sea")
    assert verdict.location == "https://sea.calls.contoso.com/api/calls?hop=1"


def test_region_rules_are_told_with_what_they_compared() -> None:
    choice = explained(http(FROM_APAC), unhealthy={"sea"}).choices[0]

    told = [(check.holds, check.decides) for check in choice.rules]
    assert told == [*[(False, False)] * 2, (True, True), *[(False, False)] * 2]
    assert choice.rules[1].conditions[0].value == "SG"
    assert choice.rules[1].conditions[0].wanted == ("DE", "FR", "NL")
    assert [p.outcome for p in choice.preferences] == ["unhealthy", "own"]
    assert choice.stays
    assert "sea is not healthy" in choice.why


def test_a_strict_rule_is_told_to_forbid_this_region() -> None:
    """Its calls come again until one of its regions is healthy."""
    rules = [{"callee": ["+6531234567"], "regions": ["sea"], "strict": True}]
    target = {"identity": {"phone": {"id": "+6531234567"}}}
    notification = incoming(CALL, "https://b")
    notification["value"][0]["resourceData"]["targets"].append(target)
    environment = replace(PROD, rules=rules)

    explanation = explained(
        json.dumps(notification).encode(), environment=environment, unhealthy={"sea"}
    )

    verdict, [choice] = explanation.verdict, explanation.choices
    assert (verdict.status, verdict.reason) == (503, "region-required")
    assert verdict.sentence.startswith("503: a strict region rule forbids this region")
    assert choice.is_barred
    assert choice.why == (
        "Region rule 1 decides, but sea is not healthy, so it is not redirected. "
        "The rule is strict, so this region may not take it either."
    )
    assert "+6531234567 is one of +6531234567" in to_text(explanation)


def test_the_request_line_tells_route_and_hop() -> None:
    """A callback is never redirected, nor is what was redirected before."""
    callback = explained(http("POST /api/calls/media-a HTTP/1.1", FROM_APAC))
    hop = explained(http("POST https://weu.example.org/api/calls?hop=1", FROM_APAC))

    assert callback.verdict.reason == "incoming-on-callback"
    assert hop.verdict.decision == "answer"
    assert [note.code for note in hop.notes] == ["redirect-suppressed"]


def test_a_foreign_path_and_a_cut_body_are_noted() -> None:
    step = explained(http("POST /api/calling", "Content-Length: 4415")).steps[0]

    assert "/api/calls" in step.sentence
    assert "4,415" in step.sentence


def test_a_body_with_transfer_encoding_arrives_empty() -> None:
    """As behind the Functions host: 411."""
    explanation = explained(http("Transfer-Encoding: chunked"))

    assert (explanation.verdict.status, states(explanation)) == (411, "ppapdnnnn")


def test_a_recorded_token_is_judged_by_what_needs_no_key() -> None:
    """Its tenant counts; a forgery is told apart; the rest goes on by assumption."""
    good = explained(
        http(f"Authorization: Bearer {TOKENS.mint()}", body=b'{"value":[]}')
    )
    evil = explained(http(f"Authorization: Bearer {TOKENS.mint({'alg': 'none'})}"))
    none = explained(http("Authentication: Bearer x"))

    assert good.tenant == TENANT_ID
    assert "well formed" in good.steps[2].sentence
    assert "token-algorithm" in evil.steps[2].sentence
    assert "authorization-missing" in none.steps[2].sentence
    assert evil.verdict.decision == none.verdict.decision == "answer"


def test_the_given_tenant_wins_and_may_be_refused() -> None:
    other = "1fdd12d0-4620-44ed-baec-459b611f84b2"
    environment = replace(PROD, settings={"CALLING_TENANTS": other})

    refused = explained(BODY, environment=environment)
    taken = explained(BODY, environment=environment, tenant=other.upper())

    assert (refused.verdict.status, states(refused)) == (403, "ppadnnnnn")
    assert taken.verdict.decision == "answer"


def test_two_calls_of_different_regions_are_answered_here() -> None:
    german = replace(CALL, call_id="other", country_code="DE")

    explanation = explained(http(FROM_APAC, body=body_of(CALL, german)), region="eus2")

    assert [choice.region for choice in explanation.choices] == ["sea", "weu"]
    assert [a.call_id for a in explanation.verdict.answers] == [CALL.call_id, "other"]
    assert "different regions" in explanation.steps[6].sentence


def test_a_call_to_be_recorded_by_policy_is_told_to_be_rejected() -> None:
    """Nobody here can record; a call beside it in the same POST is answered."""
    recorded = replace(CALL, call_id="other", is_policy_recording=True)

    one = explained(body_of(recorded))
    two = explained(body_of(recorded, CALL))

    assert one.verdict.reason == "recording-unhandled"
    assert one.verdict.sentence.startswith("202: the call is rejected here")
    assert "Call other is rejected within 4 s" in one.steps[7].sentence
    assert two.verdict.end == "answered and rejected"
    assert "1 call is rejected and 1 call is answered" in two.verdict.sentence


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"value": [],}', "line 1, column 13"),
        (b'{"a": 1, "a": 2}', "Duplicate member"),
        (b'\xff{"value": []}', "Byte 1 is no UTF-8"),
        (b'{"value": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_with_a_body_is_told(body: bytes, where: str) -> None:
    explanation = explained(body)

    assert explanation.verdict.status == 400
    assert where in explanation.steps[4].sentence


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"GET /api/health HTTP/1.1\n\n", "records a GET"),
    ],
)
def test_what_is_no_notification_gets_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(RecordingError, match=sentence):
        parse_recording(data)


def test_a_file_of_any_size_is_never_read_whole(tmp_path: Path) -> None:
    """Over 16 MiB there is nothing to explain; over 1 MiB there is."""
    file = tmp_path / "large.json"
    with file.open("wb") as large:
        large.truncate(MAX_FILE_BYTES + 1)

    with pytest.raises(RecordingError, match="16 MiB"):
        read_recording(file)
    assert explained(b" " * (1024 * 1024) + b"{}").verdict.status == 413


def test_nothing_recorded_steers_the_terminal() -> None:
    body = BODY.replace(b'"SG"', b'"\\u001b[2J"')

    text = to_text(explained(http("MS-Teams-Region: \x1b]0;x\x07", body=body)))

    assert "\\u001b[2J" in text
    assert all(line.isprintable() for line in text.split("\n"))


type Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``explain`` from the command line; returns its status and what it wrote."""

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["simulator", "explain", *arguments])
        status = main()
        written = capsys.readouterr()
        return status, written.err if status else written.out

    return run


def test_the_command_tells_verdict_and_other_landings(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "call.http"
    file.write_bytes(http(FROM_APAC))
    results = [
        run(str(file), *options)
        for options in ([], ["--json", "--region", "sea"], ["--hop"], ["--callback"])
    ]

    assert [status for status, _written in results] == [0] * 4
    words, data, hop, callback = (written for _status, written in results)
    assert "Location: https://sea.calls.contoso.com/api/calls?hop=1" in words
    assert "sea      answered there: 202" in words
    assert json.loads(data)["verdict"]["decision"] == "answer"
    assert "redirect-suppressed" in hop
    assert "incoming call came on the callback route" in callback


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.json"], "nowhere.json cannot be read"),
        (["{file}", "--region", "mars"], "mars is no region of prod"),
        (["{file}", "--unhealthy", "mars"], "mars is no region of prod"),
        (["{file}", "--tenant", "contoso"], "is no tenant ID"),
        (["{file}", "--environment", "{file}"], "must be an object with"),
        (["{file}", "--environment", "no/where.json"], "there is no such file"),
    ],
)
def test_what_cannot_be_used_ends_with_a_sentence_on_standard_error_and_2(
    tmp_path: Path, run: Run, arguments: list[str], sentence: str
) -> None:
    file = tmp_path / "call.json"
    file.write_text("[]")

    status, error = run(*(argument.format(file=file) for argument in arguments))

    assert status == 2
    assert sentence in error


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: d.update(rules=[{"regions": ["mars"]}]), "mars"),
        (lambda d: d.pop("regions"), "regions"),
    ],
)
def test_an_environment_with_problems_is_not_used(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], sentence: str
) -> None:
    description = json.loads(DEFAULT_FILE.read_text())
    change(description)
    file = tmp_path / "prod.json"
    file.write_text(json.dumps(description))

    with pytest.raises(EnvironmentFileError, match=sentence):
        read_environment(file)


def test_an_environment_of_one_region_answers_every_call() -> None:
    """The environment dev has neither domain nor rules."""
    environment = read_environment(DEFAULT_FILE.with_name("dev.json"))

    assert environment.regions == ("weu",)
    assert explained(BODY, environment=environment).verdict.decision == "answer"


def test_collected_payloads_are_explained(shared_data: Path) -> None:
    """Those that are valid as published get 2xx, the others are refused as no JSON."""
    for folder, decisions in EXPECTED.items():
        for file in sorted((shared_data / "payloads" / folder).glob("*.json")):
            verdict = explained(file.read_bytes()).verdict
            if ".INVALID." in file.name:
                assert verdict.reason == "body-not-json", file.name
            else:
                assert verdict.decision in decisions, file.name


def test_the_documented_sample_is_malformed_and_recorded_headers_are_read(
    shared_data: Path,
) -> None:
    folder = shared_data / "payloads" / "graph-other"

    sample = explained((folder / "seed_sample_malformed.http.txt").read_bytes())
    recorded = parse_recording((folder / "real_request_headers.txt").read_bytes())

    assert sample.verdict.reason == "body-not-json"
    assert "authorization-missing" in sample.steps[2].sentence
    assert recorded.headers["x-microsoft-skype-caller-region"] == "apac"


def test_a_legacy_notification_asks_for_graph() -> None:
    explanation = explained(json.dumps(legacy_incoming(CALL)).encode())

    assert (explanation.verdict.status, states(explanation)) == (204, "ppappdnnn")


def test_the_example_of_the_documentation_is_sent_to_singapore() -> None:
    """As docs/page.md shows it."""
    example = CHECKOUT / "tests/simulator/explain/examples/incoming_call.http"

    assert explained(example.read_bytes()).verdict.region == "sea"


def test_a_region_is_explained_with_its_own_partitions(tmp_path: Path) -> None:
    """Two regions that deliver to different instances, or to none."""
    description = json.loads(DEFAULT_FILE.read_text("utf-8"))
    partitions = {"a": "https://bot.contoso.com/api/calling"}
    description["regions"][1]["partitions"] = partitions
    file = tmp_path / "prod.json"
    file.write_text(json.dumps(description), "utf-8")

    environment = read_environment(file)

    own = environment.app_settings("eus2")["CALLING_PARTITIONS"]
    assert json.loads(own) == partitions
    assert "CALLING_PARTITIONS" not in environment.app_settings("weu")
