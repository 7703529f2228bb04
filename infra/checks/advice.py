"""What a deployment would accept, and what hurts on the day that a location is lost."""

from collections.abc import Iterator, Mapping
from typing import Any


def advice_on(description: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences on a description in which there is no problem."""
    regions = description["regions"]
    if len(regions) < 2:  # noqa: PLR2004 - a single region is lost as a whole anyway
        return
    first = regions[0]["location"]
    place = description.get("globalLocation", first)
    taken = [region["location"] for region in regions]
    if description["domain"] and place in taken:
        yield (
            f"globalLocation: the global group would lie in {place}, which takes "
            "calls. While that location is lost, nobody can change Traffic Manager "
            "and DNS. Name a location without a region."
        )
    own = description.get("workspaces", {})
    shared = [region["code"] for region in regions if region["code"] not in own]
    if len(shared) > 1:
        yield (
            f"workspaces: {', '.join(shared)} share a workspace. While its location "
            "is lost, none of them has a log, alerts or a deployment. Give each its "
            "own, or let the workspace replicate (docs/infrastructure.md)."
        )
