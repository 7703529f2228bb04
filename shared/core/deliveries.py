"""Deliveries: what is posted to an instance, and what its reply means.

A delivery is a CloudEvent in binary mode: the body as the platform sent it, and what is
said about it in headers. https://github.com/cloudevents/spec (HTTP protocol binding).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from hashlib import sha256
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

from shared.core.headers import MAX_HEADER_LENGTH, is_safe_header_value
from shared.core.instances import is_service_bus
from shared.core.partitions import build_callback_uri
from shared.core.pauses import pause_after
from shared.core.reasons import Reason
from shared.core.strict_json import JsonObject
from shared.core.webhook import WebhookRequest

# From the arrival of the POST; the platform waits 15 s, or 5 s for policy recording.
BUDGET_SECONDS = 4.0
POLICY_RECORDING_BUDGET_SECONDS = 3.0
MAX_REPLY_BYTES = 64 * 1024

_SUCCESS = range(200, 300)
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_MESSAGE_ID = "X-Microsoft-Skype-Message-ID"
# These go on as they came, if they are no longer than this.
_PASSED_ON = {
    "X-Microsoft-Skype-Chain-ID": MAX_HEADER_LENGTH,
    _MESSAGE_ID: MAX_HEADER_LENGTH,
    "Scenario-ID": MAX_HEADER_LENGTH,
    "traceparent": MAX_HEADER_LENGTH,
    # https://www.w3.org/TR/trace-context/#tracestate-limits
    "tracestate": 512,
}
# Section 3.1.3.2 of the HTTP binding escapes what is printable but space, " and %.
_UNESCAPED = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_NOTIFICATIONS = "com.microsoft.graph.commsNotifications"
_JOINING = "com.microsoft.graph.participantJoiningNotification"
_BATCH_TYPE = "#microsoft.graph.commsNotifications"


class Delivery(NamedTuple):
    """What one instance gets of one POST.

    Attributes:
        partition: of the instance.
        url: of the instance.
        body: of the delivery.
        tenant_id: of the token.
        call_id: of the first item that names a call; empty if none does.
        is_part: the POST had more than this.
        is_joining: it is about a participant who joins.
        has_incoming: there are incoming calls among its items.
        is_urgent: one of these is to be recorded, and the platform waits less long.
    """

    partition: str
    url: str
    body: bytes
    tenant_id: str
    call_id: str
    is_part: bool = False
    is_joining: bool = False
    has_incoming: bool = False
    is_urgent: bool = False

    @property
    def budget_seconds(self) -> float:
        """How long it may take from the arrival of the POST."""
        return POLICY_RECORDING_BUDGET_SECONDS if self.is_urgent else BUDGET_SECONDS


def body_of(items: list[object], of_post: JsonObject) -> bytes:
    """Write the part of a POST that an instance gets."""
    kind = of_post.get("@odata.type", _BATCH_TYPE)
    return json.dumps({"@odata.type": kind, "value": items}).encode()


def headers_of(
    delivery: Delivery,
    request: WebhookRequest,
    *,
    callback_host: str,
    arrived_at: float,
    authorization: str,
) -> dict[str, str]:
    """Return the headers of a delivery.

    Args:
        delivery: which.
        request: the POST that it is of.
        callback_host: our own, for the source of the event.
        arrived_at: when the POST arrived, in epoch seconds.
        authorization: the platform's own, or that of our token.
    """
    event_id = _event_id(delivery, request)
    time = datetime.fromtimestamp(arrived_at, UTC).isoformat(timespec="milliseconds")
    headers = {
        "Content-Type": "application/json",
        "Authorization": authorization,
        "ce-specversion": "1.0",
        "ce-id": quote(event_id, safe=_UNESCAPED),
        "ce-source": build_callback_uri(callback_host, delivery.partition),
        "ce-type": _JOINING if delivery.is_joining else _NOTIFICATIONS,
        "ce-time": time.replace("+00:00", "Z"),
        "ce-tenantid": delivery.tenant_id,
    }
    if delivery.call_id:
        headers["ce-subject"] = headers["ce-partitionkey"] = delivery.call_id
    if is_service_bus(delivery.url):
        session = {"SessionId": delivery.call_id} if delivery.call_id else {}
        properties = {**session, "MessageId": event_id}
        headers["BrokerProperties"] = json.dumps(properties)
    for name, longest in _PASSED_ON.items():
        value = request.headers.get(name.lower(), "")
        if is_safe_header_value(value, longest=longest):
            headers[name] = value
    return headers


def _event_id(delivery: Delivery, request: WebhookRequest) -> str:
    """Return an id that is the same where the platform repeats the POST."""
    digest = sha256(request.body).hexdigest()
    message_id = request.headers.get(_MESSAGE_ID.lower(), "")
    is_usable = is_safe_header_value(message_id)
    event_id = f"{message_id}-{digest[:16]}" if is_usable else digest
    return f"{event_id}.{delivery.partition}" if delivery.is_part else event_id


class Unreached(Enum):
    """An attempt without a status; ``NO_TOKEN``: none was to be had for it."""

    NO_REPLY = auto()
    NO_TOKEN = auto()


class InstanceReply(NamedTuple):
    """What an instance replied.

    Attributes:
        retry_after_seconds: ``Retry-After``, already relative.
        body: its JSON object, where it is one and all of it came.
        is_json: its ``Content-Type`` is that of JSON.
    """

    status: int
    retry_after_seconds: float | None = None
    body: JsonObject | None = None
    is_json: bool = False

    @property
    def asks_for_actions(self) -> bool:
        """Tell whether the instance asks for actions, well-formed or not."""
        body = self.body or {}
        return self.is_json and "actions" in body and body["actions"] != []


type DeliveryResult = InstanceReply | Unreached


def is_final(result: DeliveryResult) -> bool:
    """Tell whether repeating cannot help, or is not needed."""
    if not isinstance(result, InstanceReply):
        return False
    is_server_error = result.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return result.status not in _PASSING and not is_server_error


def reason_of(result: DeliveryResult | None, *, is_incoming: bool) -> Reason:
    """Name the reason with which a delivery ended for an item.

    Args:
        result: of the last attempt; ``None`` if there was none.
        is_incoming: the item is an incoming call, which no instance may be without.
    """
    if result is Unreached.NO_TOKEN:
        return Reason.CREDENTIAL_UNAVAILABLE
    if not isinstance(result, InstanceReply) or not is_final(result):
        return Reason.DELIVERY_UNAVAILABLE
    if result.status in _SUCCESS:
        return Reason.DELIVERED
    if result.status in _GONE and not is_incoming:
        return Reason.INSTANCE_WITHOUT_CALL
    return Reason.DELIVERY_REFUSED


def pause_seconds(attempt: int, result: DeliveryResult) -> float:
    """Return the pause after attempt number ``attempt`` (from 0)."""
    wanted = result.retry_after_seconds if isinstance(result, InstanceReply) else None
    return pause_after(attempt, wanted)


class DeliveryOutcome(NamedTuple):
    """How a delivery ended.

    Attributes:
        partition: of the instance.
        result: of the last attempt; ``None`` if there was none.
        attempts: requests to the instance.
        milliseconds: from the first attempt to the end.
    """

    partition: str
    result: DeliveryResult | None = None
    attempts: int = 0
    milliseconds: float | None = None

    @property
    def reply(self) -> InstanceReply | None:
        """What the instance replied last, if it did."""
        return self.result if isinstance(self.result, InstanceReply) else None

    @property
    def log_fields(self) -> Mapping[str, object]:
        """What the log line says of it."""
        fields = {
            "instance": self.partition,
            "delivery_status": self.reply and self.reply.status,
            "delivery_attempts": self.attempts,
            "delivery_ms": self.milliseconds,
        }
        return {name: value for name, value in fields.items() if value is not None}
