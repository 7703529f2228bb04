"""What the page needs of a simulated environment."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tests.simulator.platform.callers import Caller
from tests.simulator.platform.journal import Journal
from tests.simulator.services.traffic_manager import TrafficManager


class PageWorld(Protocol):
    """A running world; every method may block for seconds, none for ever."""

    @property
    def journal(self) -> Journal:
        """Everything that happens."""

    @property
    def callers(self) -> Mapping[str, Caller]:
        """Who may call."""

    @property
    def traffic_manager(self) -> TrafficManager:
        """Who is sent where."""

    @property
    def webhook(self) -> str:
        """The calling webhook, on the global host."""

    def snapshot(self) -> dict[str, Any]:
        """Return the state for a page that opens now; JSON can carry it."""

    def place_call(self, call: str, **members: Any) -> object:
        """Place a call of this caller."""

    def start_traffic(self, calls_per_second: float) -> None:
        """Place calls at a steady rate."""

    def stop_traffic(self) -> None:
        """Place no more."""

    def inject(self, fault: str, region: str | None = None) -> bool:
        """Turn a fault on."""

    def heal(self, fault: str, region: str | None = None) -> bool:
        """Turn a fault off."""

    def heal_all(self) -> None:
        """Turn off whatever is on."""

    def set_rules(
        self, rules: Sequence[Mapping[str, Any]], region: str | None = None
    ) -> None:
        """Give all regions, or one, other rules."""

    def settings_of(
        self, code: str, rules: Sequence[Mapping[str, Any]] | None = None
    ) -> dict[str, str]:
        """Return the app settings of a region."""
