"""tests.simulator.services.web: connections that fall silent."""

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.simulator.services.authority import Authority
from tests.simulator.services.web import WebServer


async def _reply(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


@pytest.mark.parametrize("is_tls", [True, False])
def test_a_lost_path_is_silent_and_a_new_connection_is_served(is_tls: bool) -> None:
    """Neither end is told, so the client cannot know before it has waited."""
    authority = Authority()
    app = Starlette(routes=[Route("/", _reply)])
    certificate = authority.certificate if is_tls else None
    with WebServer(app, certificate) as server, requests.Session() as session:
        session.trust_env = False
        session.verify = str(authority.bundle)
        assert session.get(server.url, timeout=5).text == "here"

        assert server.lose_paths() == 1

        with pytest.raises(requests.ReadTimeout):
            session.get(server.url, timeout=0.3)
        assert session.get(server.url, timeout=5).text == "here"


def test_it_listens_on_the_address_that_is_wanted() -> None:
    app = Starlette(routes=[Route("/", _reply)])
    with WebServer(app, None, address="127.0.1.4") as server:
        assert server.host.startswith("127.0.1.4:")
        assert requests.get(server.url, timeout=5).text == "here"
