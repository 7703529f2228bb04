"""The token of a delivery, as a program that nobody here wrote judges it.

docs/instances.md; https://github.com/microsoft/botbuilder-python
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from tests.simulator.services.authority import Authority
from tests.simulator.services.signing import APP_ID, VARIANTS
from tests.support.checkout import CHECKOUT
from tests.support.instance import Instance
from tests.support.service import ScriptedNeighbours

# Microsoft's SDK is among the tools.
TOOLS = CHECKOUT / ".venv-tools"
SERVER = Path(__file__).with_name("bot_framework_server.py")
# The SDK leaves the tenant to the bot.
TAKEN = {"good", "no-tenant"}

pytestmark = pytest.mark.skipif(
    not list(TOOLS.glob("lib/python*/site-packages/botframework")),
    reason="needs `make .venv-tools/.ready`",
)


class Peer(NamedTuple):
    """A server on Microsoft's SDK, in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    def next_status(self) -> int:
        """Wait for the next POST; return the status of its reply."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@pytest.fixture
def peer(neighbours: ScriptedNeighbours, authority: Authority) -> Iterator[Peer]:
    trusted = {"REQUESTS_CA_BUNDLE": str(authority.bundle)}
    configuration = neighbours.provider.configuration_url
    with subprocess.Popen(
        (
            *(TOOLS / "bin" / "python", SERVER, configuration, APP_ID),
            *authority.certificate,
        ),
        env={**os.environ, **trusted},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Peer(f"https://127.0.0.1:{port}/api/calling", process)
        # Its input ends here, and so does it.


def test_microsofts_sdk_takes_the_token_of_a_delivery(
    instance: Instance, peer: Peer
) -> None:
    call = instance.place(CALLING_PARTITIONS=json.dumps({"a": peer.url}))
    reply = call.post(call.established(), partition="a")

    assert (reply.status, peer.next_status()) == (202, 202)


def test_microsofts_sdk_refuses_all_other_tokens(
    neighbours: ScriptedNeighbours, authority: Authority, peer: Peer
) -> None:
    """Also one of Graph's issuer, whose keys it would not look for there."""
    tokens = {name: neighbours.tokens.variant(name) for name in VARIANTS}
    tokens["graph"] = neighbours.tokens.mint(iss="https://graph.microsoft.com")
    taken = set()
    for name, token in tokens.items():
        bearer = {"Authorization": f"Bearer {token}"}
        reply = requests.post(
            peer.url, b"{}", headers=bearer, verify=str(authority.bundle), timeout=30
        )
        if reply.status_code == 202:
            taken.add(name)

    assert taken == TAKEN
