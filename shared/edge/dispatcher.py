"""The dispatcher: gives each item of a POST to what handles it.

Incoming calls go to ``answering``, all other events to ``follow_ups``, and what belongs
to instances to ``forwarding``. The items of one call are handled in their order,
different calls at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from itertools import starmap
from typing import TYPE_CHECKING, Any

from shared.core.attempts import FOLLOW_UP_BUDGET_SECONDS, KEPT_FOR_GRAPH_SECONDS
from shared.core.call_records import CallKey
from shared.core.defects import describe_defect
from shared.core.event_types import Call, Incoming
from shared.core.events import read_event, read_joining
from shared.core.items import Task
from shared.core.outcomes import ItemOutcome, Taken
from shared.core.partitions import choose_partition
from shared.core.reasons import Reason
from shared.core.webhook import Correlation

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence

    from shared.core.bot import Bot
    from shared.core.items import Item, TakeItems, TakeJoining
    from shared.core.webhook import WebhookRequest
    from shared.edge.answering import CallAnswering
    from shared.edge.event_runs import EventRuns
    from shared.edge.follow_ups import FollowUps
    from shared.edge.forwarding import Forwarding

    # Outcomes by the places of their items in the POST.
    type Ended = dict[int, ItemOutcome]

JOINING_HANDLER_SECONDS = 3.0


class Dispatcher:
    """Takes what is decided to be taken here. For one event loop."""

    def __init__(
        self,
        bot: Bot,
        runs: EventRuns,
        answering: CallAnswering,
        follow_ups: FollowUps,
        forwarding: Forwarding | None,
        partitions: Sequence[str],
    ) -> None:
        """Hand on to ``answering``, ``follow_ups`` and, if any, ``forwarding``."""
        self._bot = bot
        self._runs = runs
        self._answering = answering
        self._follow_ups = follow_ups
        self._forwarding = forwarding
        self._partitions = partitions

    async def take(self, decision: TakeItems, request: WebhookRequest) -> Taken:
        """Take the items of a POST."""
        items = decision.items
        if len(items) == 1 and items[0].task is not Task.DELIVER:
            outcomes = [await self._take(items[0], decision, request)]
            return Taken(outcomes, decision.has_incoming)
        ended: dict[int, ItemOutcome] = {}
        await asyncio.gather(
            *self._in_order(decision, request, ended),
            *self._deliveries(decision, request, ended),
        )
        outcomes = [ended[place] for place in range(len(items))]
        return Taken(outcomes, decision.has_incoming)

    def _in_order(
        self, decision: TakeItems, request: WebhookRequest, ended: Ended
    ) -> Iterator[Coroutine[Any, Any, None]]:
        """Handle what is not delivered: the items of one call in their order."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, item in enumerate(decision.items):
            if item.task is not Task.DELIVER:
                call = item.notification
                places[call.call_id.lower() if call else ""].append(place)

        async def take(of_one_call: Sequence[int]) -> None:
            for place in of_one_call:
                item = decision.items[place]
                ended[place] = await self._take(item, decision, request)

        return map(take, places.values())

    def _deliveries(
        self, decision: TakeItems, request: WebhookRequest, ended: Ended
    ) -> Iterator[Coroutine[Any, Any, None]]:
        """Deliver the rest, to all instances at once."""
        forwarding = self._forwarding
        if forwarding is None:
            return iter(())
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, item in enumerate(decision.items):
            if item.task is Task.DELIVER:
                places[forwarding.partition_of(item, request)].append(place)

        async def deliver(partition: str, of_one: Sequence[int]) -> None:
            outcomes = await forwarding.deliver_items(
                partition,
                [decision.items[place] for place in of_one],
                request,
                tenant_id=decision.tenant_id,
                is_part=len(of_one) < len(decision.items),
            )
            ended.update(zip(of_one, outcomes, strict=True))

        return starmap(deliver, places.items())

    async def join(self, decision: TakeJoining, request: WebhookRequest) -> Taken:
        """Let the instance or the bot reply to a participant who joins."""
        if self._forwarding is not None:
            return await self._forwarding.deliver_joining(decision, request)
        call = self._call(decision.call_id or "", decision.tenant_id, request)
        event = read_joining(decision.body, call)
        handler = self._bot.handler_for(event)
        if handler is None:
            return Taken([ItemOutcome(Reason.PARTICIPANT_JOINING)])
        waits_end_at = (
            request.received_at + FOLLOW_UP_BUDGET_SECONDS - KEPT_FOR_GRAPH_SECONDS
        )
        ends_at = min(time.monotonic() + JOINING_HANDLER_SECONDS, waits_end_at)
        run = await self._runs.run_stateless(event, handler, ends_at=ends_at)
        if run.failure is not None:
            outcome = ItemOutcome(Reason.BOT_FAILED, failure=run.failure)
            return Taken([outcome])
        reply = run.actions[0].body if run.actions else None
        return Taken([ItemOutcome(Reason.HANDLED)], join_reply=reply)

    async def _take(
        self, item: Item, decision: TakeItems, request: WebhookRequest
    ) -> ItemOutcome:
        call, received_at = item.notification, request.received_at
        if item.task is Task.NOTHING or call is None:
            return ItemOutcome(item.reason)
        event = read_event(
            item.raw,
            call,
            self._call(
                call.call_id,
                decision.tenant_id,
                request,
                is_new=item.task is Task.DECIDE,
            ),
            takes_incoming=item.task is Task.DECIDE,
        )
        if isinstance(event, Incoming):
            return await self._answering.answer(
                call, event, received_at=received_at, not_before=decision.not_before
            )
        key = CallKey(decision.tenant_id, call.call_id)
        try:
            outcome = await self._follow_ups.handle(
                key, event, item.reason, received_at=received_at
            )
        # 503 would have the platform send it again, and prompts might play twice.
        except Exception as defect:  # noqa: BLE001 - whatever it is, it is ours
            failure = describe_defect(defect)
            return ItemOutcome(Reason.UNEXPECTED_ERROR, failure=failure)
        is_misdirected = item.reason is Reason.INCOMING_ON_CALLBACK
        if is_misdirected and outcome.reason is not item.reason:
            return outcome._replace(notes=outcome.notes | {item.reason})
        return outcome

    def _call(
        self,
        call_id: str,
        tenant_id: str,
        request: WebhookRequest,
        *,
        is_new: bool = False,
    ) -> Call:
        """Say which call it is, as bots are told."""
        return Call(
            id=call_id,
            tenant_id=tenant_id,
            partition=request.partition or self._choose(call_id, is_new=is_new),
            chain_id=Correlation.of(request.headers).chain_id or None,
        )

    def _choose(self, call_id: str, *, is_new: bool) -> str:
        """Choose a partition: a new call may pass over some that have instances."""
        if is_new and self._forwarding is not None:
            return self._forwarding.partition_for_new_call(call_id)
        return choose_partition(call_id, self._partitions)
