"""The running environment: everything together, and what can be done to it."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from shared.settings import read_settings
from tests.simulator.environment.calls import CallReport, PlacedCall, RetryPolicy
from tests.simulator.environment.description import EnvironmentFile, Rule
from tests.simulator.environment.events import (
    EventLog,
    NameResolved,
    RulesChanged,
)
from tests.simulator.environment.fault_switch import FaultSwitch
from tests.simulator.environment.places import CALLERS
from tests.simulator.environment.regions import Region
from tests.simulator.environment.settling import wait_until_well
from tests.simulator.environment.snapshot import snapshot_of
from tests.simulator.environment.traffic import Traffic
from tests.simulator.environment.transport import Timeouts, Transport
from tests.simulator.platform import notifications
from tests.simulator.platform.environment_platform import Platform
from tests.simulator.services.name_server import NameServer, free_port
from tests.simulator.services.resolver import Resolved, StubResolver
from tests.simulator.services.signing import ISSUER
from tests.simulator.services.traffic_manager import (
    Endpoint,
    Profile,
    TrafficManager,
)
from tests.simulator.world import TENANT_ID, OutsideWorld

_CALLS_AT_ONCE = 512
_HEALTHY_SECONDS = 60.0


class RulesError(Exception):
    """The regions would refuse these rules; ``problems`` are sentences."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the sentences."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldOptions:
    """How the world runs; the times of ``profile`` are the real ones.

    Attributes:
        settings: app settings of all regions that go before those of the file.
    """

    profile: Profile = field(default_factory=Profile)
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    settings: Mapping[str, str] = field(default_factory=dict)


