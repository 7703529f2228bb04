"""What the regions run with: app settings and rules, each change rolled out."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from infra.environment import Environment, Rule
from shared.settings import read_settings
from tests.simulator.environment.events import RulesChanged
from tests.simulator.environment.regions import Region
from tests.simulator.platform.journal import Journal
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.signing import ISSUER


class RulesError(Exception):
    """The regions would refuse these rules; ``problems`` are sentences."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the sentences."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Rollout:
    """Starts and restarts the regions with their settings. Safe for threads.

    Attributes:
        regions: by code.
        rules: of each region, by code.
        dns: ``address:port`` of the name server that the regions ask.
        is_settled: not set while all regions restart.
    """

    def __init__(
        self,
        file: Environment,
        regions: Mapping[str, Region],
        neighbours: Neighbours,
        journal: Journal,
        settings: Mapping[str, str],
        variables: Mapping[str, str],
    ) -> None:
        """Run ``regions`` as ``file`` says; ``settings`` win over the file's.

        ``variables`` are in their environment, too, and win over nothing.
        """
        self.regions = regions
        self.rules = {code: tuple(file.rules) for code in regions}
        self.dns = ""
        self._file = file
        self._neighbours = neighbours
        self._journal = journal
        self._settings = dict(settings)
        self._variables = variables
        self._regional: Mapping[str, Mapping[str, str]] = {}
        self._overrides: dict[str, Mapping[str, str]] = {}
        self._changing = threading.RLock()
        self.is_settled = threading.Event()
        self.is_settled.set()

    def settings_of(
        self, code: str, rules: Sequence[Rule] | None = None
    ) -> dict[str, str]:
        """Return the app settings of a region, with other rules if they are given."""
        file = self._file.app_settings(
            code,
            port=self.regions[code].port,
            rules=self.rules[code] if rules is None else rules,
        )
        neighbours = self._neighbours.settings(
            CALLING_ISSUERS=ISSUER, CALLING_CREDENTIAL="managed-identity"
        )
        own = {**self._regional.get(code, {}), **self._overrides.get(code, {})}
        given = {**self._variables, **file, **neighbours}
        return {**given, **self._settings, **own}

    def start(self, code: str, *, warms_up: bool = True) -> None:
        """Start a region that is stopped."""
        settings = self.settings_of(code)
        self.regions[code].start(settings, dns=self.dns, warms_up=warms_up)

    def restart(self, code: str) -> None:
        """Stop a region in good order and start it with its settings as they are."""
        self.regions[code].restart(self.settings_of(code), dns=self.dns)

    def restart_all(self) -> None:
        """Restart the regions that run, at once."""
        with self._changing:
            running = [c for c, r in self.regions.items() if r.state == "running"]
            self.is_settled.clear()
            try:
                with ThreadPoolExecutor(len(self.regions)) as starters:
                    list(starters.map(self.restart, running))
            finally:
                self.is_settled.set()

    def change_settings(self, settings: Mapping[str, str]) -> None:
        """Start regions with other settings from now on; an empty one is none."""
        self._settings.update(settings)

    def change_regional(self, settings: Mapping[str, Mapping[str, str]]) -> None:
        """Start regions, by code, with these settings instead of those given before."""
        self._regional = settings

    def override(self, code: str, settings: Mapping[str, str]) -> None:
        """Restart a region with some settings of its own."""
        self._overrides[code] = settings
        self.restart(code)

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
                self.rules[code] = tuple(rules)
                if self.regions[code].state == "running":
                    self.restart(code)
        self._journal.append(RulesChanged(region=region, rules=list(rules)))

    def rules_name(self, code: str) -> set[str]:
        """Return the regions that the rules of a region name."""
        return {peer for rule in self.rules[code] for peer in rule["regions"]}
