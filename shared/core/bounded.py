"""A map that cannot grow without bound: the oldest entry makes room for a new one."""

from collections import OrderedDict
from typing import override


class BoundedDict[K, V](OrderedDict[K, V]):
    """At most ``max_entries`` entries, in the order in which they were last set."""

    def __init__(self, max_entries: int) -> None:
        """Hold ``max_entries`` at most."""
        super().__init__()
        self._max_entries = max_entries

    @override
    def __setitem__(self, key: K, value: V) -> None:
        """Set an entry, which becomes the newest; drop the oldest beyond the bound."""
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._max_entries:
            self.popitem(last=False)
