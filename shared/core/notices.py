"""Notices: what an operator should see to, while everything still works.

Unlike warnings they say nothing about what was just deployed, so that the gate of a
roll-out lets them pass. A sentence is the same as long as its cause lasts: it is logged
once.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

CERTIFICATE_SECONDS = 30 * 24 * 60 * 60
# Tokens live for five minutes, and the leeway may be set to nothing.
CLOCK_SECONDS = 60


def certificate_notices(ends_at: float | None, *, now: float) -> tuple[str, ...]:
    """Tell of a certificate of the bot that ends soon, or has ended.

    Args:
        ends_at: its end in epoch seconds; ``None`` if there is no certificate.
        now: epoch seconds.
    """
    if ends_at is None or ends_at - now >= CERTIFICATE_SECONDS:
        return ()
    verb = "ends" if ends_at > now else "ended"
    day = datetime.fromtimestamp(ends_at, UTC).date()
    return (f"CALLING_CERTIFICATE_PATH: the certificate {verb} on {day}.",)


def clock_notices(difference_seconds: float | None) -> tuple[str, ...]:
    """Tell of a clock that is wrong.

    Args:
        difference_seconds: from the identity provider's clock; ``None``: not known.
    """
    if difference_seconds is None or abs(difference_seconds) <= CLOCK_SECONDS:
        return ()
    notice = (
        f"clock: it differs by more than {CLOCK_SECONDS} s from the clock of the "
        "identity provider."
    )
    return (notice,)


def bot_notices(
    *,
    has_handlers: bool,
    keeps_state: bool,
    has_unreachable: bool,
    answers: bool,
    region: str,
    state_url: str,
) -> Iterator[str]:
    """Tell of handlers that never run, and of state that only one process knows.

    Args:
        has_handlers: whether the bot has any.
        keeps_state: whether it has one that takes a state, any but those of
            ``incoming`` and ``participant_joining``.
        has_unreachable: whether partitions have instances, and the bot has a handler
            other than that of ``incoming``.
        answers: CALLING_ANSWER.
        region: CALLING_REGION; without one, the deployment may be a single process.
        state_url: CALLING_STATE_URL.
    """
    if has_handlers and not answers:
        yield "CALLING_ANSWER: it is false, so no handler of shared/bot.py ever runs."
    elif has_unreachable:
        yield (
            "CALLING_PARTITIONS: partitions have instances, so no handler of "
            "shared/bot.py but incoming ever runs."
        )
    if keeps_state and not has_unreachable and answers and region and not state_url:
        yield (
            "CALLING_STATE_URL: it is not set, so what the bot remembers of a call is "
            "known in one process only."
        )
