"""A world for the page in which nothing runs: its calls go where the rules say.

The events, callers, faults and Traffic Manager are those of the simulated environment;
the way of a call is what ``explain`` foretells, told as events with made-up times.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Any, Self

from tests.simulator.environment.events import (
    FaultHealed,
    FaultInjected,
    LogWritten,
    RegionChanged,
    RulesChanged,
    TrafficChanged,
)
from tests.simulator.environment.faults import FAULTS
from tests.simulator.environment.rollout import RulesError
from tests.simulator.environment.snapshot import snapshot_of
from tests.simulator.explain.environment import DEFAULT_FILE
from tests.simulator.explain.journey import Announcement, Journey, foretell
from tests.simulator.page.rules_text import rule_problems
from tests.simulator.platform import notifications
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.events import (
    CallEnded,
    CallPlaced,
    NameResolved,
    StepEnded,
    StepStarted,
)
from tests.simulator.platform.journal import Journal
from tests.simulator.platform.notifications import Call
from tests.simulator.services.name_server import DnsAnswered
from tests.simulator.services.neighbours import APP_ID, TENANT_ID
from tests.simulator.services.traffic_manager import (
    Endpoint,
    EndpointChanged,
    ProbeAnswered,
    Profile,
    TrafficManager,
)

REGIONS = {"weu": "westeurope", "eus2": "eastus2", "sea": "southeastasia"}
RULES: Sequence[Mapping[str, Any]] = json.loads(DEFAULT_FILE.read_text("utf-8"))[
    "rules"
]
_ZONE = "calls.contoso.com"
_PORT = 8443
_STATUSES = {"redirect": 302, "ask-for-graph": 204, "answer": 202, "accept": 202}


@dataclass(slots=True)
class ScriptedRegion:
    """A region by name."""

    code: str
    location: str
    address: str
    state: str = "running"

    @property
    def host(self) -> str:
        return f"{self.code}.{_ZONE}:{_PORT}"


class ScriptedWorld:
    """Carries out what the page asks for, at once and by script."""

    def __init__(self) -> None:
        """Start with all regions well."""
        self.journal = Journal()
        self.callers = CALLERS
        self.zone = _ZONE
        self.global_host = f"global.{_ZONE}:{_PORT}"
        self.webhook = f"https://{self.global_host}/api/calls"
        self.file = SimpleNamespace(name="prod")
        self.traffic = SimpleNamespace(calls_per_second=0.0)
        self.regions = {
            code: ScriptedRegion(code, location, f"127.0.1.{last}")
            for last, (code, location) in enumerate(REGIONS.items(), start=1)
        }
        self.rules_of: dict[str, Sequence[Mapping[str, Any]]] = dict.fromkeys(
            REGIONS, RULES
        )
        self.active_faults: list[tuple[str, str | None]] = []
        self._lock = threading.Lock()
        endpoints = [
            Endpoint(code=r.code, location=r.location, address=r.address, port=_PORT)
            for r in self.regions.values()
        ]
        self.traffic_manager = TrafficManager(
            endpoints,
            global_name=f"global.{_ZONE}",
            profile=Profile(),
            tell=self.journal.append,
        )
        for code in REGIONS:
            self.probe(code, 200)

    @property
    def name(self) -> str:
        return str(self.file.name)

    @property
    def rules(self) -> Sequence[Mapping[str, Any]]:
        return self.rules_of["weu"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.journal.close()

    def snapshot(self) -> dict[str, Any]:
        return snapshot_of(
            environment=self.name,
            zone=self.zone,
            global_host=self.global_host,
            regions=self.regions.values(),
            endpoints=self.traffic_manager.statuses(),
            active_faults=self.active_faults,
            rules=self.rules,
            calls_per_second=self.traffic.calls_per_second,
            number=self.journal.next_number,
        )

    def app_settings(self, region: str) -> Mapping[str, str]:
        return self.settings_of(region)

    def settings_of(
        self, code: str, rules: Sequence[Mapping[str, Any]] | None = None
    ) -> dict[str, str]:
        chosen = self.rules_of[code] if rules is None else rules
        return {
            "MicrosoftAppId": APP_ID,
            "CALLING_REGION": code,
            "CALLING_REGION_HOSTS": json.dumps(
                {r.code: r.host for r in self.regions.values()}
            ),
            "CALLING_REGION_RULES": json.dumps(list(chosen)),
        }

    def set_rules(
        self, rules: Sequence[Mapping[str, Any]], region: str | None = None
    ) -> None:
        problems = rule_problems(self.settings_of("weu", rules))
        if problems:
            raise RulesError(problems)
        for code in REGIONS if region is None else [region]:
            self.rules_of[code] = list(rules)
        self.journal.append(RulesChanged(region=region, rules=list(rules)))

    def start_traffic(self, calls_per_second: float) -> None:
        self.traffic.calls_per_second = calls_per_second
        self._tell_traffic()

    def stop_traffic(self) -> None:
        self.traffic.calls_per_second = 0.0
        self._tell_traffic()

    def _tell_traffic(self) -> None:
        rate = self.traffic.calls_per_second
        self.journal.append(
            TrafficChanged(calls_per_second=rate, forged_per_second=0.0)
        )

    def probe(self, code: str, status: int | None) -> None:
        """Tell of a probe."""
        error = None if status else "connection-refused"
        self.journal.append(
            ProbeAnswered(region=code, status=status, error=error, took_seconds=0.012)
        )

    def inject(self, fault: str, region: str | None = None) -> bool:
        self.journal.append(FaultInjected(fault=fault, region=region))
        if FAULTS[fault].is_instant:
            return True
        with self._lock:
            self.active_faults.append((fault, region))
        if region is not None:
            self._strike(fault, region, is_on=True)
        return True

    def heal(self, fault: str, region: str | None = None) -> bool:
        with self._lock:
            if (fault, region) not in self.active_faults:
                return False
            self.active_faults.remove((fault, region))
        if region is not None:
            self._strike(fault, region, is_on=False)
        self.journal.append(FaultHealed(fault=fault, region=region))
        return True

    def heal_all(self) -> None:
        for fault, region in list(self.active_faults):
            self.heal(fault, region)

    def _strike(self, fault: str, region: str, *, is_on: bool) -> None:
        """Change a region as the fault does, and let Traffic Manager see it at once."""
        if fault == "region-disabled":
            self.traffic_manager.enable(region, is_enabled=not is_on)
            return
        state = {"region-killed": "stopped", "region-hanging": "hanging"}.get(fault)
        if state:
            struck = self.regions[region]
            struck.state = state if is_on else "running"
            pid = None if is_on and state == "stopped" else 4711
            self.journal.append(
                RegionChanged(region=region, state=struck.state, pid=pid)
            )
        self.probe(region, None if is_on else 200)
        self.traffic_manager._health[region].is_degraded = is_on
        status = self.traffic_manager.statuses()[region]
        self.journal.append(EndpointChanged(region=region, status=status))

    def place_call(self, call: str, **members: Any) -> str:
        """Tell the whole way of a call at once; return its id."""
        caller = CALLERS[call]
        placed = Call(
            tenant_id=TENANT_ID,
            country_code=caller.country_code,
            caller_region=caller.region,
            is_policy_recording=members.get("is_policy_recording", False),
            media_hosted_region=members.get("media_hosted_region"),
        )
        legacy = (
            notifications.legacy_incoming(placed)
            if members.get("starts_legacy")
            else None
        )
        body = notifications.incoming(placed, self.webhook)
        headers = {
            "User-Agent": "Microsoft-Skype/3.0,(Calling/1.0)",
            "X-Microsoft-Skype-Chain-ID": placed.chain_id,
            "X-Microsoft-Skype-Caller-Region": caller.region,
        }
        landing = self.traffic_manager.answer(caller.location)[0].code
        journey = foretell(
            Announcement(body=body, headers=headers, legacy=legacy, tenant=TENANT_ID),
            self,
            landing=landing,
            unhealthy={r.code for r in self.regions.values() if r.state != "running"},
        )
        entry = self.journal.append(
            CallPlaced(
                call_id=placed.call_id,
                chain_id=placed.chain_id,
                caller=call,
                country_code=caller.country_code,
                caller_region=caller.region,
                is_policy_recording=placed.is_policy_recording,
                starts_legacy=legacy is not None,
            )
        )
        self._resolve(placed, caller.address, landing)
        self._tell_legs(placed, journey, headers, {"legacy": legacy, "": body})
        last = journey.legs[-1]
        self.journal.append(
            CallEnded(
                call_id=placed.call_id,
                caller=call,
                outcome="answered"
                if last.explanation.verdict.decision == "answer"
                else "lost",
                why=None,
                region=last.region,
                hops=sum(leg.what == "redirected" for leg in journey.legs),
                attempts=1,
                answer_seconds=0.118,
                placed_at_seconds=entry.seconds,
            )
        )
        self._follow_up(placed, last.region)
        return placed.call_id

    def _resolve(self, call: Call, asker: str, landing: str) -> None:
        name, address = f"global.{_ZONE}", self.regions[landing].address
        self.journal.append(
            DnsAnswered(
                name=name,
                asker=asker,
                location=None,
                rcode="NOERROR",
                addresses=[address],
                regions=[landing],
                ttl_seconds=30,
            )
        )
        self.journal.append(
            NameResolved(
                call_id=call.call_id,
                name=name,
                address=address,
                region=landing,
                is_cached=False,
            )
        )

    def _tell_legs(
        self,
        call: Call,
        journey: Journey,
        headers: Mapping[str, str],
        bodies: Mapping[str, Any],
    ) -> None:
        url = self.webhook
        for number, leg in enumerate(journey.legs):
            verdict = leg.explanation.verdict
            body = bodies.get(leg.what, bodies[""])
            self._start(call, number, leg.what, url, leg.region, headers, body)
            line = {
                "event": "notification.handled",
                "reason": verdict.reason,
                "status": verdict.status,
                "call_id": call.call_id,
                "decision": verdict.decision,
                "redirect_region": verdict.region,
                "duration_ms": 3.7,
                "region": leg.region,
            }
            known = {name: value for name, value in line.items() if value is not None}
            self.journal.append(
                LogWritten(region=leg.region, call_id=call.call_id, line=known)
            )
            status = _STATUSES.get(verdict.decision, verdict.status)
            self._end(call, number, leg.what, url, leg.region, status, verdict.location)
            url = verdict.location or url

    def _follow_up(self, call: Call, region: str) -> None:
        url = f"https://{self.regions[region].host}/api/calls/default"
        bodies = {
            "establishing": notifications.establishing(call),
            "established": notifications.established(call, is_audio_active=True),
            "terminated": notifications.terminated(call),
        }
        for number, (what, body) in enumerate(bodies.items(), start=10):
            self._start(call, number, what, url, region, {}, body)
            self._end(call, number, what, url, region, 202, None)

    def _start(
        self,
        call: Call,
        number: int,
        what: str,
        url: str,
        region: str,
        headers: Mapping[str, str],
        body: Any,
    ) -> None:
        self.journal.append(
            StepStarted(
                call_id=call.call_id,
                step=number,
                what=what,
                url=url,
                region=region,
                attempt=1,
                headers=headers,
                notification=body,
            )
        )

    def _end(
        self,
        call: Call,
        number: int,
        what: str,
        url: str,
        region: str,
        status: int,
        location: str | None,
    ) -> None:
        self.journal.append(
            StepEnded(
                call_id=call.call_id,
                step=number,
                what=what,
                url=url,
                region=region,
                address=self.regions[region].address,
                status=status,
                error=None,
                location=location,
                retry_after_seconds=None,
                took_seconds=0.006 if status != 202 else 0.092,
            )
        )
