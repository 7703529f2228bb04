"""The local host's ``--dns``: the app finds its neighbours through a DNS server."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from dnslib import QTYPE, RR, A
from dnslib.server import BaseResolver, DNSServer

from tests.localhost.process import LocalHost
from tests.simulator.services.authority import NAMES, Authority
from tests.simulator.services.openid_provider import IdentityProvider
from tests.simulator.services.ports import free_port
from tests.simulator.services.signing import APP_ID, ISSUER, SigningKey

NAME = "keys.calls.example.org"


class Names(BaseResolver):  # type: ignore[misc] # dnslib has no types
    """Knows one name, for ten minutes, and counts who asks for its address."""

    def __init__(self) -> None:
        self.asked = 0

    def resolve(self, request: Any, handler: object) -> Any:  # noqa: ARG002 - dnslib's
        answer = request.reply()
        is_known = str(request.q.qname).rstrip(".") == NAME
        if is_known and request.q.qtype == QTYPE.A:
            self.asked += 1
            answer.add_answer(RR(request.q.qname, rdata=A("127.0.0.1"), ttl=600))
        return answer


@pytest.fixture
def names() -> Iterator[tuple[Names, str]]:
    """Run the DNS server; return it with its address."""
    resolver, port = Names(), free_port()
    server = DNSServer(resolver, address="127.0.0.1", port=port)
    server.start_thread()
    yield resolver, f"127.0.0.1:{port}"
    server.stop()
    server.server.server_close()


@pytest.mark.parametrize("is_given", [True, False])
def test_names_are_asked_of_the_server_that_is_given(
    names: tuple[Names, str], *, is_given: bool
) -> None:
    """TLS verifies this name; the app asks once while the record is valid."""
    resolver, address = names
    authority = Authority(*NAMES, NAME)
    with IdentityProvider(authority.server_context(), SigningKey()) as provider:
        url = provider.configuration_url.replace("127.0.0.1", NAME)
        settings = {
            "MicrosoftAppId": APP_ID,
            "CALLING_ANSWER": "false",
            "CALLING_OPENID_CONFIGURATION_URL": url,
            "CALLING_METADATA_ISSUER": ISSUER,
            "CALLING_CA_BUNDLE": str(authority.bundle),
        }
        with LocalHost(settings, dns=address if is_given else None) as host:
            health = requests.get(f"{host.base_url}/api/health", timeout=20)

        assert health.status_code == (200 if is_given else 503)
        assert len(provider.fetches) == (2 if is_given else 0)
    assert resolver.asked == (1 if is_given else 0)


def test_a_server_without_a_port_is_refused() -> None:
    """The command line reports it before anything is served."""
    with pytest.raises(RuntimeError), LocalHost({}, dns="nowhere"):
        pass
