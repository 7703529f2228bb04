"""The verdict: what ``decide`` came to, in numbers and a sentence for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from shared.core import rules
from shared.core.answers import AnswerCalls, Answered
from shared.core.attempts import budget_seconds
from shared.core.decisions import Accept, AskForGraph, Decision
from shared.core.errors import WebhookError
from shared.core.partitions import build_callback_uri, choose_partition
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.settings import Settings


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
    if isinstance(outcome, AnswerCalls):
        return _answer(outcome, settings)
    redirect = outcome if isinstance(outcome, RedirectTo) else None
    return Verdict(
        rule=outcome.rule.number if outcome.rule else 0,
        decision=outcome.name,
        status=outcome.status,
        reason=outcome.reason.value,
        region=redirect.region if redirect else None,
        location=redirect.location if redirect else None,
        sentence=f"{int(outcome.status)}{_sentence(outcome)}",
    )


def _sentence(outcome: AskForGraph | RedirectTo | Accept | WebhookError) -> str:
    match outcome:
        case AskForGraph():
            return ": the platform sends the same call again, in Graph."
        case RedirectTo():
            return f": the platform sends it to {outcome.region}."
        case Accept():
            return f", and nothing else. {outcome.reason.cause}"
        case WebhookError():
            return f": it is refused. {outcome.reason.cause}"


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
    is_one = len(decision.calls) + len(decision.barred) == 1
    barred = Reason.REGION_REQUIRED if decision.barred else None
    only = barred or Reason.ANSWERED
    return Verdict(
        rule=rules.ANSWER.number,
        decision=Answered.name,
        status=HTTPStatus.SERVICE_UNAVAILABLE if barred else HTTPStatus.ACCEPTED,
        reason=(only if is_one else Reason.BATCH).value,
        answers=tuple(answers),
        sentence=_tell_answers(answers, len(decision.barred)),
    )


def _tell_answers(answers: Sequence[PlannedAnswer], barred: int) -> str:
    if not answers:
        what = "the call comes" if barred == 1 else f"{barred} calls come"
        return (
            f"503: a strict region rule forbids this region to take it: {what} again."
        )
    seconds = min(answer.budget_seconds for answer in answers)
    count = len(answers)
    what = "the call is answered" if count == 1 else f"{count} calls are answered"
    if barred:
        return (
            f"503: {what} here, through Graph, within {seconds:.0f} s, but a strict "
            f"region rule forbids this region to take {barred} more."
        )
    return (
        f"202: {what} here, through Graph, within {seconds:.0f} s; 503 if Graph cannot "
        "take it in that time."
    )
