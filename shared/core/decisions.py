"""What to do with a POST: the order of work, top to bottom.

Rule 1  A body over 1 MiB is refused (413).
Rule 2  Without usable settings nothing is decided (503).
Rule 3  The token must be acceptable (401; 503 while no signing keys are held).
Rule 4  Its tenant must be allowed (403), and the partition possible (404).
Rule 5  The body must be strict JSON of a known shape (400, 411).
Rule 6  Legacy protocol: ask for Graph (204).
Rule 7  Incoming calls that all belong to one other region: redirect (302).
Rule 8  An incoming call that is taken here: answer it (202, 503).
Rule 9  Every other notification: accept (202).

Nothing is read from the body before rule 3 has held, and nothing of the body becomes a
URL. ``decide`` raises ``WebhookError`` and nothing else; it changes nothing but its
``trail``, and reaches the world through its ports only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.core.errors import (
    BodyTooLargeError,
    PartitionUnknownError,
    SettingsUnusableError,
    TenantRefusedError,
    TokenRefusedError,
    WebhookError,
)
from shared.core.notifications import CallNotification, read_notification
from shared.core.partitions import is_partition_name
from shared.core.ports import Clock, KeySource, PeerHealth
from shared.core.protocol import Protocol, detect_protocol, read_body
from shared.core.reasons import Reason
from shared.core.regions import RegionPolicy, redirect_location
from shared.core.tokens import (
    Jws,
    TokenClaims,
    TokenPolicy,
    read_bearer,
    read_claims,
    read_jws,
    read_key_id,
    verify,
)
from shared.core.transport import MAX_BODY_BYTES, WebhookRequest
from shared.core.verified_tokens import VerifiedTokens, digest_of

_HOP = "hop"
# What each condition of a region rule is compared with.
_CONDITIONS: Mapping[
    str, Callable[[CallNotification, TokenClaims, WebhookRequest], str | None]
] = {
    "tenant": lambda _call, claims, _request: claims.tenant_id,
    "countryCode": lambda call, _claims, _request: call.country_code,
    "sourceRegion": lambda call, _claims, _request: call.source_region,
    "mediaHostedRegion": lambda call, _claims, _request: call.media_hosted_region,
    "callerRegion": lambda _call, _claims, request: request.headers.get(
        "x-microsoft-skype-caller-region"
    ),
    "teamsRegion": lambda _call, _claims, request: request.headers.get(
        "ms-teams-region"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What the settings say, prepared for the rules, and the ports they need.

    Attributes:
        own_region: code of this deployment; empty where there is only one.
        region_hosts: host of every deployment by code.
        allowed_tenants: lower-case tenant ids; empty: any.
        answers_calls: ``False``: incoming calls are accepted without an answer.
    """

    token_policy: TokenPolicy
    verified_tokens: VerifiedTokens
    keys: KeySource
    clock: Clock
    peers: PeerHealth
    region_policy: RegionPolicy
    own_region: str
    region_hosts: Mapping[str, str]
    allowed_tenants: frozenset[str]
    partitions: Sequence[str]
    answers_calls: bool


@dataclass(slots=True)
class Trail:
    """What was learnt on the way, for the log line, also when the end is a refusal."""

    tenant_id: str | None = None
    call_ids: list[str] = field(default_factory=list)
    notes: set[Reason] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class AskForGraph:
    """Reply 204: the call comes again, in the Graph protocol."""


class RedirectTo(NamedTuple):
    """Reply 302 (or 307) to the region that should have the call."""

    region: str
    location: str


class Accept(NamedTuple):
    """Reply 202: there is nothing to do."""

    reason: Reason


class AnswerCalls(NamedTuple):
    """Answer these calls through Graph, then reply 202, or 503 if one cannot be."""

    tenant_id: str
    calls: Sequence[CallNotification]


type Decision = AskForGraph | RedirectTo | Accept | AnswerCalls


async def decide(
    request: WebhookRequest, deployment: Deployment | None, trail: Trail
) -> Decision:
    """Decide what to do with a POST.

    Args:
        request: the POST.
        deployment: ``None`` while the settings are unusable.
        trail: filled on the way.

    Raises:
        WebhookError: the POST is refused.
    """
    if len(request.body) > MAX_BODY_BYTES:
        raise BodyTooLargeError
    if deployment is None:
        raise SettingsUnusableError
    claims = await _authenticate(request, deployment)
    trail.tenant_id = claims.tenant_id
    _require_allowed_tenant(claims, deployment)
    _require_possible_partition(request, deployment, trail)
    body = read_body(
        request.body, is_transfer_encoded="transfer-encoding" in request.headers
    )
    match detect_protocol(body):
        case Protocol.LEGACY:
            return AskForGraph()
        case Protocol.PARTICIPANT_JOINING:
            return Accept(Reason.PARTICIPANT_JOINING)
        case Protocol.GRAPH:
            notifications = _read_items(body["value"], claims, trail)
    incoming = [item for item in notifications if item and item.is_incoming_call]
    if incoming and request.partition is None:
        if len(incoming) == len(notifications):
            redirect = await _find_redirect(
                incoming, claims, request, deployment, trail
            )
            if redirect is not None:
                return redirect
        if deployment.answers_calls:
            return AnswerCalls(claims.tenant_id, incoming)
        return Accept(Reason.ANSWERING_OFF)
    return Accept(_reason_to_accept(notifications, has_incoming=bool(incoming)))


