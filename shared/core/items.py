"""The items of a Graph POST: what is to be done with each."""

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

from shared.core.context import LogFacts, RuleContext
from shared.core.event_types import Incoming, ParticipantJoining
from shared.core.events import event_type
from shared.core.notifications import CallNotification
from shared.core.reasons import Reason
from shared.core.regions import RegionRule
from shared.core.strict_json import JsonObject


class Task(Enum):
    """What is to be done with an item.

    ``DECIDE``: it is an incoming call, which gets an answer; ``TELL``: the bot gets its
    event; ``DELIVER``: an instance gets it; ``NOTHING``: it is accepted, or refused, as
    its reason says.
    """

    DECIDE = auto()
    TELL = auto()
    DELIVER = auto()
    NOTHING = auto()


class Item(NamedTuple):
    """One item of a POST.

    Attributes:
        notification: as read; ``None`` where it cannot be read.
        raw: as sent, any JSON where it cannot be read.
        event: name of the bot's event; ``None`` where the bot could not get it.
        reason: where nothing is done with it, or no handler takes it.
    """

    notification: CallNotification | None
    raw: Any
    task: Task
    event: str | None
    reason: Reason


class TakeItems(NamedTuple):
    """The decision to take a POST here, item by item; what comes of it is ``Taken``.

    Attributes:
        not_before: ``nbf`` of the token, in epoch seconds: when the token became valid.
            The platform makes a token for each call, so the call is about as old.
    """

    tenant_id: str
    items: Sequence[Item]
    not_before: int

    @property
    def calls(self) -> Sequence[CallNotification]:
        """The incoming calls that are taken."""
        return [
            item.notification
            for item in self.items
            if item.task is Task.DECIDE and item.notification is not None
        ]

    @property
    def barred(self) -> Sequence[CallNotification]:
        """The incoming calls that a strict rule keeps out of this region."""
        return [
            item.notification
            for item in self.items
            if item.reason is Reason.REGION_REQUIRED and item.notification is not None
        ]

    @property
    def has_incoming(self) -> bool:
        """Tell whether there are any of both."""
        return bool(self.calls or self.barred)


class TakeJoining(NamedTuple):
    """The decision to let the bot or an instance reply to a joining participant.

    Attributes:
        body: the whole notification.
        call_id: ``None`` where it names no call.
    """

    tenant_id: str
    body: JsonObject
    call_id: str | None


def incoming_task(rule: RegionRule, context: RuleContext) -> tuple[Task, Reason]:
    """Tell what is to be done with an incoming call that ``rule`` leaves here."""
    if not rule.allows(context.own_region):
        return Task.NOTHING, Reason.REGION_REQUIRED
    if not context.answers_calls:
        task = Task.DELIVER if context.delivers else Task.NOTHING
        return task, Reason.ANSWERING_OFF
    return Task.DECIDE, Reason.ANSWERED


def assign(
    raw_items: Sequence[object],
    notifications: Sequence[CallNotification | None],
    incoming: Iterator[tuple[Task, Reason]] | None,
    context: RuleContext,
) -> list[Item]:
    """Tell what is to be done with each item of a POST.

    Args:
        raw_items: as sent.
        notifications: the same, as read.
        incoming: what is to be done with each incoming call; ``None`` on the callback
            route, where they are like any other item.
        context: what the settings say.
    """
    return [
        _assign(raw, notification, incoming, context)
        for raw, notification in zip(raw_items, notifications, strict=True)
    ]


def _assign(
    raw: object,
    notification: CallNotification | None,
    incoming: Iterator[tuple[Task, Reason]] | None,
    context: RuleContext,
) -> Item:
    is_callback = incoming is None
    if notification is None or not isinstance(raw, dict):
        # On the callback route the route alone says whose it is.
        task = Task.DELIVER if is_callback and context.delivers else Task.NOTHING
        return Item(None, raw, task, None, Reason.UNREADABLE_ITEM)
    if notification.is_incoming_call and incoming is not None:
        task, reason = next(incoming)
        event = Incoming.name if reason is not Reason.REGION_REQUIRED else None
        return Item(notification, raw, task, event, reason)
    told_as = event_type(raw, notification, takes_incoming=False)
    task = Task.TELL if told_as in context.bot_events else Task.NOTHING
    reason = Reason.FOLLOW_UP
    if notification.is_incoming_call:
        reason = Reason.INCOMING_ON_CALLBACK
    elif context.delivers:
        task = Task.DELIVER
    return Item(notification, raw, task, told_as.name, reason)


def leave_undelivered(items: Sequence[Item]) -> list[Item]:
    """Deliver nothing, because the partition of the route is not listed."""
    return [
        item._replace(task=Task.NOTHING, reason=Reason.PARTITION_UNLISTED)
        if item.task is Task.DELIVER
        else item
        for item in items
    ]


def is_accepted(item: Item) -> bool:
    """Tell whether there is nothing to do with an item, nor anything to refuse."""
    return item.task is Task.NOTHING and item.reason is not Reason.REGION_REQUIRED


def reason_to_accept(items: Sequence[Item]) -> Reason:
    """Name the reason where there is nothing to do with any of these items."""
    if len(items) == 1:
        return items[0].reason
    reasons = {item.reason for item in items}
    for reason in (
        Reason.ANSWERING_OFF,
        Reason.PARTITION_UNLISTED,
        Reason.INCOMING_ON_CALLBACK,
    ):
        if reason in reasons:
            return reason
    return Reason.BATCH if items else Reason.EMPTY_BATCH


def reason_to_accept_joining(
    partition: str | None, context: RuleContext, facts: LogFacts
) -> Reason | None:
    """Name the reason where nobody is asked about who joins; ``None``: somebody is.

    With instances the partition of the route says whom to ask, else that of the call.
    """
    if context.delivers:
        if partition is None and facts.joining_call_id is None:
            return Reason.UNREADABLE_ITEM
        return Reason.PARTITION_UNLISTED if facts.is_unlisted else None
    is_bot_asked = ParticipantJoining in context.bot_events
    return None if is_bot_asked else Reason.PARTICIPANT_JOINING
