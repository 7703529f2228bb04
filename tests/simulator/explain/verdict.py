"""The verdict: what ``decide`` came to, in numbers and a sentence for people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shared.core import rules
from shared.core.attempts import budget_seconds
from shared.core.bot import Bot
from shared.core.call_requests import request_for_incoming
from shared.core.decisions import Accept, AskForGraph, Decision
from shared.core.errors import WebhookError
from shared.core.incoming import choose, outcome_of
from shared.core.instances import open_partitions
from shared.core.items import TakeItems, TakeJoining
from shared.core.outcomes import ActionOutcome
from shared.core.partitions import build_callback_uri, choose_partition
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.settings import Settings

_ENDS = {"answer": "answered", "reject": "rejected"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAnswer:
    """What Graph would be asked to do with one call.

    Attributes:
        action: answer, or reject.
        callback_uri: where its follow-ups come to; None if it is rejected.
        budget_seconds: from the arrival of the POST.
    """

    call_id: str
    action: str
    callback_uri: str | None
    partition: str | None
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
    reason: Reason
    region: str | None = None
    location: str | None = None
    answers: tuple[PlannedAnswer, ...] = ()
    sentence: str

    @property
    def end(self) -> str:
        """What becomes of calls here: answered, rejected, both, or refused."""
        ends = {_ENDS[answer.action] for answer in self.answers}
        return " and ".join(sorted(ends)) or "refused"


_DELIVERED = Verdict(
    rule=rules.ACCEPT.number,
    decision=rules.ACCEPT.name,
    status=202,
    reason=Reason.DELIVERED,
    sentence="202: the instance of its partition gets it; 503 if that does not take it "
    "within 4 s.",
)


def verdict_of(outcome: Decision | WebhookError, settings: Settings | None) -> Verdict:
    """Put the outcome into words and numbers."""
    if isinstance(outcome, TakeItems) and outcome.has_incoming:
        assert settings is not None
        return _answer(outcome, settings)
    # Without handlers only instances are told what follows, and who joins.
    if isinstance(outcome, TakeItems | TakeJoining):
        return _DELIVERED
    redirect = outcome if isinstance(outcome, RedirectTo) else None
    return Verdict(
        rule=outcome.rule.number if outcome.rule else 0,
        decision=outcome.name,
        status=outcome.status,
        reason=outcome.reason,
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


def _answer(decision: TakeItems, settings: Settings) -> Verdict:
    answers, reasons = [], []
    for call in decision.calls:
        partition, callback_uri = _callback_of(call.call_id, settings)
        choice = choose(
            (), Bot().otherwise, is_policy_recording=call.is_policy_recording
        )
        request = request_for_incoming(choice.action, callback_uri)
        is_answered = request.name == "answer"
        ended = ActionOutcome(request.name, request.done)
        reasons.append(outcome_of(choice, request, ended).reason)
        answers.append(
            PlannedAnswer(
                call_id=call.call_id,
                action=request.name,
                callback_uri=callback_uri if is_answered else None,
                partition=partition if is_answered else None,
                budget_seconds=budget_seconds(call),
                is_policy_recording=call.is_policy_recording,
            )
        )
    reasons += [Reason.REGION_REQUIRED for _call in decision.barred]
    return Verdict(
        rule=rules.ANSWER.number,
        decision=rules.ANSWER.name,
        status=503 if decision.barred else 202,
        reason=reasons[0] if len(decision.items) == 1 else Reason.BATCH,
        answers=tuple(answers),
        sentence=_tell_answers(answers, len(decision.barred)),
    )


def _callback_of(call_id: str, settings: Settings) -> tuple[str, str]:
    """Return partition and callbackUri of a new call while no instance fails."""
    delivery = settings.delivery
    names = open_partitions(delivery.instances, ()) or settings.partitions
    partition = choose_partition(call_id, names)
    if delivery.is_direct:
        return partition, delivery.instances[partition].url
    return partition, build_callback_uri(settings.callback_host, partition)


def _tell_answers(answers: Sequence[PlannedAnswer], barred: int) -> str:
    if not answers:
        what = "the call" if barred == 1 else f"{barred} calls"
        return f"503: a strict region rule forbids this region to take {what}."
    seconds = min(answer.budget_seconds for answer in answers)
    planned = f"{_planned(answers)} here, through Graph, within {seconds:.0f} s"
    if barred:
        return (
            f"503: {planned}, but a strict region rule forbids this region to take "
            f"{barred} more."
        )
    return f"202: {planned}; 503 if Graph cannot take it in that time."


def _planned(answers: Sequence[PlannedAnswer]) -> str:
    """Say what becomes of the calls, such as "2 calls are answered"."""
    if len(answers) == 1:
        return f"the call is {_ENDS[answers[0].action]}"
    counts = Counter(_ENDS[answer.action] for answer in answers)
    return " and ".join(
        f"{count} call{' is' if count == 1 else 's are'} {word}"
        for word, count in counts.items()
    )
