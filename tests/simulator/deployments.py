"""Regional deployments on this machine, with their neighbours and a calling platform.

Each deployment is a process of its own, as in Azure; the rest runs in threads here.
There is no DNS: calls land in the first region, and hosts are addresses.

    with Deployments(Plan(rules=[{"countryCode": ["SG"], "regions": ["sea"]}])) as two:
        report = two.platform.place(PlacedCall(country_code="SG"))
        print(report.outcome, report.region, report.path)
        print(two.log_lines(report.region)[-1])
"""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.localhost.bot_file import NO_HANDLERS
from tests.localhost.process import LocalHost
from tests.simulator.platform.calls import RetryPolicy
from tests.simulator.platform.journal import Journal
from tests.simulator.platform.platform import CallingPlatform
from tests.simulator.platform.steps import Steps
from tests.simulator.platform.transport import PostReply, Transport
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.ports import free_port

# What health warns of: no platform elsewhere could send anything to loopback.
WARNINGS = ["CALLING_REGION_HOSTS: names a host that the platform cannot reach."]
_WARM_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which regions there are, and what they are told.

    Attributes:
        bot: file of the bot, without handlers at first; None: the checkout's own.
    """

    regions: Sequence[str] = ("weu", "sea")
    rules: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    bot: Path | None = NO_HANDLERS


class Deployments(Neighbours):
    """The neighbours, and one local host for each region, over TLS.

    Attributes:
        hosts: ``host:port`` by region: CALLING_REGION_HOSTS.
        journal: what the platform tells.
        platform: places calls in the first region, and announces each once.
    """

    def __init__(self, plan: Plan | None = None) -> None:
        """Plan the regions; they start with the ``with`` block."""
        super().__init__()
        self.plan = plan or Plan()
        self.hosts = {code: f"127.0.0.1:{free_port()}" for code in self.plan.regions}
        self.journal = Journal()
        self._processes: dict[str, LocalHost] = {}
        self._steps = Steps(
            transport=Transport(None, self.authority.client_context()),
            tokens=self.tokens,
            journal=self.journal,
            region_of_host=self.region_of_host,
            source_address="127.0.0.1",
        )
        self.platform = CallingPlatform(
            webhook=self.webhook(self.plan.regions[0]),
            steps=self._steps,
            graph=self.graph,
            retries=RetryPolicy.none(),
        )

    def start(self, stack: ExitStack) -> None:
        """Start the servers, then the deployments."""
        super().start(stack)
        for code in self.plan.regions:
            self._processes[code] = stack.enter_context(self._deployment(code))
        self._wait_until_warm()

    def webhook(self, code: str) -> str:
        """Return the calling webhook of a region."""
        return f"https://{self.hosts[code]}/api/calls"

    def region_of_host(self, url: str) -> str | None:
        """Return the region that a URL names."""
        host = urlsplit(url).netloc
        return next((code for code in self.hosts if self.hosts[code] == host), None)

    def post(
        self,
        body: object,
        *,
        region: str | None = None,
        path: str = "/api/calls",
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> PostReply:
        """POST a notification to a region, the first by default.

        ``path`` may have a query; ``body`` and the rest are as in ``Steps.notify``.
        """
        url = f"https://{self.hosts[region or self.plan.regions[0]]}{path}"
        return self._steps.notify(url, body, token=token, headers=headers)

    def health(self, code: str) -> requests.Response:
        """Ask for the health of a region."""
        return requests.get(
            f"https://{self.hosts[code]}/api/health",
            verify=str(self.authority.bundle),
            timeout=_WARM_SECONDS,
        )

    def log_lines(self, code: str) -> list[str]:
        """Return what a region has logged so far."""
        return self._processes[code].log_lines()

    def _deployment(self, code: str) -> LocalHost:
        regional = {
            "CALLING_REGION": code,
            "CALLING_REGION_HOSTS": json.dumps(self.hosts),
            "CALLING_REGION_RULES": json.dumps(list(self.plan.rules)),
        }
        return LocalHost(
            self.settings(**{**regional, **self.plan.settings}),
            port=int(self.hosts[code].rpartition(":")[2]),
            certificate=self.authority.certificate,
            bot=self.plan.bot,
        )

    def _wait_until_warm(self) -> None:
        """Wait until all hold keys and have found healthy whom the rules name.

        Nobody is asked for health before all hold keys: a region that was looked at
        too early would count as unhealthy until the next look, 10 s later.
        """
        if not self.plan.rules:
            return
        for code in self.hosts:
            self.post({"value": []}, region=code)
        named = {region for rule in self.plan.rules for region in rule["regions"]}
        ends_at = time.monotonic() + _WARM_SECONDS
        for code in self.hosts:
            self.health(code)
            for peer in named - {code}:
                self._wait_until_healthy(peer, seen_by=code, ends_at=ends_at)

    def _wait_until_healthy(self, peer: str, *, seen_by: str, ends_at: float) -> None:
        line = f'"event":"peer.healthy","peer":"{peer}"'
        while not any(line in logged for logged in self.log_lines(seen_by)):
            if time.monotonic() > ends_at:
                message = f"{seen_by} does not find {peer} healthy"
                raise RuntimeError(message)
            time.sleep(0.01)
            # A request logs what a region found out in the background.
            self.health(seen_by)
