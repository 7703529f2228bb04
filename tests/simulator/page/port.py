"""What the page needs of the environment that it shows."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tests.simulator.platform.callers import Caller
from tests.simulator.platform.journal import Journal
from tests.simulator.services.traffic_manager import TrafficManager


class ShownEnvironment(Protocol):
    """A running environment. Methods may block for seconds, but not for ever."""

    @property
    def journal(self) -> Journal:
        """Everything that happens."""

    @property
    def callers(self) -> Mapping[str, Caller]:
        """Who may call, by key."""

    @property
    def traffic_manager(self) -> TrafficManager:
        """Decides where DNS sends each caller."""

    @property
    def webhook(self) -> str:
        """The URL of the calling webhook, on the global host."""

    def snapshot(self) -> dict[str, Any]:
        """Return the state for a page that opens now; JSON can carry it."""

    def place_call(self, call: str, **members: Any) -> object:
        """Place a call from a caller; ``members`` are those of ``PlacedCall``."""

    def start_traffic(self, calls_per_second: float) -> None:
        """Place calls at a steady rate."""

    def stop_traffic(self) -> None:
        """Place no more calls."""

    def inject(self, fault: str, region: str | None = None) -> bool:
        """Turn a fault on; tell whether it was off."""

    def heal(self, fault: str, region: str | None = None) -> bool:
        """Turn a fault off; tell whether it was on."""

    def heal_all(self) -> None:
        """Turn all faults off."""

    def set_rules(
        self, rules: Sequence[Mapping[str, Any]], region: str | None = None
    ) -> None:
        """Give all regions, or one, other rules.

        Raises:
            RulesError: the regions would refuse them; nothing has changed.
        """

    def settings_of(
        self, code: str, rules: Sequence[Mapping[str, Any]] | None = None
    ) -> dict[str, str]:
        """Return the app settings of a region, with other rules if they are given."""
