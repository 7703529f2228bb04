"""Rules 1 to 9 in words: what each of them saw.

Which rule decides is the verdict's word, not this module's.
"""

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from shared.core import rules
from shared.core.errors import BodyRefusedError
from shared.core.notifications import CallNotification, read_notification
from shared.core.protocol import Protocol, detect_protocol, read_body
from shared.core.reasons import Reason
from shared.core.strict_json import JsonObject
from shared.core.tokens import TokenClaims
from shared.core.webhook import MAX_BODY_BYTES, WebhookRequest
from shared.settings import SettingsReport
from tests.simulator.explain.recording import Recording
from tests.simulator.explain.region_choice import RegionChoice, choose_region
from tests.simulator.explain.tenant import AssumedTenant
from tests.simulator.explain.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStep:
    """What one rule saw.

    Attributes:
        rule: its number.
        title: its name.
        state: ``passed``, ``assumed`` (passed, by assumption), ``decides`` or
            ``not-reached``.
    """

    rule: int
    title: str
    state: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Sight:
    """Everything that the rules saw, read with the product's own readers."""

    request: WebhookRequest
    report: SettingsReport
    claims: TokenClaims
    verdict: Verdict
    recording: Recording
    tenant: AssumedTenant
    unhealthy: AbstractSet[str]

    @cached_property
    def body(self) -> tuple[JsonObject, Protocol] | BodyRefusedError:
        """The body, or what is wrong with it."""
        is_transfer_encoded = "transfer-encoding" in self.request.headers
        try:
            body = read_body(self.request.body, is_transfer_encoded=is_transfer_encoded)
            return body, detect_protocol(body)
        except BodyRefusedError as error:
            return error

    @cached_property
    def notifications(self) -> Sequence[CallNotification | None]:
        match self.body:
            case (body, Protocol.GRAPH) if self.verdict.rule >= rules.BODY.number:
                return [read_notification(item) for item in body["value"]]
            case _:
                return []

    @property
    def incoming(self) -> list[CallNotification]:
        return [item for item in self.notifications if item and item.is_incoming_call]

    @cached_property
    def choices(self) -> tuple[RegionChoice, ...]:
        """Where each incoming call belongs, if the rules came to that question."""
        settings, calls = self.report.settings, self.incoming
        is_mixed = len(calls) < len(self.notifications)
        if settings is None or self.request.partition is not None or is_mixed:
            return ()
        return tuple(
            choose_region(
                call,
                self.claims,
                self.request,
                rules=settings.region_rules,
                own_region=settings.region,
                unhealthy=self.unhealthy,
            )
            for call in calls
        )


def tell_steps(seen: Sight) -> tuple[RuleStep, ...]:
    """Tell what every rule saw."""
    tellers = (_size, _settings, _token, _sender, _body, _legacy, _redirect, _answer)
    steps = []
    for rule, tell in zip(rules.RULES, (*tellers, _accept), strict=True):
        state = _state(rule, seen.verdict.rule)
        sentence = "" if state == "not-reached" else tell(seen)
        title = rule.name.capitalize()
        steps.append(
            RuleStep(rule=rule.number, title=title, state=state, sentence=sentence)
        )
    return tuple(steps)


def _state(rule: rules.Rule, deciding: int) -> str:
    if rule.number > deciding:
        return "not-reached"
    if rule.number == deciding:
        return "decides"
    return "assumed" if rule is rules.TOKEN else "passed"


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


def _size(seen: Sight) -> str:
    size = f"{len(seen.request.body):,} bytes of at most {MAX_BODY_BYTES:,}."
    return " ".join((size, *seen.recording.notes))


def _settings(seen: Sight) -> str:
    if seen.report.problems:
        return f"Not usable: {' '.join(seen.report.problems)}"
    region = seen.report.region
    return f"The settings of {region} are usable." if region else "Usable."


def _token(seen: Sight) -> str:
    tenant = seen.tenant
    whose = f"tenant {tenant.tenant_id} ({tenant.source})"
    if not tenant.tenant_id:
        whose = "an unknown tenant (none is recorded or given)"
    return f"An acceptable token of {whose} is assumed. {tenant.token}".rstrip()


def _sender(seen: Sight) -> str:
    settings, partition = seen.report.settings, seen.request.partition
    if seen.verdict.rule == rules.SENDER.number:
        return seen.verdict.reason.cause
    allowed = "Any tenant may call."
    if settings and settings.tenants:
        allowed = "The tenant is in CALLING_TENANTS."
    if partition is None:
        return f"{allowed} It came on the calling webhook."
    listed = settings.partitions if settings else ()
    if listed and partition not in listed:
        return f"{allowed} Partition {partition} is not listed, and taken all the same."
    return f"{allowed} It came on the callback route of partition {partition}."


def _body(seen: Sight) -> str:
    if isinstance(seen.body, BodyRefusedError):
        return _problem(seen.body)
    return "Strict JSON, an object, of a known shape."


def _legacy(seen: Sight) -> str:
    match seen.body:
        case (_, Protocol.LEGACY):
            return "Legacy: no value, and members of the legacy model."
        case (_, Protocol.PARTICIPANT_JOINING):
            return "A participantJoiningNotification, in Graph."
        case _:
            count = len(seen.notifications)
            plural = "" if count == 1 else "s"
            return f"Graph: value is a list of {count} notification{plural}."


def _redirect(seen: Sight) -> str:
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
            kind = f"changeType {one.change_type or 'none'}"
            what = f"{kind}, state {one.state or 'none'}"
            if one.sub_resource:
                what = f"about its {one.sub_resource}"
            found = f"It is no incoming call ({what})"
        case [None]:
            found = "It names no call that can be trusted"
        case _:
            found = "There is no incoming call in it"
    return f"{found}, so it is not redirected."


def _answer(seen: Sight) -> str:
    verdict = seen.verdict
    if verdict.reason == Reason.ANSWERING_OFF:
        return Reason.ANSWERING_OFF.cause
    told = []
    if verdict.status == 503:
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


def _accept(seen: Sight) -> str:
    return seen.verdict.reason.cause