async def _authenticate(request: WebhookRequest, deployment: Deployment) -> TokenClaims:
    """Authenticate the POST: validate its token, or know it from a moment ago."""
    token = read_bearer(request.headers)
    digest = digest_of(token)
    now = deployment.clock()
    held = deployment.keys.current()
    known = held and deployment.verified_tokens.find(digest, held, now=now)
    if known:
        return known
    jws, key_id = _guarded(_read_unverified, token)
    if held is not None and key_id in held.keys:
        key_set = held
    else:
        key_set = await deployment.keys.find(key_id)
    claims = _guarded(_validate, jws, key_set.keys.get(key_id), deployment)
    deployment.verified_tokens.remember(digest, key_set, claims)
    return claims


def _guarded[**P, T](step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a step on a stranger's token: whatever breaks is the token's fault."""
    try:
        return step(*args, **kwargs)
    except WebhookError:
        raise
    except Exception as error:
        raise TokenRefusedError(Reason.TOKEN_MALFORMED) from error


def _read_unverified(token: bytes) -> tuple[Jws, str]:
    jws = read_jws(token)
    return jws, read_key_id(jws)


def _validate(
    jws: Jws, key: RSAPublicKey | None, deployment: Deployment
) -> TokenClaims:
    if key is None:
        raise TokenRefusedError(Reason.SIGNING_KEY_UNKNOWN)
    payload = verify(jws, key)
    return read_claims(payload, deployment.token_policy, now=deployment.clock())


def _require_allowed_tenant(claims: TokenClaims, deployment: Deployment) -> None:
    allowed = deployment.allowed_tenants
    if allowed and claims.tenant_id not in allowed:
        raise TenantRefusedError


def _require_possible_partition(
    request: WebhookRequest, deployment: Deployment, trail: Trail
) -> None:
    partition = request.partition
    if partition is None:
        return
    if not is_partition_name(partition):
        raise PartitionUnknownError
    if deployment.partitions and partition not in deployment.partitions:
        trail.notes.add(Reason.PARTITION_UNLISTED)


def _read_items(
    items: list[object], claims: TokenClaims, trail: Trail
) -> list[CallNotification | None]:
    """Read the items of a batch; what is odd about one goes to the trail."""
    notifications = [read_notification(item) for item in items]
    for notification in notifications:
        if notification is None:
            trail.notes.add(Reason.UNREADABLE_ITEM)
            continue
        trail.call_ids.append(notification.call_id)
        if notification.tenant_id not in (None, claims.tenant_id):
            trail.notes.add(Reason.TENANT_DIFFERS)
        if notification.claimed_call_id is not None:
            trail.notes.add(Reason.CALL_ID_DIFFERS)
    return notifications


async def _find_redirect(
    calls: Sequence[CallNotification],
    claims: TokenClaims,
    request: WebhookRequest,
    deployment: Deployment,
    trail: Trail,
) -> RedirectTo | None:
    """Find the one other region to which all these calls belong, if there is one."""
    preferences = [
        _preferred_regions(call, claims, request, deployment) for call in calls
    ]
    if _was_redirected(request.raw_query):
        if any(regions[0] != deployment.own_region for regions in preferences):
            trail.notes.add(Reason.REDIRECT_SUPPRESSED)
        return None
    chosen = {
        await _first_healthy(regions, deployment, trail) for regions in preferences
    }
    region = chosen.pop()
    if chosen or region == deployment.own_region:
        return None
    return RedirectTo(region, redirect_location(deployment.region_hosts[region]))


def _preferred_regions(
    call: CallNotification,
    claims: TokenClaims,
    request: WebhookRequest,
    deployment: Deployment,
) -> Sequence[str]:
    """Return the regions that should have the call, best first; at least our own."""
    facts = {
        name: _CONDITIONS[name](call, claims, request)
        for name in deployment.region_policy.conditions
    }
    regions = deployment.region_policy.preferred_regions(facts)
    return regions or (deployment.own_region,)


async def _first_healthy(
    regions: Sequence[str], deployment: Deployment, trail: Trail
) -> str:
    """Return the first region that can take a call: our own can, and if none can."""
    for region in regions:
        if region == deployment.own_region:
            return region
        is_healthy = deployment.peers.current(region)
        if is_healthy is None:
            is_healthy = await deployment.peers.is_healthy(region)
        if is_healthy:
            return region
        trail.notes.add(Reason.REGION_UNHEALTHY)
    return deployment.own_region


def _was_redirected(raw_query: str) -> bool:
    """Tell whether the query has ``hop``, with any value or none, however spelt."""
    if not raw_query:
        return False
    parameters = parse_qsl(raw_query, keep_blank_values=True, encoding="latin-1")
    return any(name.casefold() == _HOP for name, _value in parameters)


def _reason_to_accept(
    notifications: Sequence[CallNotification | None], *, has_incoming: bool
) -> Reason:
    match notifications:
        case []:
            return Reason.EMPTY_BATCH
        case _ if has_incoming:
            return Reason.INCOMING_ON_CALLBACK
        case [None]:
            return Reason.UNREADABLE_ITEM
        case [_]:
            return Reason.FOLLOW_UP
        case _:
            return Reason.BATCH
