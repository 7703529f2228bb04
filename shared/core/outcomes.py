"""How the items of a POST ended: what was asked of Graph, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple

from shared.core import rules
from shared.core.deliveries import DeliveryOutcome
from shared.core.reasons import Reason
from shared.core.strict_json import JsonObject

_NOTHING: Mapping[str, object] = MappingProxyType({})


class ActionOutcome(NamedTuple):
    """How one action ended.

    Attributes:
        name: Graph's, such as ``playPrompt``.
        reason: why; ``handled`` where Graph took it.
        attempts: requests to Graph.
        status: of Graph's last reply.
        graph_code: Graph's error code in it.
        entra_code: with which Entra refused a token for good, such as AADSTS7000215.
        is_regional: if it failed, another region might have succeeded.
        was_reply_lost: it may have taken effect without our knowing.
    """

    name: str
    reason: Reason
    attempts: int = 0
    status: int | None = None
    graph_code: str | None = None
    entra_code: str | None = None
    is_regional: bool = False
    was_reply_lost: bool = False

    @property
    def log_fields(self) -> Mapping[str, object]:
        """What the log line says of it."""
        fields = {
            "name": self.name,
            "status": self.status,
            "attempts": self.attempts,
            "graph_code": self.graph_code,
        }
        return {name: value for name, value in fields.items() if value is not None}


class ItemOutcome(NamedTuple):
    """How one item ended.

    Attributes:
        reason: why.
        actions: what was asked of Graph, in order.
        notes: what else there is to say.
        failure: where a handler of the bot failed, for the log.
        was_expected: Graph refused, but another process has probably answered the call.
        is_incoming: it is an incoming call, which waits for an answer.
        delivery: how it was delivered to an instance, if it was.
    """

    reason: Reason
    actions: tuple[ActionOutcome, ...] = ()
    notes: frozenset[Reason] = frozenset()
    failure: Mapping[str, object] = _NOTHING
    was_expected: bool = False
    is_incoming: bool = False
    delivery: DeliveryOutcome | None = None

    @property
    def is_unavailable(self) -> bool:
        """Tell whether the POST must be refused with 503, so that it comes again.

        Only an incoming call and a delivery should: what a bot does after the answer
        must not be done twice.
        """
        if self.reason is Reason.CREDENTIAL_UNAVAILABLE:
            is_undelivered = self.delivery is not None and not self.actions
            return self.is_incoming or is_undelivered
        return self.reason in {
            Reason.ANSWER_UNAVAILABLE,
            Reason.DELIVERY_UNAVAILABLE,
            Reason.REGION_REQUIRED,
        }

    @property
    def log_fields(self) -> Mapping[str, object]:
        """What the log line says beside reason and notes."""
        delivered = {} if self.delivery is None else self.delivery.log_fields
        if not self.actions:
            return {**delivered, **self.failure}
        last = self.actions[-1]
        fields = {
            "actions": [action.log_fields for action in self.actions],
            "attempts": sum(action.attempts for action in self.actions),
            "graph_status": last.status,
            "graph_code": last.graph_code,
            "entra_code": last.entra_code,
            **delivered,
            **self.failure,
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Taken:
    """Reply 202, or 503 if any of the calls has to come again.

    Attributes:
        outcomes: of the items of the POST, in their order; of a joining participant,
            the only one.
        has_incoming: there is an incoming call among them.
        join_reply: what the bot replies to a joining participant, in a 200.
    """

    outcomes: Sequence[ItemOutcome]
    has_incoming: bool = False
    join_reply: JsonObject | None = None

    @property
    def rule(self) -> rules.Rule:
        """Which rule took them."""
        return rules.ANSWER if self.has_incoming else rules.ACCEPT

    @property
    def name(self) -> str:
        """What was done, as the log calls it."""
        return self.rule.name

    @property
    def status(self) -> HTTPStatus:
        """Of the reply."""
        if any(outcome.is_unavailable for outcome in self.outcomes):
            return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.OK if self.join_reply is not None else HTTPStatus.ACCEPTED

    @property
    def retry_after_seconds(self) -> int | None:
        """Value of ``Retry-After``, if the reply carries one."""
        return 1 if self.status is HTTPStatus.SERVICE_UNAVAILABLE else None

    @property
    def notes(self) -> frozenset[Reason]:
        """What else there is to say of the items."""
        return frozenset().union(*(outcome.notes for outcome in self.outcomes))

    @property
    def reason(self) -> Reason:
        """Of the only item, or that there are several."""
        return self.outcomes[0].reason if len(self.outcomes) == 1 else Reason.BATCH

    @property
    def log_fields(self) -> Mapping[str, object]:
        """What the log line says beside the reason; several items say it themselves."""
        return self.outcomes[0].log_fields if len(self.outcomes) == 1 else _NOTHING
