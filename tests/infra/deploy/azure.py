"""An Azure of this machine: what exists, what it refuses, and how long it takes.

It behaves like the real one where that hurts. Time is its own: waiting advances it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

VERIFICATION_ID = "0F1E2D3C4B5A"
TENANT_ID = "b2c8f1a0-5d3e-4c7b-9a61-0e4d2f8c6b17"
SUBSCRIPTION_ID = "66666666-7777-4888-8999-000000000000"
LOCATIONS = {"weu": "westeurope", "eus2": "eastus2", "sea": "southeastasia"}
FORMER_WEBHOOK = "https://old.contoso.com/api/calls"
WEBHOOK = "https://global.calls.contoso.com/api/calls"
# Variables that the parameter files read.
READ = (
    "MICROSOFT_APP_ID",
    "LOG_ANALYTICS_WORKSPACE_ID",
    "BOT_NAME",
    "ACTION_GROUP_ID",
)
_PROBE_SECONDS = 20
# How long a deployment goes on whose `az` was ended.
_LEFT_SECONDS = 45


class RefusedError(Exception):
    """The command fails, with a sentence."""


@dataclass
class Group:
    """A resource group.

    Attributes:
        number: 1 for the first that was made: a region made again has a new identity.
        deployments: the time at which each of them is done, by name, in order.
    """

    number: int
    location: str = ""
    deployments: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class App:
    """The function app of a region."""

    made_at: float
    is_bound: bool = False
    build: str = ""
    hosts: tuple[str, ...] = ()


@dataclass
class Endpoint:
    """A region, as Traffic Manager knows it."""

    is_enabled: bool
    since: float


@dataclass
class Azure:
    """What exists, and how it behaves.

    Attributes:
        codes: of the regions that the description names, and whether each is enabled.
        app_hosts: where an app is, if it is not at its usual name.
        lag_seconds: after an app is made Resource Graph does not know it for so long.
        role_seconds: for so long its identity's roles have not spread.
        throttles: every so many-th question is refused at first; 0: none.
        conflicts: number of deployments that another operation on the site refuses.
        quiet_failures: number of publications that fail without a word.
        broken: regions that are not healthy, each with what the gate is told.
        dns_after: number of DNS queries that get no answer at first; -1: all.
        dns_failures: number of DNS queries that no server can be reached for.
        harm: what a caller would have noticed.
    """

    has_domain: bool = True
    codes: dict[str, bool] = field(default_factory=dict)
    clock: float = 0.0
    is_logged_in: bool = True
    versions: tuple[str, str, str] = ("2.91.0", "0.49.2", "4.15.1")
    resources: tuple[str, ...] = ("workspaces/calls", "vaults/kv-contoso")
    locations: tuple[str, ...] = tuple(LOCATIONS.values())
    unregistered: tuple[str, ...] = ()
    actions: tuple[str, ...] = ("*",)
    used_up: tuple[str, ...] = ()
    certificate: str = "*.calls.contoso.com"
    reader_roles: str = "Key Vault Certificate User"
    policy: str = ""
    bots: dict[str, str] = field(default_factory=lambda: {"bot-calls": "rg-bots"})
    webhook: str = FORMER_WEBHOOK
    forgets_webhook: bool = False
    groups: dict[str, Group] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    records: set[str] = field(default_factory=set)
    is_delegated: bool = True
    lag_seconds: float = 0.0
    role_seconds: float = 0.0
    throttles: int = 0
    conflicts: int = 0
    quiet_failures: int = 0
    questions: int = 0
    is_expired: bool = False
    broken: dict[str, str] = field(default_factory=dict)
    dns_after: int = 0
    dns_asked: int = 0
    dns_failures: int = 0
    harm: list[str] = field(default_factory=list)
    hosts: dict[str, str] = field(default_factory=dict)
    app_hosts: dict[str, str] = field(default_factory=dict)
    last: tuple[Group, str] | None = None

    def group(self, code: str) -> Group:
        return self.groups[f"rg-tmscalls-test-{code}"]

    def deployments(self, code: str) -> list[str]:
        """Return the names of the deployments of a region of ``test``, in order."""
        return [*self.group(code).deployments]

    def is_up(self, code: str) -> bool:
        """Tell whether a region can take calls."""
        app = self.apps.get(code)
        if app is None or not app.build or code in self.broken:
            return False
        return app.is_bound or not self.has_domain

    def is_online(self, code: str) -> bool:
        """Tell whether Traffic Manager sends calls to a region."""
        endpoint = self.endpoints.get(code)
        if endpoint is None or not endpoint.is_enabled:
            return False
        return self.is_up(code) and self.clock - endpoint.since >= _PROBE_SECONDS

    def is_enabled(self, code: str) -> bool:
        """Tell whether Traffic Manager is to send calls to a region."""
        return self.endpoints[code].is_enabled

    def note_change(self, code: str) -> None:
        """Note that a region restarts; a caller notices that if others could serve."""
        others = [each for each in self.endpoints if each != code]
        if self.is_online(code) and any(map(self.is_online, others)):
            self.harm.append(f"{code} was changed while it got calls")

    def leave_running(self) -> None:
        """The command is gone, but Azure carries its deployment on."""
        if self.last:
            group, name = self.last
            group.deployments[name] = self.clock + _LEFT_SECONDS

    def run(self, words: Sequence[str], variables: Mapping[str, str]) -> str:
        """Do what ``az`` would do, and return what it prints."""
        self.last = None
        if not self.is_logged_in and words[0] not in {"version", "bicep"}:
            raise RefusedError("Please run 'az login' to setup account.")
        if words[0] == "ad" and self.is_expired:
            raise RefusedError("AADSTS700024: Client assertion is not within its time.")
        self.questions += 1
        if self.throttles and self.questions % self.throttles == 0:
            raise RefusedError("(TooManyRequests) The request is being throttled.")
        return answer(self, words, variables)


type Handler = Callable[[Azure, Sequence[str], Mapping[str, str]], str]
_HANDLERS: dict[str, Handler] = {}


def command(*names: str) -> Callable[[Handler], Handler]:
    """Register a function for commands of ``az`` that begin with these words."""

    def decorate(handler: Handler) -> Handler:
        _HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return decorate


def answer(azure: Azure, words: Sequence[str], variables: Mapping[str, str]) -> str:
    for length in (4, 3, 2, 1):
        handler = _HANDLERS.get(" ".join(words[:length]))
        if handler:
            return handler(azure, words, variables)
    raise RefusedError(f"'{' '.join(words[:3])}' is misspelled or not recognized")


def option(words: Sequence[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


def query(words: Sequence[str]) -> str:
    return option(words, "--query")


def group_of(azure: Azure, words: Sequence[str]) -> Group:
    name = option(words, "-g")
    if name not in azure.groups:
        raise RefusedError(f"(ResourceGroupNotFound) {name}")
    return azure.groups[name]


def to_json(value: Any) -> str:
    return json.dumps(value)
