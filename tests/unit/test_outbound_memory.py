"""shared.edge.outbound: what closed sessions leave behind."""

import gc
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from shared.edge.outbound import OutboundError, open_session
from tests.simulator.services.authority import Authority
from tests.support.outbound import get
from tests.support.servers import Script, hang_up, reply
from tests.unit.conftest import Serve


@pytest.fixture
def without_collector() -> Iterator[None]:
    """Let nothing be freed but by reference counts.

    The collector counts objects of Python, of which a session has few; it does not see
    the authorities that OpenSSL keeps for a context, about a megabyte.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def contexts() -> int:
    """Return how many TLS contexts there are, also those that nobody uses."""
    return sum(isinstance(thing, ssl.SSLContext) for thing in gc.get_objects())


def use_and_close(authority: Authority, url: str) -> None:
    """Send a request in a session of its own."""
    with (
        open_session(str(authority.bundle), connections=1) as session,
        suppress(OutboundError),
    ):
        get(session, url)


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize(
    "script", [lambda *_: reply(200, b"whole"), hang_up], ids=["a reply", "an error"]
)
def test_a_session_more_is_not_a_set_of_authorities_more(
    authority: Authority, serve: Serve, script: Script
) -> None:
    """Each fetch of keys opens a new session, and memory must not grow by it."""
    url = serve(script).url
    use_and_close(authority, url)
    before = contexts()
    for _ in range(5):
        use_and_close(authority, url)

    assert contexts() == before


def test_a_bundle_that_cannot_be_read_is_tried_again(
    authority: Authority, tmp_path: Path
) -> None:
    """The next session uses the file once it exists."""
    late = tmp_path / "late.pem"
    with pytest.raises(OutboundError):
        open_session(str(late), connections=1)

    late.write_bytes(authority.bundle.read_bytes())

    with open_session(str(late), connections=1) as session:
        assert session is not None
