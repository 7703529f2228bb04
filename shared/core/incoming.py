"""What an incoming call gets: what the bot decided, else the default.

A call that is recorded by policy and that no handler decides about is rejected: this
product cannot record, and to answer would make the tenant's recording policy look met
while nobody records.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.core.actions import Action
from shared.core.call_controls import reject
from shared.core.call_requests import CallRequest
from shared.core.outcomes import ActionOutcome, ItemOutcome
from shared.core.reasons import Reason


class Choice(NamedTuple):
    """What an incoming call gets, and why.

    Attributes:
        action: made by ``answer``, ``reject`` or ``redirect``.
        is_unrecorded: it is rejected because nobody could record it.
        failure: where the bot's handler failed, so that the default decides; ``None``
            where it did not.
        notes: what else there is to say.
    """

    action: Action
    is_unrecorded: bool = False
    failure: Mapping[str, object] | None = None
    notes: frozenset[Reason] = frozenset()


def choose(
    decided: Sequence[Action], otherwise: Action, *, is_policy_recording: bool
) -> Choice:
    """Choose what an incoming call gets.

    Args:
        decided: what the bot's handler returned, at most one action.
        otherwise: what the bot says for calls that no handler decides about.
        is_policy_recording: the call is to be recorded.
    """
    if decided:
        return Choice(decided[0])
    if is_policy_recording:
        return Choice(reject("none"), is_unrecorded=True)
    return Choice(otherwise)


def outcome_of(
    choice: Choice, request: CallRequest, ended: ActionOutcome
) -> ItemOutcome:
    """Tell how an incoming call ended, from how its one action did."""
    is_done = ended.reason is request.done
    codes = [Reason.RECORDING_UNHANDLED] if choice.is_unrecorded else []
    if choice.failure is not None:
        codes.insert(0, Reason.BOT_FAILED)
    # Where all went well, the first of them is the reason.
    reason = codes.pop(0) if is_done and codes else ended.reason
    return ItemOutcome(
        reason,
        (ended,),
        choice.notes.union(codes),
        choice.failure or {},
        is_incoming=True,
    )
