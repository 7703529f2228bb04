"""docs/behaviour.md section 10: the fields of a request's line are the code's."""

import asyncio
import json
import logging
import time

import pytest

from shared.core.context import LogFacts
from shared.core.defects import describe_defect
from shared.core.deliveries import DeliveryOutcome, InstanceReply
from shared.core.errors import TokenRefusedError, UnexpectedError
from shared.core.notifications import read_notification
from shared.core.outcomes import ActionOutcome, ItemOutcome, Taken
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.core.webhook import Correlation, WebhookRequest
from shared.edge.signing_keys import SigningKeyCache
from shared.edge.telemetry import RequestLog
from shared.service import UsableService, build_service
from shared.settings import read_settings
from tests.simulator.services.signing import APP_ID
from tests.support.clock import FakeClock
from tests.support.internals import decide_by
from tests.support.markdown_tables import code, read_table
from tests.support.rules import KEY_SET, TOKENS, build_deployment, build_request
from tests.support.service import NO_HANDLERS

REQUEST = WebhookRequest("https://weu.example/api/calls/a", {}, b"", "a", "invocation")
IDS = Correlation("message", "scenario", "chain")
DELIVERY = DeliveryOutcome("a", InstanceReply(202), 1, 12.0)
ANSWER = ItemOutcome(
    Reason.ANSWER_REFUSED,
    (ActionOutcome("answer", Reason.ANSWER_REFUSED, 1, 403, "7503", "AADSTS65001"),),
    delivery=DELIVERY,
)


IDENTITY = {"user": {"id": "8a34a46b-3d17-4adc-8dce-dc4e7d572698"}}
ITEMS = [
    read_notification(
        {
            "changeType": "deleted",
            "resourceUrl": f"/communications/calls/call-{number}/operations/1",
            "resourceData": {
                "@odata.type": "#microsoft.graph.recordOperation",
                "state": "terminated",
                "resultInfo": {"code": 400, "subcode": 8508},
                "incomingContext": {"transferor": IDENTITY, "onBehalfOf": IDENTITY},
            },
        }
    )
    for number in (1, 2)
]


def defect() -> Exception:
    """Return an exception that was raised, so that it has a traceback."""
    with pytest.raises(ValueError, match="invalid") as raised:
        int("none")
    return raised.value


FAILED = ItemOutcome(
    Reason.BOT_FAILED,
    notes=frozenset({Reason.STATE_UNAVAILABLE}),
    failure={**describe_defect(defect()), "detail": "what a handler did wrong"},
)
OUTCOMES = (
    (ITEMS[:1], Taken([ANSWER], has_incoming=True)),
    (ITEMS[:1], Taken([FAILED])),
    (ITEMS, Taken([ANSWER, FAILED], has_incoming=True)),
    (ITEMS, RedirectTo("sea", "https://sea.example/api/calls?hop=1", 302)),
    (ITEMS[:1], RedirectTo("sea", "https://sea.example/api/calls?hop=1", 302)),
    (ITEMS, UnexpectedError.of(defect())),
)


async def accept_with_keys_held() -> None:
    """Let a whole service accept a POST."""
    environ = {
        "MicrosoftAppId": APP_ID,
        "CALLING_ANSWER": "false",
        "CALLING_REGION": "weu",
        "CALLING_REGION_HOSTS": '{"weu": "weu.example"}',
    }
    service = build_service(read_settings(environ), NO_HANDLERS)
    assert isinstance(service, UsableService)
    service.keys = SigningKeyCache(lambda: KEY_SET)
    await service.keys.load(timeout_seconds=10.0)
    decide_by(service, build_deployment())
    now = time.monotonic()
    request = build_request(TOKENS, {"value": []}, received_at=now)
    await service.receive(request)
    service.close()


def refuse_many() -> None:
    """Refuse more than have lines of their own."""
    log = RequestLog(clock := FakeClock())
    for _ in range(30):
        log.write(REQUEST, IDS, LogFacts(), TokenRefusedError(Reason.TOKEN_EXPIRED), {})
    clock.now += 1
    log.write_refusals()


def test_every_field_is_documented_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of requests that leave nothing out, taken together."""
    caplog.set_level(logging.INFO, "calling")
    for items, outcome in OUTCOMES:
        events = ["event" for _ in items]
        facts = LogFacts("tenant", items, events, notes={Reason.TENANT_DIFFERS})
        RequestLog().write(REQUEST, IDS, facts, outcome, {})
    asyncio.run(accept_with_keys_held())
    refuse_many()

    lines = [json.loads(record.message) for record in caplog.records]
    handled = [line for line in lines if line["event"] == "notification.handled"]
    logged = {name for line in handled for name in line}
    rows = read_table("docs/behaviour.md", "field")
    assert len(handled) == len(OUTCOMES) + 1 + 10 + 1
    assert {name for row in rows for name in code(row[0])} == logged
