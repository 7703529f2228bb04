"""Rules 1 to 9 in words: what each of them saw.

Which rule decides is the verdict's word, not this module's.
"""

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from http import HTTPStatus

from shared.core.errors import BodyRefusedError
from shared.core.notifications import CallNotification, read_notification
from shared.core.protocol import Protocol, detect_protocol, read_body
from shared.core.reasons import Reason
from shared.core.strict_json import JsonObject
from shared.core.tokens import TokenClaims
from shared.core.webhook import MAX_BODY_BYTES, WebhookRequest
from shared.settings import Settings, SettingsReport
from tests.simulator.explain.recording import Recording
from tests.simulator.explain.region_choice import RegionChoice, choose_region
from tests.simulator.explain.tenant import AssumedTenant
from tests.simulator.explain.verdict import Verdict

TITLES = (
    "Size",
    "Settings",
    "Token",
    "Tenant and partition",
    "Body",
    "Protocol",
    "Region affinity",
    "Answer",
    "Every other notification",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStep:
    """What one rule saw.

    Attributes:
        rule: its number.
        state: ``passed``, ``assumed`` (passed, by assumption), ``decides`` or
            ``not-reached``.
    """

    rule: int
    title: str
    state: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Everything that the sentences are made of."""

    request: WebhookRequest
    report: SettingsReport
    claims: TokenClaims
    verdict: Verdict
    recording: Recording
    tenant: AssumedTenant
    body: JsonObject | None
    problem: str
    protocol: Protocol | None
    notifications: Sequence[CallNotification | None]
    choices: tuple[RegionChoice, ...]

    @property
    def settings(self) -> Settings | None:
        return self.report.settings

    @property
    def incoming(self) -> list[CallNotification]:
        return [item for item in self.notifications if item and item.is_incoming_call]


def tell_steps(
    request: WebhookRequest,
    report: SettingsReport,
    claims: TokenClaims,
    *,
    verdict: Verdict,
    unhealthy: AbstractSet[str],
    recorded: tuple[Recording, AssumedTenant],
) -> tuple[tuple[RuleStep, ...], tuple[RegionChoice, ...]]:
    """Tell what every rule saw, and where each incoming call belongs."""
    seen = _look(request, report, claims, verdict, unhealthy, recorded)
    tellers = (
        _size,
        _settings,
        _token,
        _tenant,
        _body,
        _protocol,
        _region,
        _answer,
        _other,
    )
    steps = []
    for rule, (title, tell) in enumerate(zip(TITLES, tellers, strict=True), start=1):
        state = _state(rule, verdict.rule)
        sentence = "" if state == "not-reached" else tell(seen)
        steps.append(RuleStep(rule=rule, title=title, state=state, sentence=sentence))
    return tuple(steps), seen.choices


def _state(rule: int, deciding: int) -> str:
    if rule > deciding:
        return "not-reached"
    if rule == deciding:
        return "decides"
    return "assumed" if rule == 3 else "passed"


def _look(
    request: WebhookRequest,
    report: SettingsReport,
    claims: TokenClaims,
    verdict: Verdict,
    unhealthy: AbstractSet[str],
    recorded: tuple[Recording, AssumedTenant],
) -> _Seen:
    """Look at the body as far as the rules came, with the product's own readers."""
    recording, tenant = recorded
    body, problem, protocol = _read(request) if verdict.rule >= 5 else (None, "", None)
    items = body["value"] if body and protocol is Protocol.GRAPH else []
    notifications = [read_notification(item) for item in items]
    calls = [item for item in notifications if item and item.is_incoming_call]
    choices: list[RegionChoice] = []
    settings = report.settings
    if settings and request.partition is None and len(calls) == len(notifications):
        choices = [
            choose_region(
                call,
                claims,
                request,
                rules=settings.region_rules,
                own_region=settings.region,
                unhealthy=unhealthy,
            )
            for call in calls
        ]
    return _Seen(
        request=request,
        report=report,
        claims=claims,
        verdict=verdict,
        recording=recording,
        tenant=tenant,
        body=body,
        problem=problem,
        protocol=protocol,
        notifications=notifications,
        choices=tuple(choices),
    )


def _read(request: WebhookRequest) -> tuple[JsonObject | None, str, Protocol | None]:
    is_transfer_encoded = "transfer-encoding" in request.headers
    body = None
    try:
        body = read_body(request.body, is_transfer_encoded=is_transfer_encoded)
        return body, "", detect_protocol(body)
    except BodyRefusedError as error:
        return body, _problem(error), None


def _problem(error: BodyRefusedError) -> str:
    """Tell what is wrong with the body; where, if the reader knows."""
    sentence = error.reason.cause
    cause = error.__cause__.__cause__ if error.__cause__ else None
    match cause:
        case json.JSONDecodeError():
            where = f"line {cause.lineno}, column {cause.colno}"
            return f"{sentence} {cause.msg} ({where})."
        case UnicodeDecodeError():
            return f"{sentence} Byte {cause.start + 1:,} is no UTF-8."
        case RecursionError():
            return f"{sentence} It is nested too deeply."
        case ValueError():
            return f"{sentence} {str(cause)[:80].capitalize()}."
    return sentence


def _size(seen: _Seen) -> str:
    size = f"{len(seen.request.body):,} bytes of at most {MAX_BODY_BYTES:,}."
    return " ".join((size, *seen.recording.notes))


def _settings(seen: _Seen) -> str:
    if seen.report.problems:
        return f"Not usable: {' '.join(seen.report.problems)}"
    region = seen.report.region
    return f"The settings of {region} are usable." if region else "Usable."


def _token(seen: _Seen) -> str:
    tenant = seen.tenant
    whose = f"tenant {tenant.tenant_id} ({tenant.source})"
    if not tenant.tenant_id:
        whose = "an unknown tenant (none is recorded or given)"
    return f"An acceptable token of {whose} is assumed. {tenant.token}".rstrip()


def _tenant(seen: _Seen) -> str:
    reason, settings = seen.verdict.reason, seen.settings
    if reason == Reason.TENANT_REFUSED:
        return f"Tenant {seen.claims.tenant_id or 'unknown'} is not in CALLING_TENANTS."
    allowed = "Any tenant may call."
    if settings and settings.tenants:
        allowed = "The tenant is in CALLING_TENANTS."
    partition = seen.request.partition
    if partition is None:
        return f"{allowed} It came on the calling webhook."
    if reason == Reason.PARTITION_UNKNOWN:
        return f"{allowed} «{partition}» cannot be the name of a partition."
    listed = settings.partitions if settings else ()
    if listed and partition not in listed:
        return f"{allowed} Partition {partition} is not listed, and taken all the same."
    return f"{allowed} It came on the callback route of partition {partition}."


def _body(seen: _Seen) -> str:
    if seen.protocol is None:
        return seen.problem
    return "Strict JSON, an object, of a known shape."


def _protocol(seen: _Seen) -> str:
    match seen.protocol:
        case Protocol.LEGACY:
            return "Legacy: no value, and members of the legacy model."
        case Protocol.PARTICIPANT_JOINING:
            return "A participantJoiningNotification, in Graph."
        case _:
            count = len(seen.notifications)
            plural = "" if count == 1 else "s"
            return f"Graph: value is a list of {count} notification{plural}."


def _region(seen: _Seen) -> str:
    calls, count = seen.incoming, len(seen.notifications)
    if not calls:
        return _no_call(seen.notifications)
    if seen.request.partition is not None:
        return "It came on the callback route, where nothing is redirected."
    if len(calls) < count:
        return f"{len(calls)} of {count} are incoming calls, so all are handled here."
    regions = {choice.region for choice in seen.choices}
    if len(regions) > 1:
        named = ", ".join(sorted(regions))
        return f"The calls belong to different regions ({named}): handled here."
    return seen.choices[0].why


def _no_call(notifications: Sequence[CallNotification | None]) -> str:
    match notifications:
        case [CallNotification() as one]:
            what = (
                f"changeType {one.change_type or 'none'}, state {one.state or 'none'}"
            )
            if one.sub_resource:
                what = f"about its {one.sub_resource}"
            return f"It is no incoming call ({what}), so it is not redirected."
        case [None]:
            return "It names no call that can be trusted, so it is not redirected."
        case _:
            return "There is no incoming call in it, so it is not redirected."


def _answer(seen: _Seen) -> str:
    verdict = seen.verdict
    if verdict.reason == Reason.ANSWERING_OFF:
        return "CALLING_ANSWER is false: incoming calls are accepted only."
    told = []
    if verdict.status == HTTPStatus.SERVICE_UNAVAILABLE:
        told.append(Reason.REGION_REQUIRED.cause)
    elif not verdict.answers:
        return "There is no call to answer."
    for answer in verdict.answers:
        limit = f"within {answer.budget_seconds:.0f} s"
        told.append(
            f"Call {answer.call_id} is answered {limit}; its follow-ups come to "
            f"{answer.callback_uri}."
            if answer.callback_uri
            else f"Call {answer.call_id} is rejected {limit}: it is to be recorded by "
            "policy, and nobody here can record."
        )
    return " ".join(told)


def _other(seen: _Seen) -> str:
    return next(r.cause for r in Reason if r == seen.verdict.reason)
