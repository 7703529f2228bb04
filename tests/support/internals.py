"""The private parts of a service that tests replace; nothing else reaches into it."""

import itertools
from collections.abc import Callable

from shared.core.context import RuleContext
from shared.edge import telemetry
from shared.edge.signing_keys import SigningKeyCache
from shared.edge.telemetry import RequestLog
from shared.service import Service, UsableService


def decide_by(service: Service, context: RuleContext) -> None:
    """Let a service decide by other rules, keys and clock; it answers no calls."""
    assert isinstance(service, UsableService)
    service._context = context._replace(answers_calls=False)


def log_every_refusal(service: Service) -> None:
    """Give each refusal a line of its own: to the log a minute lies between two."""
    service._log = RequestLog(clock=itertools.count(step=60).__next__)


def set_clock(keys: SigningKeyCache, clock: Callable[[], float]) -> None:
    """Let signing keys age by another clock."""
    keys._clock = clock


def forget_kept_events() -> None:
    """Drop the events that wait for a request to log them."""
    for _event in telemetry._kept_events.take():
        pass