class EnvironmentWorld:
    """All regions of an environment file, DNS, and the platform; a context manager."""

    def __init__(
        self, file: EnvironmentFile, options: WorldOptions | None = None
    ) -> None:
        """Plan the world; it starts with the ``with`` block."""
        self.file = file
        self.options = options or WorldOptions()
        self.events = EventLog()
        self.zone = file.zone
        self.callers = CALLERS
        tenants = file.settings.get("CALLING_TENANTS", "")
        tenant_id = tenants.split(",")[0].strip().lower() or TENANT_ID
        self.outside = OutsideWorld(tenant_id=tenant_id)
        addresses = [f"127.0.1.{n}" for n, _ in enumerate(file.regions, start=1)]
        self.port = free_port(addresses)
        self.global_host = f"{file.global_name}:{self.port}"
        self.webhook = f"https://{self.global_host}/api/calls"
        self.regions = {
            entry.code: self._plan_region(entry.code, entry.location, address)
            for entry, address in zip(file.regions, addresses, strict=True)
        }
        self._endpoints = [
            Endpoint(
                code=entry.code,
                location=entry.location,
                address=self.regions[entry.code].address,
                port=self.port,
                is_enabled=entry.is_enabled,
            )
            for entry in file.regions
        ]
        self._rules = {code: tuple(file.rules) for code in self.regions}
        self._overrides: dict[str, Mapping[str, str]] = {}
        self._changing = threading.RLock()
        self._stack = ExitStack()
        self._pending: set[Future[CallReport]] = set()
        self._calls = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="call")
        self._code_by_address = {r.address: r.code for r in self.regions.values()}
        self._code_by_host = {r.host: r.code for r in self.regions.values()}
        self.traffic_manager = TrafficManager(
            self._endpoints,
            global_name=file.global_name,
            profile=self.options.profile,
            events=self.events,
        )
        self.name_server = NameServer(
            zone=file.zone,
            global_name=file.global_name,
            endpoints=self._endpoints,
            traffic_manager=self.traffic_manager,
            events=self.events,
        )
        self._faults = FaultSwitch(self)
        self.platform: Platform
        self.traffic: Traffic
        self._transport: Transport

    def __enter__(self) -> Self:
        """Start everything, and wait until Traffic Manager has seen all regions."""
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.close()

    def close(self) -> None:
        """Stop everything: traffic, calls, regions, servers; then end the events."""
        self._stack.close()
        self.events.close()

    @property
    def dns(self) -> str:
        """``address:port`` of the name server."""
        host, port = self.name_server.address
        return f"{host}:{port}"

    @property
    def rules(self) -> Sequence[Rule]:
        """The region rules of all regions (of the first, where they differ)."""
        return next(iter(self._rules.values()))

    @property
    def active_faults(self) -> list[tuple[str, str | None]]:
        """The faults that are on, each with its region or None."""
        return self._faults.active

    @property
    def is_answering(self) -> bool:
        """Whether every region's process runs."""
        return all(region.state == "running" for region in self.regions.values())

    def place_call(
        self, call: PlacedCall | str = "amsterdam", **members: Any
    ) -> Future[CallReport]:
        """Place a call, such as ``place_call("singapore", starts_legacy=True)``.

        Args:
            call: what to place, or the caller's key.
            members: of ``PlacedCall``, where ``call`` is a key.
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
        """Place no more."""
        self.traffic.stop()

    def inject(self, fault: str, region: str | None = None) -> bool:
        """Turn a fault of ``faults.FAULTS`` on; tell whether it was off.

        Raises:
            KeyError: there is no such fault or region.
            ValueError: a region is missing, or one too many.
        """
        return self._faults.inject(fault, region)

    def heal(self, fault: str, region: str | None = None) -> bool:
        """Turn a fault off; tell whether it was on. Raises as ``inject``."""
        return self._faults.heal(fault, region)

    def heal_all(self) -> None:
        """Turn off whatever is on."""
        self._faults.heal_all()

    def settings_of(
        self, code: str, rules: Sequence[Rule] | None = None
    ) -> dict[str, str]:
        """Return the app settings of a region, with other rules if they are given."""
        file = self.file.app_settings(
            code,
            port=self.port,
            rules=self._rules[code] if rules is None else rules,
        )
        outside = self.outside.settings(
            CALLING_ISSUERS=ISSUER, CALLING_CREDENTIAL="managed-identity"
        )
        override = self._overrides.get(code, {})
        return {**file, **outside, **self.options.settings, **override}

    def set_rules(self, rules: Sequence[Rule], region: str | None = None) -> None:
        """Give all regions, or one, other rules: a restart each, one after another.

        Raises:
            RulesError: they would be refused; nothing has changed.
            KeyError: there is no such region.
        """
        codes = list(self.regions) if region is None else [region]
        report = read_settings(self.settings_of(codes[0], rules))
        if report.problems:
            raise RulesError(report.problems)
        with self._changing:
            for code in codes:
                self._rules[code] = tuple(rules)
                if self.regions[code].state == "running":
                    self.restart_region(code)
        self.events.append(RulesChanged(region=region, rules=list(rules)))

    def wait_until_well(self, timeout_seconds: float) -> list[str]:
        """Wait until all running regions are found well by Traffic Manager and peers.

        Returns what is still missing when the time is up, empty if nothing.
        """
        running = [r.code for r in self.regions.values() if r.state == "running"]
        statuses = self.traffic_manager.statuses()
        named = {
            code: {peer for rule in self._rules[code] for peer in rule["regions"]}
            & set(running)
            for code in running
        }
        return wait_until_well(
            self.events,
            [code for code in running if statuses[code] != "disabled"],
            {code: sorted(peers) for code, peers in named.items()},
            timeout_seconds=timeout_seconds,
        )

    def start_region(self, code: str) -> None:
        """Start a region that is stopped."""
        self.regions[code].start(self.settings_of(code), dns=self.dns)

    def restart_region(self, code: str) -> None:
        """Stop a region in good order and start it with its settings as they are."""
        self.regions[code].restart(self.settings_of(code), dns=self.dns)

    def override_settings(self, code: str, settings: Mapping[str, str]) -> None:
        """Restart a region with some settings of its own."""
        self._overrides[code] = settings
        self.restart_region(code)

    def region_of_host(self, url: str) -> str | None:
        """Return the region that a URL names; None for the global host and others."""
        return self._code_by_host.get(urlsplit(url).netloc)

    def region_of_address(self, address: str) -> str | None:
        """Return the region that listens on an address."""
        return self._code_by_address.get(address)

    def snapshot(self) -> dict[str, Any]:
        """Return the state for a page that opens now; JSON can carry it."""
        return snapshot_of(self)

    def _plan_region(self, code: str, location: str, address: str) -> Region:
        name = self.file.host_name(code)
        authority = self.outside.authority
        return Region(
            code=code,
            location=location,
            address=address,
            host=f"{name}:{self.port}",
            certificate=authority.issue(name, self.file.global_name),
            events=self.events,
        )

    def _start(self) -> None:
        stack = self._stack
        stack.enter_context(self.outside)
        stack.enter_context(self.name_server)
        self._transport = transport = Transport(
            StubResolver(self.name_server.address),
            self.outside.authority.client_context(),
            self._note_resolved,
        )
        self.platform = Platform(
            webhook=self.webhook,
            transport=transport,
            tokens=self.outside.tokens,
            graph=self.outside.graph,
            events=self.events,
            region_of_host=self.region_of_host,
            region_of_address=self.region_of_address,
            retries=self.options.retries,
        )
        self.traffic = Traffic(
            place=self.place_call,
            transport=transport,
            tokens=self.outside.tokens,
            webhook=self.webhook,
            events=self.events,
        )
        stack.callback(self._calls.shutdown, cancel_futures=True)
        for region in self.regions.values():
            stack.callback(region.kill)
        with ThreadPoolExecutor(len(self.regions)) as starters:
            list(starters.map(self._start_cold, self.regions.values()))
            list(starters.map(self._let_answer, self.regions.values()))
        # Ended before the regions, or their end would look like a fault.
        stack.enter_context(self.traffic_manager)
        stack.callback(self.platform.stop)
        stack.callback(self.traffic.close)
        missing = self.wait_until_well(_HEALTHY_SECONDS)
        if missing:
            message = f"not well after {_HEALTHY_SECONDS:.0f} s: {', '.join(missing)}"
            raise RuntimeError(message)

    def _start_cold(self, region: Region) -> None:
        """Start a region without its warm-up, which would look for the others."""
        settings = self.settings_of(region.code)
        region.start(settings, dns=self.dns, warms_up=False)

    def _let_answer(self, region: Region) -> None:
        """Let a region answer a call of nobody, so that the first real one is as any.

        The mark of a redirect keeps the call there, whatever the rules say.
        """
        deadline = time.monotonic() + _HEALTHY_SECONDS
        while True:
            call = self.platform.call_of(PlacedCall())
            self.outside.graph.ring(call.call_id, call.tenant_id)
            reply = self._transport.post(
                f"https://{region.host}/api/calls?hop=1",
                json.dumps(notifications.incoming(call, self.webhook)).encode(),
                {"Authorization": f"Bearer {self.outside.tokens.mint()}"},
                source="127.0.0.1",
                timeouts=Timeouts(_HEALTHY_SECONDS, _HEALTHY_SECONDS),
            )
            if reply.status == HTTPStatus.ACCEPTED:
                return
            # On a busy machine the first keys come later than a call waits for them.
            if time.monotonic() > deadline:
                message = f"region {region.code}: {reply.status or reply.error}"
                raise RuntimeError(message)

    def _note_resolved(
        self, call_id: str, name: str, resolved: Resolved | None
    ) -> None:
        if not call_id:
            return
        address = resolved.addresses[0] if resolved else None
        self.events.append(
            NameResolved(
                call_id=call_id,
                name=name,
                address=address,
                region=self.region_of_address(address) if address else None,
                is_cached=bool(resolved and resolved.is_cached),
            )
        )
