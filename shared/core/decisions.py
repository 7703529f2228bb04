"""What to do with a POST: the order of work, top to bottom.

Rule 1  A body over 1 MiB is refused (413).
Rule 2  Without usable settings nothing is decided (503).
Rule 3  The token must be acceptable (401; 503 while no signing keys are held).
Rule 4  Its tenant must be allowed (403), and the partition's name legal (404).
Rule 5  The body must be strict JSON of a known shape (400, 411).
Rule 6  Legacy protocol: ask for Graph (204).
Rule 7  Incoming calls that all belong to one other region: redirect (302).
Rule 8  Other incoming calls: take those that may be taken here (202, 503).
Rule 9  Every other notification: tell the bot, or accept it (202; 200 with its reply).

``docs/behaviour.md`` section 2 is the specification, ``rules`` has the same as data.

>>> decision = await decide(request, context, facts)  # or a WebhookError is raised
>>> decision.location
'https://sea.example/api/calls?hop=1'

Nothing is read from the body before rule 3 has held, and nothing of the body but a
vetted call id becomes part of a URL. ``decide`` raises ``WebhookError`` and nothing
else. Besides ``facts`` it only fills bounded caches, and it reaches the world through
its ports only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar, NoReturn

from shared.core import rules
from shared.core.authentication import authenticate
from shared.core.context import LogFacts, RuleContext
from shared.core.errors import (
    BodyRefusedError,
    BodyTooLargeError,
    PartitionIllegalError,
    SettingsUnusableError,
    TenantRefusedError,
)
from shared.core.event_types import ParticipantJoining
from shared.core.items import (
    TakeItems,
    TakeJoining,
    assign,
    incoming_task,
    is_accepted,
    leave_undelivered,
    reason_to_accept,
    reason_to_accept_joining,
)
from shared.core.notifications import (
    CallNotification,
    read_joining_call_id,
    read_notification,
)
from shared.core.partitions import is_listed, is_partition_name
from shared.core.protocol import Protocol, detect_protocol, read_body
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo, find_redirect, place_calls
from shared.core.tokens import TokenClaims
from shared.core.webhook import MAX_BODY_BYTES, MAX_ITEMS, WebhookRequest


@dataclass(frozen=True, slots=True)
class AskForGraph:
    """Reply 204: the call comes again, in the Graph protocol."""

    rule: ClassVar = rules.LEGACY
    name: ClassVar = "ask-for-graph"
    status: ClassVar = HTTPStatus.NO_CONTENT
    reason: ClassVar = Reason.LEGACY_PROTOCOL
    retry_after_seconds: ClassVar = None
    log_fields: ClassVar[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True)
class Accept:
    """Reply 202: there is nothing to do; for the log, ``item_reasons`` say why."""

    reason: Reason
    rule: rules.Rule = rules.ACCEPT
    item_reasons: Sequence[Reason] = field(default=(), compare=False)

    name: ClassVar = "accept"
    status: ClassVar = HTTPStatus.ACCEPTED
    retry_after_seconds: ClassVar = None
    log_fields: ClassVar[Mapping[str, object]] = {}


type Decision = AskForGraph | RedirectTo | TakeItems | TakeJoining | Accept


async def decide(
    request: WebhookRequest, context: RuleContext, facts: LogFacts
) -> Decision:
    """Decide what to do with a POST.

    Args:
        request: the POST.
        context: what the settings say.
        facts: filled on the way.

    Raises:
        WebhookError: the POST is refused.
    """
    _require_bounded_body(request)
    claims = await authenticate(request, context)
    facts.tenant_id = claims.tenant_id
    _require_allowed_tenant(claims, context)
    _require_legal_partition(request, context, facts)
    body = read_body(
        request.body, is_transfer_encoded="transfer-encoding" in request.headers
    )
    match detect_protocol(body):
        case Protocol.LEGACY:
            return AskForGraph()
        case Protocol.PARTICIPANT_JOINING:
            facts.events = [ParticipantJoining.name]
            facts.joining_call_id = read_joining_call_id(body)
            reason = reason_to_accept_joining(request.partition, context, facts)
            if reason is not None:
                return Accept(reason)
            return TakeJoining(claims.tenant_id, body, facts.joining_call_id)
        case Protocol.GRAPH:
            notifications = _read_items(body["value"], claims, facts)
    incoming = [item for item in notifications if item and item.is_incoming_call]
    tasks = None
    if request.partition is None:
        placed = place_calls(incoming, claims.tenant_id, request.headers, context)
        if incoming and len(incoming) == len(notifications):
            redirect = await find_redirect(placed, request, context, facts)
            if redirect is not None:
                return redirect
        tasks = iter([incoming_task(rule, context) for _call, rule in placed])
    items = assign(body["value"], notifications, tasks, context)
    if facts.is_unlisted:
        items = leave_undelivered(items)
    facts.events = [item.event for item in items]
    if all(map(is_accepted, items)):
        reason = reason_to_accept(items)
        rule = rules.ANSWER if reason is Reason.ANSWERING_OFF else rules.ACCEPT
        return Accept(reason, rule, [item.reason for item in items])
    return TakeItems(claims.tenant_id, items, claims.not_before)


def refuse_without_settings(request: WebhookRequest) -> NoReturn:
    """Refuse a POST by rules 1 and 2, where the settings are unusable.

    Raises:
        WebhookError: always.
    """
    _require_bounded_body(request)
    raise SettingsUnusableError


def _require_bounded_body(request: WebhookRequest) -> None:
    if len(request.body) > MAX_BODY_BYTES:
        raise BodyTooLargeError


def _require_allowed_tenant(claims: TokenClaims, context: RuleContext) -> None:
    if context.allowed_tenants and claims.tenant_id not in context.allowed_tenants:
        raise TenantRefusedError


def _require_legal_partition(
    request: WebhookRequest, context: RuleContext, facts: LogFacts
) -> None:
    partition = request.partition
    if partition is None:
        return
    if not is_partition_name(partition):
        raise PartitionIllegalError
    if not is_listed(partition, context.partitions):
        facts.is_unlisted = True
        if not context.delivers:
            facts.notes.add(Reason.PARTITION_UNLISTED)


def _read_items(
    items: list[object], claims: TokenClaims, facts: LogFacts
) -> list[CallNotification | None]:
    """Read the items of a batch; what is odd about one becomes a note.

    Raises:
        BodyRefusedError: there are too many: the platform sends a handful.
    """
    if len(items) > MAX_ITEMS:
        raise BodyRefusedError(Reason.TOO_MANY_ITEMS)
    notifications = [read_notification(item) for item in items]
    facts.items = notifications
    for notification in notifications:
        if notification is None:
            facts.notes.add(Reason.UNREADABLE_ITEM)
            continue
        if notification.tenant_id not in (None, claims.tenant_id):
            facts.notes.add(Reason.TENANT_DIFFERS)
        if notification.claimed_call_id is not None:
            facts.notes.add(Reason.CALL_ID_DIFFERS)
    return notifications
