"""Deliveries to instances: each gets what belongs to its calls, at once when it comes.

Nothing is remembered: what comes again is delivered again. The platform gets its reply
only after the instance's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from shared.core.attempts import FOLLOW_UP_BUDGET_SECONDS
from shared.core.call_records import CallKey
from shared.core.deliveries import (
    Delivery,
    DeliveryOutcome,
    InstanceReply,
    Unreached,
    body_of,
    headers_of,
    is_final,
    pause_seconds,
    reason_of,
)
from shared.core.instance_actions import (
    IllFormedActionsError,
    read_actions,
    read_join_reply,
)
from shared.core.instances import open_partitions
from shared.core.outcomes import ItemOutcome, Taken
from shared.core.partitions import choose_partition
from shared.core.reasons import Reason
from shared.core.strict_json import read_object
from shared.edge.instances import InstanceClient, NoPlaceError
from shared.edge.telemetry import log_event
from shared.edge.token_client import CredentialError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.core.deliveries import DeliveryResult
    from shared.core.items import Item, TakeJoining
    from shared.core.webhook import WebhookRequest
    from shared.edge.call_control import CallControl
    from shared.edge.delivery_tokens import DeliveryTokens


class Forwarding:
    """Delivers to instances. For one event loop."""

    def __init__(
        self,
        clients: Mapping[str, InstanceClient],
        control: CallControl,
        *,
        callback_host: str,
        tokens: DeliveryTokens,
        answers_calls: bool,
    ) -> None:
        """Deliver to ``clients``, by partition.

        Args:
            clients: of the instances.
            control: carries out what instances ask for.
            callback_host: our own.
            tokens: tell instances who a delivery is from.
            answers_calls: Graph may be asked for something.
        """
        self._clients = clients
        self._control = control
        self._callback_host = callback_host
        self._tokens = tokens
        self._answers_calls = answers_calls

    def close(self) -> None:
        """Close the sessions."""
        for client in self._clients.values():
            client.close()

    def partition_for_new_call(self, call_id: str) -> str:
        """Choose among the partitions that take new calls now."""
        instances = {name: each.instance for name, each in self._clients.items()}
        return choose_partition(call_id, open_partitions(instances, self.passed_over))

    @property
    def passed_over(self) -> list[str]:
        """The partitions that new calls pass over now."""
        return [
            name for name, each in self._clients.items() if each.health.is_passed_over
        ]

    @property
    def are_all_passed_over(self) -> bool:
        """Tell whether new calls pass over every partition that would take them."""
        taking = [
            each.health.is_passed_over
            for each in self._clients.values()
            if not each.instance.is_draining
        ]
        return all(taking)

    def partition_of(self, item: Item, request: WebhookRequest) -> str:
        """Return the partition of an item: the route's, else that of its call."""
        if request.partition is not None or item.notification is None:
            return request.partition or ""
        call_id = item.notification.call_id
        if item.notification.is_incoming_call:
            return self.partition_for_new_call(call_id)
        return choose_partition(call_id, [*self._clients])

    async def deliver_items(
        self,
        partition: str,
        items: Sequence[Item],
        request: WebhookRequest,
        *,
        tenant_id: str,
        is_part: bool,
    ) -> list[ItemOutcome]:
        """Deliver some items of a POST, or the POST as it came; an outcome for each."""
        calls = [item.notification for item in items if item.notification]
        raw = [item.raw for item in items]
        delivery = Delivery(
            partition,
            self._clients[partition].instance.url,
            body_of(raw, read_object(request.body)) if is_part else request.body,
            tenant_id,
            calls[0].call_id if calls else "",
            is_part=is_part,
            has_incoming=any(call.is_incoming_call for call in calls),
            is_urgent=any(
                call.is_incoming_call and call.is_policy_recording for call in calls
            ),
        )
        ended = await self._deliver(delivery, request)
        call_ids = {call.call_id.lower() for call in calls}
        acted = await self._act(delivery, call_ids, ended, request)
        if acted is not None:
            return [acted] * len(items)
        return [
            ItemOutcome(
                reason_of(
                    ended.result,
                    is_incoming=item.notification is not None
                    and item.notification.is_incoming_call,
                ),
                delivery=ended,
            )
            for item in items
        ]

    async def deliver_joining(
        self, decision: TakeJoining, request: WebhookRequest
    ) -> Taken:
        """Deliver a participant who joins, and pass on what the instance replies."""
        call_id = decision.call_id or ""
        partition = request.partition or choose_partition(call_id, [*self._clients])
        delivery = Delivery(
            partition,
            self._clients[partition].instance.url,
            request.body,
            decision.tenant_id,
            call_id,
            is_joining=True,
        )
        ended = await self._deliver(delivery, request)
        outcome = ItemOutcome(
            reason_of(ended.result, is_incoming=False), delivery=ended
        )
        if outcome.reason is not Reason.DELIVERED:
            return Taken([outcome])
        if ended.reply is None or ended.reply.asks_for_actions:
            return Taken([outcome._replace(reason=Reason.BOT_FAILED)])
        return Taken([outcome], join_reply=read_join_reply(ended.reply.body))

    async def _act(
        self,
        delivery: Delivery,
        call_ids: set[str],
        ended: DeliveryOutcome,
        request: WebhookRequest,
    ) -> ItemOutcome | None:
        """Carry out what the instance asks for; ``None`` if it asks for nothing."""
        reason = reason_of(ended.result, is_incoming=False)
        reply = ended.reply
        if reason is not Reason.DELIVERED or not reply or not reply.asks_for_actions:
            return None
        try:
            actions = read_actions(reply.body)
        except IllFormedActionsError as error:
            fault = {"type": type(error).__name__, "detail": str(error)}
            return ItemOutcome(Reason.BOT_FAILED, failure=fault, delivery=ended)
        if len(call_ids) != 1 or delivery.has_incoming or not self._answers_calls:
            fault = {"detail": "actions are for one call that is up."}
            return ItemOutcome(Reason.BOT_FAILED, failure=fault, delivery=ended)
        key = CallKey(delivery.tenant_id, delivery.call_id)
        ends_at = request.received_at + FOLLOW_UP_BUDGET_SECONDS
        done = await self._control.carry_out_all(key, actions, ends_at=ends_at)
        reason = done[-1].reason
        is_done = reason is Reason.HANDLED
        return ItemOutcome(
            Reason.DELIVERED if is_done else reason, done, delivery=ended
        )

    async def _deliver(
        self, delivery: Delivery, request: WebhookRequest
    ) -> DeliveryOutcome:
        client = self._clients[delivery.partition]
        was_passed_over = client.health.is_passed_over
        try:
            with client.place():
                ended = await self._try(client, delivery, request)
        except NoPlaceError:
            return DeliveryOutcome(delivery.partition)
        self._judge(client, delivery, ended.result)
        if client.health.is_passed_over and not was_passed_over:
            log_event(
                logging.WARNING, "instance.passed-over", instance=delivery.partition
            )
        return ended

    async def _try(
        self, client: InstanceClient, delivery: Delivery, request: WebhookRequest
    ) -> DeliveryOutcome:
        """Try until the instance's reply is final, or the time is used up."""
        ends_at = request.received_at + delivery.budget_seconds
        began = time.monotonic()
        attempts = pauses = 0
        last: DeliveryResult | None = None
        while time.monotonic() < ends_at:
            last = await self._attempt(client, delivery, request, ends_at)
            attempts += last is not Unreached.NO_TOKEN
            if is_final(last):
                break
            pause = pause_seconds(pauses, last)
            pauses += 1
            if time.monotonic() + pause >= ends_at:
                break
            await asyncio.sleep(pause)
        took = round((time.monotonic() - began) * 1000, 1)
        return DeliveryOutcome(
            delivery.partition, last, attempts, took if attempts else None
        )

    async def _attempt(
        self,
        client: InstanceClient,
        delivery: Delivery,
        request: WebhookRequest,
        ends_at: float,
    ) -> DeliveryResult:
        try:
            authorization = await self._tokens.authorization(request, ends_at=ends_at)
        except CredentialError:
            return Unreached.NO_TOKEN
        headers = headers_of(
            delivery,
            request,
            callback_host=self._callback_host,
            arrived_at=time.time() - (time.monotonic() - request.received_at),
            authorization=authorization,
        )
        result = await client.post(delivery.body, headers, ends_at=ends_at)
        if isinstance(result, InstanceReply):
            self._tokens.note_status(result.status, authorization)
        return result

    def _judge(
        self, client: InstanceClient, delivery: Delivery, result: DeliveryResult | None
    ) -> None:
        """Take in how a delivery ended; want of a token says nothing of an instance."""
        reason = reason_of(result, is_incoming=delivery.has_incoming)
        if result is None or reason is Reason.CREDENTIAL_UNAVAILABLE:
            return
        is_failure = reason is Reason.DELIVERY_UNAVAILABLE
        if delivery.has_incoming:
            is_failure = reason is not Reason.DELIVERED
        if is_failure:
            client.health.note_failure()
        else:
            client.health.note_success()
