"""Maps that cannot grow without bound: the oldest entry makes room for a new one."""

from collections import OrderedDict
from collections.abc import Callable
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


class ExpiringDict[K, V]:
    """A ``BoundedDict`` whose entries also end a time after they were last set."""

    def __init__(
        self, max_entries: int, *, seconds: float, clock: Callable[[], float]
    ) -> None:
        """Hold ``max_entries`` at most, each for ``seconds`` by ``clock``."""
        self._entries: BoundedDict[K, tuple[V, float]] = BoundedDict(max_entries)
        self._seconds = seconds
        self._clock = clock

    def __len__(self) -> int:
        """Count the entries that take room, some of which may have ended."""
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return an entry that has not ended."""
        found = self._entries.get(key)
        if found is None or found[1] <= self._clock():
            return None
        return found[0]

    def set(self, key: K, value: V) -> None:
        """Set an entry, and drop those that have ended."""
        now = self._clock()
        self._entries[key] = (value, now + self._seconds)
        # They end in the order in which they were set, and the newest has just been.
        while next(iter(self._entries.values()))[1] <= now:
            self._entries.popitem(last=False)
