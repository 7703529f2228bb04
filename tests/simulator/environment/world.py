"""The running environment: everything together, and what can be done to it."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.environment import Environment, Rule
from tests.localhost.bot_file import NO_HANDLERS
from tests.simulator.environment.fault_switch import FaultSwitch
from tests.simulator.environment.regions import Region
from tests.simulator.environment.rollout import Rollout
from tests.simulator.environment.settling import failed_regions, wait_until_healthy
from tests.simulator.environment.snapshot import snapshot_of
from tests.simulator.environment.traffic import Traffic
from tests.simulator.platform import notifications
from tests.simulator.platform.callers import CALLERS, location_of
from tests.simulator.platform.calls import CallReport, PlacedCall, RetryPolicy
from tests.simulator.platform.journal import Journal
from tests.simulator.platform.platform import CallingPlatform
from tests.simulator.platform.steps import Steps
from tests.simulator.platform.transport import Transport
from tests.simulator.services.blob_store import BlobStorage
from tests.simulator.services.name_server import NameServer
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.ports import free_port
from tests.simulator.services.resolver import StubResolver
from tests.simulator.services.signing import TENANT_ID
from tests.simulator.services.traffic_manager import (
    Endpoint,
    Profile,
    TrafficManager,
)
from tests.support.running import Running

_CALLS_AT_ONCE = 512
_START_SECONDS = 60.0
# Regions look at their peers with the first probes, and tell of it with later ones.
_FIRST_PROBE_SECONDS = 0.5
_NEXT_PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldOptions:
    """How the world runs; the times of ``profile`` are the real ones.

    Attributes:
        settings: app settings of all regions; they win over those of the file.
        variables: what a bot reads from its environment beside them.
        bot: file of the bot in every region.
        remembers: whether the regions keep what calls remember in ``World.storage``.
        journal_entries: how many of the latest the journal keeps.
    """

    profile: Profile = field(default_factory=Profile)
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    settings: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    bot: Path = NO_HANDLERS
    remembers: bool = False
    journal_entries: int = 300_000


class World(Running):
    """All regions of an environment file, DNS, and the calling platform."""

    def __init__(self, file: Environment, options: WorldOptions | None = None) -> None:
        """Plan the world; it starts with the ``with`` block."""
        self.file = file
        self.options = options or WorldOptions()
        self.journal = Journal(self.options.journal_entries)
        self.zone = file.zone
        self.callers = CALLERS
        tenants = file.settings.get("CALLING_TENANTS", "")
        tenant_id = tenants.split(",")[0].strip().lower() or TENANT_ID
        self.neighbours = Neighbours(tenant_id=tenant_id)
        addresses = [f"127.0.1.{n}" for n, _ in enumerate(file.regions, start=1)]
        self.port = free_port(*addresses)
        self.global_host = f"{file.global_name}:{self.port}"
        self.webhook = f"https://{self.global_host}/api/calls"
        self.regions = {
            entry.code: self._plan_region(entry.code, entry.location, address)
            for entry, address in zip(file.regions, addresses, strict=True)
        }
        authority, entra = self.neighbours.authority, self.neighbours.entra
        self.storage = BlobStorage(authority.certificate, entra)
        self._rollout = Rollout(
            file,
            self.regions,
            self.neighbours,
            self.journal,
            settings=self.options.settings,
            variables=self.options.variables,
        )
        endpoints = [
            Endpoint(
                code=entry.code,
                location=entry.location,
                address=self.regions[entry.code].address,
                port=self.port,
                is_enabled=entry.is_enabled,
            )
            for entry in file.regions
        ]
        self.traffic_manager = TrafficManager(
            endpoints,
            global_name=file.global_name,
            profile=self.options.profile,
            tell=self.journal.append,
        )
        self.name_server = NameServer(
            zone=file.zone,
            global_name=file.global_name,
            endpoints=endpoints,
            traffic_manager=self.traffic_manager,
            location_of=location_of,
            tell=self.journal.append,
        )
        self._code_by_address = {r.address: r.code for r in self.regions.values()}
        self._code_by_host = {r.host: r.code for r in self.regions.values()}
        self._pending: set[Future[CallReport]] = set()
        self._renewed = 0
        self._calls = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="call")
        self.platform: CallingPlatform
        self.traffic: Traffic
        self._faults: FaultSwitch

    def start(self, stack: ExitStack) -> None:
        """Start everything, and wait until Traffic Manager has seen all regions."""
        stack.callback(self.journal.close)
        stack.enter_context(self.neighbours)
        if self.options.remembers:
            stack.enter_context(self.storage)
            self._rollout.change_settings(
                {"CALLING_STATE_URL": self.storage.container_url}
            )
        stack.enter_context(self.name_server)
        self._rollout.dns = self.dns
        steps = self._connect()
        stack.callback(self._calls.shutdown, cancel_futures=True)
        for region in self.regions.values():
            stack.callback(region.kill)
        with ThreadPoolExecutor(len(self.regions)) as starters:
            list(starters.map(self._start_cold, self.regions))
            list(starters.map(lambda r: self._let_answer(steps, r), self.regions))
        # Stopped before the regions, or their end would look like a fault.
        stack.enter_context(self.traffic_manager)
        stack.callback(self.platform.stop)
        stack.callback(self.traffic.close)
        missing = self._probe_until_healthy(_START_SECONDS)
        if missing:
            message = f"not healthy after {_START_SECONDS:.0f} s: {', '.join(missing)}"
            raise RuntimeError(message)

    @property
    def dns(self) -> str:
        """``address:port`` of the name server."""
        host, port = self.name_server.address
        return f"{host}:{port}"

    @property
    def rules(self) -> Sequence[Rule]:
        """The region rules of all regions (of the first, if they differ)."""
        return next(iter(self._rollout.rules.values()))

    @property
    def active_faults(self) -> list[tuple[str, str | None]]:
        """The faults that are on, each with its region or None."""
        return self._faults.active

    def place_call(
        self, call: PlacedCall | str = "amsterdam", **members: Any
    ) -> Future[CallReport]:
        """Place a call, such as ``place_call("singapore", starts_legacy=True)``.

        Args:
            call: what to place, or the caller's key.
            members: of ``PlacedCall``, if ``call`` is a key.
        """
        placed = PlacedCall(caller=call, **members) if isinstance(call, str) else call
        future = self._calls.submit(self.platform.place, placed)
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return future

    def wait_for_calls(self, timeout_seconds: float) -> bool:
        """Wait until no call rings and no follow-up is due; tell whether it is so."""
        _done, still = wait(list(self._pending), timeout=timeout_seconds)
        return not still

    def start_traffic(
        self, calls_per_second: float, calls: Sequence[PlacedCall] | None = None
    ) -> None:
        """Place calls in turn at a steady rate; by default one of every caller."""
        self.traffic.start(calls_per_second, calls)

    def stop_traffic(self) -> None:
        """Place no more calls."""
        self.traffic.stop()

    def inject(self, fault: str, region: str | None = None) -> bool:
        """Turn a fault of ``faults.FAULTS`` on; tell whether it was off.

        Raises:
            KeyError: there is no such fault or region.
            ValueError: a region is missing, or given for a fault that affects all.
        """
        return self._faults.inject(fault, region)

    def heal(self, fault: str, region: str | None = None) -> bool:
        """Turn a fault off; tell whether it was on. Raises as ``inject``."""
        return self._faults.heal(fault, region)

    def heal_all(self) -> None:
        """Turn off all faults that are on."""
        self._faults.heal_all()

    def settings_of(
        self, code: str, rules: Sequence[Rule] | None = None
    ) -> dict[str, str]:
        """Return the app settings of a region, with other rules if they are given."""
        return self._rollout.settings_of(code, rules)

    def override(self, code: str, settings: Mapping[str, str]) -> None:
        """Restart a region with settings of its own; they win over all others."""
        self._rollout.override(code, settings)

    def set_rules(self, rules: Sequence[Rule], region: str | None = None) -> None:
        """Give all regions, or one, other rules: a restart each, one after another.

        Raises:
            RulesError: they would be refused; nothing has changed.
            KeyError: there is no such region.
        """
        self._rollout.set_rules(rules, region)

    def restart(self) -> None:
        """Restart all regions that run, at once: the bot's file may be another."""
        self._rollout.restart_all()

    def change_settings(self, settings: Mapping[str, str]) -> None:
        """Restart all regions that run with other settings; an empty one is none."""
        self._rollout.change_settings(settings)
        self.restart()

    def change_regional(self, settings: Mapping[str, Mapping[str, str]]) -> None:
        """Restart all regions that run with settings of their own, by code.

        They take the place of those that were given before.
        """
        self._rollout.change_regional(settings)
        self.restart()

    def wait_for_restart(self, timeout_seconds: float) -> bool:
        """Wait until all regions have restarted, if they do; tell whether they have."""
        return self._rollout.is_settled.wait(timeout_seconds)

    def wait_until_healthy(self, timeout_seconds: float) -> list[str]:
        """Wait until Traffic Manager and peers find all running regions healthy.

        Returns what is still missing when the time is up, empty if nothing.
        """
        running = [r.code for r in self.regions.values() if r.state == "running"]
        statuses = self.traffic_manager.statuses()
        return wait_until_healthy(
            self.journal,
            [code for code in running if statuses[code] != "disabled"],
            {
                code: sorted(self._rollout.rules_name(code) & set(running))
                for code in running
            },
            timeout_seconds=timeout_seconds,
        )

    def renew(self, timeout_seconds: float) -> list[str]:
        """Heal everything, and let nothing remain of what went wrong.

        A region whose calls ended badly would send its calls away for a minute and
        more: its process starts anew.

        Returns what is not healthy when the time is up, empty if nothing.
        """
        self.stop_traffic()
        self.heal_all()
        self.wait_for_calls(timeout_seconds)
        since, self._renewed = self._renewed, self.journal.next_number
        for code in failed_regions(self.journal.entries(since)):
            self._rollout.restart(code)
        return self._probe_until_healthy(timeout_seconds)

    def _probe_until_healthy(self, timeout_seconds: float) -> list[str]:
        """Wait as ``wait_until_healthy``, and do not wait for the next probes.

        What a region has found out about its peers it logs with the next request.
        """
        deadline = time.monotonic() + timeout_seconds
        pause_seconds = _FIRST_PROBE_SECONDS
        while missing := self.wait_until_healthy(pause_seconds):
            if time.monotonic() > deadline:
                break
            for code in {text.partition(" of ")[0] for text in missing}:
                self.traffic_manager.probe(code)
            pause_seconds = _NEXT_PROBE_SECONDS
        return missing

    def region_of_host(self, url: str) -> str | None:
        """Return the region that a URL names; None for the global host and others."""
        return self._code_by_host.get(urlsplit(url).netloc)

    def snapshot(self) -> dict[str, Any]:
        """Return the state for a page that opens now; JSON can carry it."""
        return snapshot_of(
            environment=self.file.name,
            zone=self.zone,
            global_host=self.global_host,
            regions=self.regions.values(),
            endpoints=self.traffic_manager.statuses(),
            active_faults=self.active_faults,
            rules=self.rules,
            calls_per_second=self.traffic.calls_per_second,
            number=self.journal.next_number,
        )

    def _plan_region(self, code: str, location: str, address: str) -> Region:
        name = self.file.host_name(code)
        authority = self.neighbours.authority
        return Region(
            code=code,
            location=location,
            address=address,
            host=f"{name}:{self.port}",
            certificate=authority.issue(name, self.file.global_name),
            journal=self.journal,
            bot=self.options.bot,
        )

    def _connect(self) -> Steps:
        """Make what needs the name server's address: platform, traffic, faults."""
        steps = Steps(
            transport=self._transport(),
            tokens=self.neighbours.tokens,
            journal=self.journal,
            region_of_host=self.region_of_host,
            region_of_address=self._code_by_address.get,
        )
        self.platform = CallingPlatform(
            webhook=self.webhook,
            steps=steps,
            graph=self.neighbours.graph,
            retries=self.options.retries,
        )
        self.traffic = Traffic(place=self.place_call, steps=steps, webhook=self.webhook)
        self._faults = FaultSwitch(
            rollout=self._rollout,
            traffic_manager=self.traffic_manager,
            neighbours=self.neighbours,
            traffic=self.traffic,
            journal=self.journal,
        )
        return steps

    def _transport(self) -> Transport:
        resolver = StubResolver(self.name_server.address)
        return Transport(resolver, self.neighbours.authority.client_context())

    def _start_cold(self, code: str) -> None:
        """Start a region without its warm-up, which would look for the others."""
        self._rollout.start(code, warms_up=False)

    def _let_answer(self, steps: Steps, code: str) -> None:
        """Let a region answer a call of nobody, so that the first real one is as any.

        The mark of a redirect keeps the call there, whatever the rules say.
        """
        url = f"https://{self.regions[code].host}/api/calls?hop=1"
        deadline = time.monotonic() + _START_SECONDS
        while True:
            call = self.platform.call_of(PlacedCall())
            self.neighbours.graph.ring(call.call_id, call.tenant_id)
            reply = steps.notify(url, notifications.incoming(call, self.webhook))
            if reply.status == 202:
                return
            # On a busy machine the first keys come later than a call waits for them.
            if time.monotonic() > deadline:
                message = f"region {code}: {reply.status or reply.error}"
                raise RuntimeError(message)
