"""Pauses between attempts at something that fails for a while: Graph, an instance."""

_FIRST_SECONDS = 0.25
_LONGEST_SECONDS = 2.0


def pause_after(attempt: int, wanted_seconds: float | None) -> float:
    """Return the pause after attempt number ``attempt`` (from 0), in seconds.

    The longer of ``Retry-After``, where the reply has one, and a growing pause of our
    own: a server may say ``Retry-After: 0`` for ever.
    """
    own = min(_FIRST_SECONDS * 2.0**attempt, _LONGEST_SECONDS)
    return max(own, wanted_seconds or 0.0)
