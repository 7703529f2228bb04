"""``explain`` says what ``decide`` does, for whatever is recorded."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from shared.core.conditions import CONDITION_NAMES
from shared.core.context import LogFacts
from shared.core.decisions import Accept, AskForGraph
from shared.core.errors import WebhookError
from shared.core.items import TakeItems
from shared.core.redirects import RedirectTo
from tests.simulator.explain.environment import Environment
from tests.simulator.explain.explanation import Explanation, Question, explain
from tests.simulator.explain.recording import Recording, RecordingError, parse_recording
from tests.simulator.explain.text import to_text
from tests.simulator.platform.notifications import (
    Call,
    batch,
    established,
    incoming,
    legacy_incoming,
)
from tests.support.rules import HOSTS, TOKENS, build_deployment, decide_on

TENANTS = (
    "1fdd12d0-4620-44ed-baec-459b611f84b2",
    "3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87",
)
TOKEN_BY_TENANT = {tenant: TOKENS.mint(tid=tenant) for tenant in TENANTS}
# Each is asked in three regions, with and without a hop: some 2,400 comparisons.
EXAMPLES = max(400, settings.default.max_examples if settings.default else 0)

values = st.sampled_from(["DE", "de", "SG", "emea", "apac", "USEA", *TENANTS])
rules = st.lists(
    st.fixed_dictionaries(
        {"regions": st.lists(st.sampled_from([*HOSTS]), min_size=1, max_size=3)},
        optional={
            **dict.fromkeys(CONDITION_NAMES, st.lists(values, min_size=1, max_size=3)),
            "strict": st.booleans(),
        },
    ),
    max_size=5,
)
headers = st.dictionaries(
    st.sampled_from(
        ["x-microsoft-skype-caller-region", "ms-teams-region", "scenario-id"]
    ),
    values,
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Mostly notifications, one or more, of every kind; some damaged, some rubbish."""
    call = Call(
        tenant_id=draw(st.sampled_from(TENANTS)),
        country_code=draw(st.sampled_from(["DE", "SG", None])),
        caller_region=draw(st.sampled_from(["emea", "apac", None])),
        is_policy_recording=draw(st.booleans()),
    )
    known = [
        *[incoming(call, "https://b")] * 4,
        batch(*incoming(call, "https://b")["value"], *_other_item(draw)),
        batch(),
        established(call, is_audio_active=True),
        legacy_incoming(call),
        {"@odata.type": "#microsoft.graph.participantJoiningNotification", "call": {}},
        {"value": {}},
        [],
    ]
    data = json.dumps(draw(st.sampled_from(known))).encode()
    match draw(st.sampled_from([*["none"] * 8, "cut", "noise"])):
        case "cut":
            return data[: draw(st.integers(0, len(data)))]
        case "noise":
            return draw(st.binary(max_size=30)) + data
        case _:
            return data


def _other_item(draw: st.DrawFn) -> list[Any]:
    call = Call(tenant_id=TENANTS[0], country_code=draw(st.sampled_from(["DE", "SG"])))
    other = [incoming(call, "https://b")["value"], [{"resource": "?"}], [7]]
    return draw(
        st.sampled_from([*other, established(call, is_audio_active=False)["value"]])
    )


def decided(
    recording: Recording,
    tenant: str,
    rules: Sequence[Mapping[str, Any]],
    **changes: Any,
) -> tuple[object, ...]:
    """Ask ``decide`` itself, with a real token and real keys."""
    facts = LogFacts()
    notes = facts.notes
    decision = decide_on(
        build_deployment(rules=rules, **changes),
        recording.body,
        token=TOKEN_BY_TENANT[tenant],
        facts=facts,
        headers=recording.headers,
        query=f"?{recording.raw_query}",
        partition=recording.partition,
    )
    match decision:
        case WebhookError():
            return "refuse", decision.status, decision.reason, None, notes
        case AskForGraph():
            return "ask-for-graph", 204, "legacy-protocol", None, notes
        case RedirectTo(_region, location):
            return "redirect", 302, "redirected", location, notes
        case TakeItems(items=items, calls=calls, barred=barred):
            reasons = {False: "answered", True: "recording-unhandled"}
            reason = "region-required"
            if not barred:
                reason = reasons[calls[0].is_policy_recording]
            if len(items) > 1:
                reason = "batch"
            return "answer", 503 if barred else 202, reason, None, notes
        case Accept(reason):
            return "accept", 202, reason, None, notes
        case _:
            raise AssertionError(decision)


