"""The verdict: the outcome of ``decide`` in the terms of the contract."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import assert_never

from shared.core.answers import budget_seconds
from shared.core.decisions import (
    Accept,
    AnswerCalls,
    AskForGraph,
    Decision,
    RedirectTo,
)
from shared.core.errors import (
    BodyRefusedError,
    BodyTooLargeError,
    KeysUnavailableError,
    PartitionUnknownError,
    SettingsUnusableError,
    TenantRefusedError,
    TokenRefusedError,
    WebhookError,
)
from shared.core.partitions import build_callback_uri, choose_partition
from shared.core.reasons import Reason
from shared.settings import Settings

_RULE_OF_REFUSAL: dict[type[WebhookError], int] = {
    BodyTooLargeError: 1,
    SettingsUnusableError: 2,
    TokenRefusedError: 3,
    KeysUnavailableError: 3,
    TenantRefusedError: 4,
    PartitionUnknownError: 4,
    BodyRefusedError: 5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAnswer:
    """What Graph would be asked for one call.

    Attributes:
        budget_seconds: from the arrival of the POST.
    """

    call_id: str
    callback_uri: str
    partition: str
    budget_seconds: float
    is_policy_recording: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the webhook would do.

    Attributes:
        rule: the number of the rule that decides.
        decision: as in the log: ask-for-graph, redirect, answer, accept or refuse.
        status: of the reply; of an answer, if Graph takes it.
        reason: the code of the log; of an answer, if Graph takes it.
        region: target of a redirect.
        sentence: all of it for people.
    """

    rule: int
    decision: str
    status: int
    reason: str
    region: str | None = None
    location: str | None = None
    answers: tuple[PlannedAnswer, ...] = ()
    sentence: str


def verdict_of(outcome: Decision | WebhookError, settings: Settings | None) -> Verdict:
    """Put the outcome into words and numbers."""
    match outcome:
        case WebhookError():
            return _refusal(outcome)
        case AskForGraph():
            return Verdict(
                rule=6,
                decision="ask-for-graph",
                status=HTTPStatus.NO_CONTENT,
                reason=Reason.LEGACY_PROTOCOL.value,
                sentence="204: the platform sends the same call again, in Graph.",
            )
        case RedirectTo():
            return _redirect(outcome, settings)
        case AnswerCalls():
            return _answer(outcome, settings)
        case Accept():
            is_incoming = outcome.reason is Reason.ANSWERING_OFF
            return Verdict(
                rule=8 if is_incoming else 9,
                decision="accept",
                status=HTTPStatus.ACCEPTED,
                reason=outcome.reason.value,
                sentence=f"202, and nothing else. {outcome.reason.cause}",
            )
        case _:
            assert_never(outcome)


def _refusal(error: WebhookError) -> Verdict:
    kinds = type(error).__mro__
    rule = next(_RULE_OF_REFUSAL[kind] for kind in kinds if kind in _RULE_OF_REFUSAL)
    return Verdict(
        rule=rule,
        decision="refuse",
        status=error.status,
        reason=error.reason.value,
        sentence=f"{error.status.value}: it is refused. {error.reason.cause}",
    )


def _redirect(redirect: RedirectTo, settings: Settings | None) -> Verdict:
    status = settings.redirect_status if settings else HTTPStatus.FOUND
    return Verdict(
        rule=7,
        decision="redirect",
        status=status,
        reason=Reason.REDIRECTED.value,
        region=redirect.region,
        location=redirect.location,
        sentence=f"{int(status)}: the platform sends it to {redirect.region}.",
    )


def _answer(decision: AnswerCalls, settings: Settings | None) -> Verdict:
    host = settings.callback_host if settings else ""
    partitions = settings.partitions if settings else ()
    answers = []
    for call in decision.calls:
        partition = choose_partition(call.call_id, partitions)
        answers.append(
            PlannedAnswer(
                call_id=call.call_id,
                callback_uri=build_callback_uri(host, partition),
                partition=partition,
                budget_seconds=budget_seconds(call),
                is_policy_recording=call.is_policy_recording,
            )
        )
    seconds = min(answer.budget_seconds for answer in answers)
    is_one = len(answers) == 1
    what = "the call is answered" if is_one else f"{len(answers)} calls are answered"
    return Verdict(
        rule=8,
        decision="answer",
        status=HTTPStatus.ACCEPTED,
        reason=(Reason.ANSWERED if is_one else Reason.BATCH).value,
        answers=tuple(answers),
        sentence=(
            f"202: {what} here, through Graph, within {seconds:.0f} s; 503 if Graph "
            "cannot take it in that time."
        ),
    )
