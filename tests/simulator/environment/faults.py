"""The faults that can be injected, by name."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """A fault: what a button says, and whether it affects one region or all.

    Attributes:
        is_regional: ``inject`` needs a region.
        is_instant: it is over at once; there is nothing to heal.
    """

    name: str
    title: str
    explanation: str
    is_regional: bool = False
    is_instant: bool = False


def _kinds(*kinds: FaultKind) -> Mapping[str, FaultKind]:
    return {kind.name: kind for kind in kinds}


FAULTS: Mapping[str, FaultKind] = _kinds(
    FaultKind(
        name="region-killed",
        title="Kill the region",
        explanation="Its process dies; connections are refused.",
        is_regional=True,
    ),
    FaultKind(
        name="region-hanging",
        title="Let the region hang",
        explanation="Its process is suspended; connections get no reply.",
        is_regional=True,
    ),
    FaultKind(
        name="region-misconfigured",
        title="Break its settings",
        explanation="It restarts with a setting out of range: health and calls 503.",
        is_regional=True,
    ),
    FaultKind(
        name="region-disabled",
        title="Disable its endpoint",
        explanation="Traffic Manager never returns it; the region itself is healthy.",
        is_regional=True,
    ),
    FaultKind(
        name="region-restart",
        title="Restart the region",
        explanation="Its process ends in good order and starts again.",
        is_regional=True,
        is_instant=True,
    ),
    FaultKind(
        name="dns-frozen",
        title="Freeze DNS",
        explanation="Names keep the answers they have now, whatever probes find.",
    ),
    FaultKind(
        name="provider-down",
        title="Identity provider down",
        explanation="OpenID configuration and key set answer 503.",
    ),
    FaultKind(
        name="provider-hanging",
        title="Identity provider hangs",
        explanation="It accepts requests and never answers.",
    ),
    FaultKind(
        name="key-rotation",
        title="Rotate the signing key",
        explanation="A new key is published and signs from now on.",
        is_instant=True,
    ),
    FaultKind(
        name="graph-slow",
        title="Graph slow",
        explanation="Graph takes two seconds for each answer.",
    ),
    FaultKind(
        name="graph-throttling",
        title="Graph throttles",
        explanation="Two of three requests get 429 with Retry-After: 1.",
    ),
    FaultKind(
        name="graph-not-found",
        title="Graph 404",
        explanation="Graph knows none of the calls: they are over.",
    ),
    FaultKind(
        name="graph-failing",
        title="Graph down",
        explanation="Graph answers 503.",
    ),
    FaultKind(
        name="entra-down",
        title="Entra down",
        explanation="No new tokens for Graph: Entra answers 503.",
    ),
    FaultKind(
        name="clock-ahead",
        title="Platform clock ahead",
        explanation="Tokens are minted four minutes in the future.",
    ),
    FaultKind(
        name="clock-behind",
        title="Platform clock behind",
        explanation="Tokens are minted four minutes in the past.",
    ),
    FaultKind(
        name="forged-traffic",
        title="Forged traffic",
        explanation="Twenty times as many forged calls as honest ones.",
    ),
)
