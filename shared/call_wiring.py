"""What takes calls and their events, made as the settings say; opened later."""

import time
from functools import partial
from typing import NamedTuple

from shared.core.answering_health import Answering, AnsweringHealth
from shared.core.bot import Bot
from shared.core.partitions import build_callback_uri
from shared.edge.answering import CallAnswering
from shared.edge.blob_store import BlobStore
from shared.edge.call_control import PLACES, PLACES_PER_TENANT, CallControl
from shared.edge.call_memory import CallMemory
from shared.edge.delivery_tokens import DeliveryTokens
from shared.edge.dispatcher import Dispatcher
from shared.edge.entra import EntraClient
from shared.edge.event_runs import EventRuns
from shared.edge.follow_ups import FollowUps
from shared.edge.forwarding import Forwarding
from shared.edge.graph import GraphClient
from shared.edge.graph_tokens import GraphTokens
from shared.edge.handler_runs import HandlerRuns
from shared.edge.identity_tokens import IdentityClient, IdentityTokens
from shared.edge.instances import InstanceClient
from shared.edge.state_store import MemoryStore
from shared.edge.turns import Turns
from shared.settings import Settings


class Calls(NamedTuple):
    """What takes calls and their events.

    Attributes:
        forwarding: delivers to instances; ``None`` where there are none.
        controls: one for incoming calls, and one for all that follows, so that neither
            keeps the other from its places.
        identity: acquires the managed identity's own tokens; ``None`` where neither
            the store nor an instance takes them.
    """

    settings: Settings
    graph: GraphClient
    entra: EntraClient
    dispatcher: Dispatcher
    answering: CallAnswering
    health: AnsweringHealth
    forwarding: Forwarding | None
    controls: tuple[CallControl, ...]
    store: MemoryStore | BlobStore
    identity: IdentityClient | None

    def answering_now(self) -> Answering:
        """Tell whether new calls can be answered: here, or by instances."""
        if self.settings.answer:
            return self.health.current()
        forwarding = self.forwarding
        is_failing = forwarding is not None and forwarding.are_all_passed_over
        return "failing" if is_failing else "unknown"

    def load(self) -> None:
        """Open what the first event would have to wait for. Blocking, for threads."""
        if self.settings.answer:
            self.graph.load()
            self.entra.load()
        if self.identity is not None:
            self.identity.load()
        self.store.load()

    def close(self) -> None:
        """End threads and sessions."""
        for control in self.controls:
            control.close()
        if self.forwarding is not None:
            self.forwarding.close()
        self.store.close()
        self.graph.close()
        self.entra.close()
        if self.identity is not None:
            self.identity.close()


def calls(settings: Settings, bot: Bot) -> Calls:
    """Make what takes calls and their events."""
    graph, entra = _graph(settings), _entra(settings)
    # A bot of one tenant has no others to share with.
    is_for_one = len(settings.tenants) == 1
    per_tenant = PLACES if is_for_one else PLACES_PER_TENANT
    tokens = GraphTokens(entra)
    for_incoming, for_events = (
        CallControl(graph, tokens, places_per_tenant=per_tenant) for _ in range(2)
    )
    turns = Turns()
    identity = _identity(settings)
    identity_tokens = None if identity is None else IdentityTokens(identity)
    store = _state_store(settings, identity_tokens)
    health = AnsweringHealth(time.monotonic)
    runs = EventRuns(HandlerRuns(), CallMemory(store))
    forwarding = _forwarding(settings, for_events, identity_tokens)
    answering = CallAnswering(
        bot,
        runs,
        for_incoming,
        turns,
        health,
        callback_uri_for=partial(_callback_uri, settings),
    )
    follow_ups = FollowUps(bot, runs, for_events, turns)
    dispatcher = Dispatcher(
        bot, runs, answering, follow_ups, forwarding, settings.partitions
    )
    return Calls(
        settings,
        graph,
        entra,
        dispatcher,
        answering,
        health,
        forwarding,
        (for_incoming, for_events),
        store,
        identity,
    )


def _graph(settings: Settings) -> GraphClient:
    """Make the client of Graph."""
    return GraphClient(
        graph_url=settings.graph_url,
        ca_bundle=settings.ca_bundle,
        connections=2 * PLACES,
    )


def _entra(settings: Settings) -> EntraClient:
    """Make the client of Entra."""
    return EntraClient(
        settings.credential, graph_url=settings.graph_url, ca_bundle=settings.ca_bundle
    )


def _identity(settings: Settings) -> IdentityClient | None:
    """Make what acquires the managed identity's own tokens, if anybody takes them."""
    if not _keeps_blobs(settings) and not settings.delivery.audience:
        return None
    client_id = settings.credential.identity_client_id
    return IdentityClient(client_id, ca_bundle=settings.ca_bundle)


def _keeps_blobs(settings: Settings) -> bool:
    """Tell whether the bot's memory is in Blob Storage: only handlers need it."""
    return bool(settings.state_url) and settings.answer


def _forwarding(
    settings: Settings, control: CallControl, tokens: IdentityTokens | None
) -> Forwarding | None:
    """Make what delivers to instances, if there are any."""
    delivery = settings.delivery
    if not delivery.instances:
        return None
    return Forwarding(
        {
            name: InstanceClient(instance, ca_bundle=settings.ca_bundle)
            for name, instance in delivery.instances.items()
        },
        control,
        callback_host=settings.callback_host,
        tokens=DeliveryTokens(tokens, delivery.audience),
        answers_calls=settings.answer,
    )


def _callback_uri(settings: Settings, partition: str) -> str:
    """Build the callbackUri of a new call: ours, or with ``direct`` its instance's."""
    if settings.delivery.is_direct:
        return settings.delivery.instances[partition].url
    return build_callback_uri(settings.callback_host, partition)


def _state_store(
    settings: Settings, tokens: IdentityTokens | None
) -> MemoryStore | BlobStore:
    """Make what keeps what the bot remembers of calls."""
    if tokens is None or not _keeps_blobs(settings):
        return MemoryStore()
    return BlobStore(settings.state_url, tokens=tokens, ca_bundle=settings.ca_bundle)
