"""The health report: for Traffic Manager's probe and for a person's look.

Shallow on purpose: settings usable, keys held, and how the last calls ended. It never
asks anybody else, or one region's outage would take out all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from shared.core.answering_health import Answering
from shared.core.strict_json import StrictJsonError, read_object

type KeyFreshness = Literal["fresh", "stale", "none"]

_OK = "ok"


class HealthReport(NamedTuple):
    """What this deployment says of itself.

    Attributes:
        region: code of this deployment; empty where there is only one.
        keys: of the signing keys.
        answering: whether calls could be answered lately.
        problems: of the settings, which make them unusable.
        warnings: of the settings, which do not.
        notices: what should be seen to before it becomes a problem.
        build: which build of the app answers.
    """

    region: str
    keys: KeyFreshness
    problems: Sequence[str]
    warnings: Sequence[str]
    notices: Sequence[str] = ()
    answering: Answering = "unknown"
    build: str = "dev"

    @property
    def is_ok(self) -> bool:
        """Tell whether this deployment can take calls."""
        is_failing = self.answering == "failing"
        return not self.problems and self.keys != "none" and not is_failing

    def members(self) -> Mapping[str, object]:
        """Return the report as it is sent (docs/behaviour.md section 1)."""
        return {
            "status": _OK if self.is_ok else "unavailable",
            "region": self.region,
            "build": self.build,
            "keys": self.keys,
            "answering": self.answering,
            "problems": self.problems,
            "warnings": self.warnings,
            "notices": self.notices,
        }


def is_report_of_healthy(body: bytes, region: str) -> bool:
    """Tell whether ``body`` is the report of a healthy ``region``.

    A page of something else, or of another region, proves nothing.
    """
    try:
        report = read_object(body)
    except StrictJsonError:
        return False
    return report.get("status") == _OK and report.get("region") == region
