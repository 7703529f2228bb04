"""Two regions of the local host under a platform's calls, good ones and lost ones."""

import json
import time
from collections.abc import Iterator
from functools import partial

from tests.queries.played import PARTITIONS, Own
from tests.simulator.deployments import Deployments, Plan
from tests.simulator.platform.calls import PlacedCall
from tests.simulator.platform.notifications import Call, batch, incoming, item
from tests.simulator.platform.stories import RULES, STORIES
from tests.simulator.report.lines import LogLine, read_lines
from tests.simulator.services.graph_api import Fault, error_reply

STRANGERS = 14
DELAY_SECONDS = 0.3
# How calls end: code, subcode, and how often.
ENDS = ((480, 10037), (480, 10037), (200, 5001))
_FLUSH_SECONDS = 20.0
_SINGAPORE = "SG"


def play_regions(own: Own) -> list[LogLine]:
    """Play, count in ``own``, and return the lines of both regions."""
    settings = {"CALLING_PARTITIONS": json.dumps(PARTITIONS)}
    with Deployments(Plan(rules=RULES, settings=settings)) as app:
        for story in STORIES:
            app.platform.place(story.call)
            if story.outcome == "answered":
                own.ends[0, 0] += 1
        _answer_slowly(app, own)
        _lose_calls(app, own)
        own.count_journal(app)
        _suppress_a_redirect(app, own)
        _send_a_batch(app, own)
        _end_calls(app, own)
        _refuse(app, own)
        return [line for code in app.hosts for line in _lines(app, code)]


def _lines(app: Deployments, code: str) -> Iterator[LogLine]:
    """Return a region's lines, under the name of its app."""
    for line in read_lines(app.log_lines(code)):
        yield line._replace(app=f"func-{code}", process=f"{code}-1")


def _answer_slowly(app: Deployments, own: Own) -> None:
    app.graph.delay_seconds = DELAY_SECONDS
    report = app.platform.place(PlacedCall(follow_ups="none"))
    app.graph.delay_seconds = 0.0
    own.slowest_ms = DELAY_SECONDS * 1000
    own.calls["slow"] = report.call_id


def _lose_calls(app: Deployments, own: Own) -> None:
    """Graph refuses two calls, and is out of order for one."""
    refuse = partial(error_reply, 403, "7505", "made up")
    wait = partial(error_reply, 503, "busy", "made up", {"Retry-After": "60"})
    for reply, reason in (
        (refuse, "answer-refused"),
        (refuse, "answer-refused"),
        (wait, "answer-unavailable"),
    ):
        app.graph.standing_fault = partial(Fault, reply=reply)
        report = app.platform.place(PlacedCall(follow_ups="none"))
        own.outcomes["weu", "lost"] += 1
        own.failures[reason] += 1
        own.actions["weu", "answer", False] += 1
        own.calls[reason] = report.call_id
    app.graph.standing_fault = Fault


def _ring(app: Deployments, country: str = "DE") -> Call:
    call = Call(tenant_id=app.tenant_id, country_code=country)
    app.graph.ring(call.call_id, call.tenant_id)
    return call


def _suppress_a_redirect(app: Deployments, own: Own) -> None:
    """A call that belongs to sea comes to weu by a redirect: it stays."""
    call = _ring(app, _SINGAPORE)
    body = incoming(call, app.webhook("weu"))
    assert app.post(body, path="/api/calls?hop=1").status == 202
    own.outcomes["weu", "answered"] += 1
    own.events["weu", "incoming"] += 1
    own.notes["redirect-suppressed"] += 1
    own.calls["suppressed"] = call.call_id


def _send_a_batch(app: Deployments, own: Own) -> None:
    """Two calls in one POST, one of which Graph does not know."""
    calls = [_ring(app), Call(tenant_id=app.tenant_id)]
    items = [incoming(call, app.webhook("weu"))["value"][0] for call in calls]
    assert app.post(batch(*items)).status == 202
    own.outcomes["weu", "answered"] += 1
    own.outcomes["weu", "lost"] += 1
    own.events["weu", "incoming"] += 2
    own.failures["call-over"] += 1
    own.actions["weu", "answer", False] += 1
    own.calls["batch"] = calls[0].call_id
    own.calls["call-over"] = calls[1].call_id


def _end_calls(app: Deployments, own: Own) -> None:
    for code, subcode in ENDS:
        call = Call(tenant_id=app.tenant_id)
        result = {"resultInfo": {"code": code, "subcode": subcode}}
        ended = batch(item(call, "deleted", "terminated", result))
        assert app.post(ended, path="/api/calls/media-a").status == 202
        own.ends[code, subcode] += 1
        own.events["weu", "terminated"] += 1


def _refuse(app: Deployments, own: Own) -> None:
    """Refuse tokens of the platform and of strangers, more than have a line each."""
    for variant, reason in (
        ("expired", "token-expired"),
        ("wrong-audience", "audience-refused"),
        ("wrong-audience", "audience-refused"),
    ):
        app.post({"value": []}, token=app.tokens.variant(variant))
        own.refused["platform, token refused", reason] += 1
    forged = app.tokens.variant("forged")
    for _ in range(STRANGERS):
        app.post({"value": []}, token=forged)
        own.refused["stranger", "any"] += 1
    ends_at = time.monotonic() + _FLUSH_SECONDS
    while not any('"count":' in line for line in app.log_lines("weu")):
        assert time.monotonic() < ends_at, "no line stands for several refusals"
        time.sleep(0.05)
        # Any request writes the lines that are due.
        app.post({"value": []})
