"""Answering a call: what Graph is asked, and what becomes of it.

https://learn.microsoft.com/graph/api/call-answer: 202 without a body; 404 (8522) once
the call is over or the time to answer has passed. A call that is recorded by policy is
rejected: see ``action_for``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, NamedTuple

from shared.core import rules
from shared.core.notifications import CallNotification
from shared.core.reasons import Reason
from shared.core.strict_json import JsonObject


class AnswerCalls(NamedTuple):
    """The decision to answer these calls; what comes of it is ``Answered``.

    Attributes:
        not_before: ``nbf`` of the token, in epoch seconds: when the token became valid.
            The platform makes a token for each call, so the call is about as old.
        barred: calls that a strict rule keeps out of this region: to be left alone.
    """

    tenant_id: str
    calls: Sequence[CallNotification]
    not_before: int
    barred: Sequence[CallNotification] = ()


class CallAction(NamedTuple):
    """What Graph is asked to do with a call.

    Attributes:
        name: last part of the URL.
        done: the reason once Graph has taken it.
        again: the reason where the same call comes again after that.
        note: what else the log says, whether Graph took it or not.
    """

    name: str
    body: JsonObject
    done: Reason
    again: Reason
    note: Reason | None = None


class AnswerOutcome(NamedTuple):
    """How answering one call ended.

    Attributes:
        reason: why; ``is_unavailable`` tells whether the call may come again.
        attempts: requests to Graph; 0 where the call had been answered before.
        graph_code: Graph's error code of the last reply.
        entra_code: with which Entra refused a token for good, such as AADSTS7000215.
        note: what else there is to say.
        was_expected: it was refused, but another process has probably answered it.
    """

    reason: Reason
    attempts: int = 0
    graph_status: int | None = None
    graph_code: str | None = None
    entra_code: str | None = None
    note: Reason | None = None
    was_expected: bool = False

    @property
    def is_unavailable(self) -> bool:
        """Tell whether the POST must be refused with 503, so that it comes again."""
        return self.reason in {
            Reason.ANSWER_UNAVAILABLE,
            Reason.CREDENTIAL_UNAVAILABLE,
            Reason.REGION_REQUIRED,
        }

    @property
    def is_refused(self) -> bool:
        """Tell whether Graph refused for good what it was asked."""
        return self.reason is Reason.ANSWER_REFUSED

    @property
    def log_fields(self) -> Mapping[str, object]:
        """What the log line says beside the reason."""
        fields = {
            "attempts": self.attempts,
            "graph_status": self.graph_status,
            "graph_code": self.graph_code,
            "entra_code": self.entra_code,
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Answered:
    """Reply 202, or 503 if any of the calls has to come again.

    Attributes:
        outcomes: by call id, at least one.
    """

    outcomes: Sequence[tuple[str, AnswerOutcome]]

    rule: ClassVar = rules.ANSWER
    name: ClassVar = "answer"

    @property
    def status(self) -> HTTPStatus:
        """Of the reply."""
        if any(outcome.is_unavailable for _call_id, outcome in self.outcomes):
            return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.ACCEPTED

    @property
    def retry_after_seconds(self) -> int | None:
        """Value of ``Retry-After``, if the reply carries one."""
        return 1 if self.status is HTTPStatus.SERVICE_UNAVAILABLE else None

    @property
    def notes(self) -> frozenset[Reason]:
        """What else there is to say of the calls."""
        return frozenset(o.note for _id, o in self.outcomes if o.note)

    @property
    def reason(self) -> Reason:
        """Of the only call, or that there are several."""
        return self.outcomes[0][1].reason if len(self.outcomes) == 1 else Reason.BATCH

    @property
    def log_fields(self) -> Mapping[str, object]:
        """What the log line says beside the reason; of several calls their items do."""
        if len(self.outcomes) == 1:
            return self.outcomes[0][1].log_fields
        return {}


def action_for(call: CallNotification, callback_uri: str) -> CallAction:
    """Choose what Graph is asked to do with an incoming call.

    A call that is recorded by policy is rejected: this product cannot record, and to
    answer would make the tenant's recording policy look met while nobody records.
    """
    if call.is_policy_recording:
        return _REJECT_RECORDING
    body = _answer_body(callback_uri)
    return CallAction("answer", body, Reason.ANSWERED, Reason.ALREADY_ANSWERED)


# https://learn.microsoft.com/graph/api/call-reject
_REJECT_RECORDING = CallAction(
    "reject",
    {"reason": "none"},
    Reason.RECORDING_UNHANDLED,
    Reason.ALREADY_HANDLED,
    note=Reason.RECORDING_UNHANDLED,
)


def _answer_body(callback_uri: str) -> JsonObject:
    """Build the body of the answer: audio, played and recorded by Microsoft.

    App-hosted media needs .NET on Windows; service-hosted media is all there is:
    https://learn.microsoft.com/graph/api/resources/servicehostedmediaconfig
    """
    return {
        "callbackUri": callback_uri,
        "acceptedModalities": ["audio"],
        "mediaConfig": {
            "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
            "preFetchMedia": [],
        },
    }
