"""A GET through ``shared.edge.outbound``, as the tests of that module send it."""

import time

import pytest
import requests

from shared.edge.outbound import OutboundError, OutboundReply, exchange
from shared.edge.tls import Transfer

ENOUGH_SECONDS = 5.0


def get(
    session: requests.Session, url: str, *, seconds: float = ENOUGH_SECONDS
) -> OutboundReply:
    """Send a GET and take at most 1,024 bytes of the reply."""
    return exchange(
        session,
        "GET",
        url,
        headers={"Accept": "application/json"},
        transfer=Transfer(ends_at=time.monotonic() + seconds, max_bytes=1024),
    )


def fail(
    session: requests.Session, url: str, *, seconds: float = ENOUGH_SECONDS
) -> tuple[OutboundError, float]:
    """Send a GET that must fail; return the error and how many seconds it took."""
    started = time.monotonic()
    with pytest.raises(OutboundError) as caught:
        get(session, url, seconds=seconds)
    return caught.value, time.monotonic() - started
