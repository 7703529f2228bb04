"""shared.edge.outbound: what closed sessions leave behind."""

import gc
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.edge.outbound import OutboundError, exchange, open_session
from tests.support.servers import (
    Certificates,
    FaultServer,
    Script,
    hang_up,
    http,
    reply,
)


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


def use_and_close(certificates: Certificates, url: str) -> None:
    """Send a request in a session of its own."""
    with open_session(certificates.bundle, connections=1) as session:
        try:
            exchange(
                session,
                "GET",
                url,
                headers={},
                ends_at=time.monotonic() + 5,
                max_bytes=1024,
            )
        except OutboundError:
            return


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize(
    "script", [lambda *_: reply(200, b"whole"), hang_up], ids=["a reply", "an error"]
)
def test_a_session_more_is_not_a_set_of_authorities_more(
    tmp_path_factory: pytest.TempPathFactory, script: Script
) -> None:
    """Keys are fetched in a new session each time: memory must not grow by it."""
    certificates = Certificates(tmp_path_factory.mktemp("authority"))
    with FaultServer(http(script, certificates.context())) as server:
        url = f"https://{server.host}/"
        use_and_close(certificates, url)
        before = contexts()
        for _ in range(5):
            use_and_close(certificates, url)

        after = contexts()

    assert after == before


def test_a_bundle_that_cannot_be_read_is_tried_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The next session has it, once it is there."""
    folder = tmp_path_factory.mktemp("authority")
    certificates = Certificates(folder)
    late = folder / "late.pem"
    with pytest.raises(OutboundError):
        open_session(str(late), connections=1)

    late.write_bytes(Path(certificates.bundle).read_bytes())

    with open_session(str(late), connections=1) as session:
        assert session is not None
