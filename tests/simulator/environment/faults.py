"""The faults that can be injected, by name.

``fault_switch`` turns them on and off: a new fault needs a switch of its name there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault: what a button says, and whether it affects one region or all.

    Attributes:
        is_regional: ``inject`` needs a region.
        is_instant: it is over at once; there is nothing to heal.
    """

    name: str
    title: str
    explanation: str
    is_regional: bool
    is_instant: bool = False


# Name, what a button says, and what happens.
_REGIONAL = """
region-killed | Kill the region | Its process dies; connections are refused.
region-hanging | Let the region hang | It is suspended; connections get no reply.
region-misconfigured | Break its settings | It restarts and answers 503: a bad setting.
region-disabled | Disable its endpoint | Healthy, but Traffic Manager never returns it.
region-restart | Restart the region | Its process ends in good order and starts again.
region-without-graph | Cut it off from Graph | It restarts; Graph is out of its reach.
"""
_GENERAL = """
dns-frozen | Freeze DNS | Names keep the answers they have now, whatever probes find.
provider-down | Identity provider down | OpenID configuration and key set answer 503.
provider-hanging | Identity provider hangs | It accepts requests and never answers.
key-rotation | Rotate the signing key | A new key is published and signs from now on.
graph-slow | Graph slow | Graph takes two seconds for each answer.
graph-throttling | Graph throttles | Two of three requests get 429 with Retry-After: 1.
graph-not-found | Graph 404 | Graph knows none of the calls: they are over.
graph-failing | Graph down | Graph answers 503.
graph-path-gone | Lose the paths to Graph | What is open to Graph falls silent for good.
entra-down | Entra down | No new tokens for Graph: Entra answers 503.
identity-down | Managed identity down | No new tokens: its endpoint answers 503.
clock-ahead | Platform clock ahead | Tokens are minted four minutes in the future.
clock-behind | Platform clock behind | Tokens are minted four minutes in the past.
forged-traffic | Forged traffic | Twenty times as many forged calls as honest ones.
"""
_INSTANT = ("region-restart", "key-rotation", "graph-path-gone")


def _kinds(table: str, *, is_regional: bool) -> Iterator[FaultKind]:
    for row in table.strip().splitlines():
        name, title, explanation = row.split(" | ")
        yield FaultKind(name, title, explanation, is_regional, name in _INSTANT)


FAULTS: Mapping[str, FaultKind] = {
    kind.name: kind
    for kind in (
        *_kinds(_REGIONAL, is_regional=True),
        *_kinds(_GENERAL, is_regional=False),
    )
}