def told(explanation: Explanation) -> tuple[object, ...]:
    """Return the same of an explanation."""
    verdict = explanation.verdict
    notes = {note.code for note in explanation.notes}
    return (verdict.decision, verdict.status, verdict.reason, verdict.location, notes)


@settings(max_examples=EXAMPLES)
@given(
    body=bodies(),
    sent=headers,
    region_rules=rules,
    tenant=st.sampled_from(TENANTS),
    partition=st.sampled_from([None, None, None, "a", "A"]),
    unhealthy=st.sets(st.sampled_from([*HOSTS])),
    further=st.sampled_from(
        [
            {},
            {},
            {"CALLING_TENANTS": TENANTS[0]},
            {"CALLING_ANSWER": "false"},
            {"CALLING_PARTITIONS": '["b", "c"]'},
        ]
    ),
)
def test_the_verdict_is_what_decide_does(
    body: bytes,
    sent: dict[str, str],
    region_rules: list[dict[str, Any]],
    tenant: str,
    partition: str | None,
    unhealthy: set[str],
    further: dict[str, str],
) -> None:
    """Decision, status, reason, Location and notes; and the rules told lead there."""
    environment = Environment(
        name="test", hosts=HOSTS, rules=region_rules, settings=further
    )
    for region, query in itertools.product(HOSTS, ("", "hop")):
        recording = Recording(
            body=body, headers=sent, partition=partition, raw_query=query
        )
        question = Question(
            recording=recording,
            environment=environment,
            region=region,
            tenant=tenant,
            unhealthy=unhealthy,
        )

        explanation = explain(question)

        expected = decided(
            recording,
            tenant,
            region_rules,
            own_region=region,
            unhealthy=tuple(unhealthy),
            allowed_tenants=frozenset(further.get("CALLING_TENANTS", "").split()),
            answers_calls="CALLING_ANSWER" not in further,
            partitions=json.loads(further.get("CALLING_PARTITIONS", "[]")),
        )
        event(str(expected[0]))
        assert told(explanation) == expected
        assert_steps_lead_to_the_verdict(explanation, has_hop=bool(query))
        assert to_text(explanation)


def assert_steps_lead_to_the_verdict(
    explanation: Explanation, *, has_hop: bool
) -> None:
    """One rule decides, those before it passed, and the choices agree with it."""
    rule = explanation.verdict.rule
    states = [step.state for step in explanation.steps]
    assert states.index("decides") == rule - 1
    assert states.count("decides") == 1
    assert set(states[rule:]) <= {"not-reached"}
    assert "not-reached" not in states[:rule]
    assert all(
        bool(s.sentence) == (s.state != "not-reached") for s in explanation.steps
    )
    wanted = {choice.region for choice in explanation.choices}
    goes = len(wanted) == 1 and wanted != {explanation.region} and not has_hop
    assert goes == (explanation.verdict.decision == "redirect")
    for choice in explanation.choices:
        assert sum(check.decides for check in choice.rules) <= 1
        assert not choice.is_barred or explanation.verdict.status == 503
        deciding = [check for check in choice.rules if check.holds][:1]
        assert deciding == [check for check in choice.rules if check.decides]


@given(st.binary(max_size=300))
def test_any_file_is_explained_or_refused_with_a_sentence(data: bytes) -> None:
    """Never another exception, and nothing in the text steers a terminal."""
    try:
        recording = parse_recording(data)
    except RecordingError as error:
        sentence = str(error)
        event("refused")
        assert sentence.endswith(".")
        return
    environment = Environment(name="test", hosts=HOSTS, rules=[], settings={})
    question = Question(recording=recording, environment=environment, region="weu")

    text = to_text(explain(question))

    assert all(line.isprintable() for line in text.split("\n"))
