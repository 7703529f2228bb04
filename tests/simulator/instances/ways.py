"""How the notifications of a call reach the instance that holds it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from infra.environment import Environment


class Way(StrEnum):
    """What is chosen for a world."""

    NONE = "none"
    FORWARD = "forward"
    DIRECT = "direct"
    OWN_MEDIA = "own-media"

    @property
    def settings(self) -> Mapping[str, str]:
        """The app settings that it needs beside the partitions.

        The platform's token goes on: instances here know no other.
        """
        return {
            "CALLING_DELIVERY": "direct" if self is Way.DIRECT else "forward",
            "CALLING_DELIVERY_AUDIENCE": "",
        }


def way_of(file: Environment) -> Way:
    """Return the way of an environment file; none if it has no instances."""
    if not any(isinstance(region.partitions, dict) for region in file.regions):
        return Way.NONE
    if file.settings.get("CALLING_ANSWER") == "false":
        return Way.OWN_MEDIA
    is_direct = file.settings.get("CALLING_DELIVERY") == "direct"
    return Way.DIRECT if is_direct else Way.FORWARD


def partitions_of(file: Environment, code: str) -> Mapping[str, bool]:
    """Return a region's partitions, and whether each is draining: two, if not named."""
    [named] = [each.partitions for each in file.regions if each.code == code]
    partitions: Any = named or ("a", "b")
    if not isinstance(partitions, dict):
        return dict.fromkeys(partitions, False)
    return {
        name: isinstance(value, dict) and bool(value.get("draining"))
        for name, value in partitions.items()
    }
