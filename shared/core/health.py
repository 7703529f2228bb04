"""The health report: for Traffic Manager's probe and for a person's look.

Shallow on purpose: settings usable and keys held. It never asks other regions, or one
region's outage would take out all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

type KeyFreshness = Literal["fresh", "stale", "none"]


class HealthReport(NamedTuple):
    """What this deployment says of itself.

    Attributes:
        region: code of this deployment; empty where there is only one.
        keys: of the signing keys.
        problems: of the settings, which make them unusable.
        warnings: of the settings, which do not.
        notices: what should be seen to before it becomes a problem.
    """

    region: str
    keys: KeyFreshness
    problems: Sequence[str]
    warnings: Sequence[str]
    notices: Sequence[str] = ()

    @property
    def is_ok(self) -> bool:
        """Tell whether this deployment can take calls."""
        return not self.problems and self.keys != "none"

    def members(self) -> Mapping[str, object]:
        """Return the report as it is sent (docs/behaviour.md section 1)."""
        return {
            "status": "ok" if self.is_ok else "unavailable",
            "region": self.region,
            "keys": self.keys,
            "problems": self.problems,
            "warnings": self.warnings,
            "notices": self.notices,
        }
