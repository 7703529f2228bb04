"""The deployment under load, and the services that it talks to.

The deployment serves plain HTTP on loopback: in Azure, TLS ends in front of a function
app, so its cost is not the product's. The other region only answers the health check,
because a deployment sees no more of another region.
"""

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.localhost.process import LocalHost
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.web import WebServer

OWN_HOST = "weu.calls.example.org"
RULES = [{"countryCode": ["SG"], "regions": ["sea"]}]

_START_SECONDS = 30.0


class OtherRegion(WebServer):
    """Another region, which is healthy while ``is_healthy`` is set."""

    def __init__(self, certificate: tuple[Path, Path]) -> None:
        """Serve ``/api/health`` over TLS."""
        super().__init__(
            Starlette(routes=[Route("/api/health", self._health)]), certificate
        )
        self.is_healthy = threading.Event()
        self.is_healthy.set()

    async def _health(self, _request: Request) -> Response:
        return Response(status_code=200 if self.is_healthy.is_set() else 503)


class LoadTarget(NamedTuple):
    """A deployment, its neighbours, and the ``file`` that wrk reads requests from."""

    world: Neighbours
    other_region: OtherRegion
    deployment: LocalHost
    file: Path


@contextmanager
def open_target(*, answers: bool) -> Iterator[LoadTarget]:
    """Start a warm deployment, another region, and the simulated services.

    Args:
        answers: whether incoming calls are answered through Graph, or only accepted.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        Neighbours() as world,
        OtherRegion(world.authority.certificate) as other_region,
        LocalHost(
            _settings(world, other_region, answers=answers), warms_up=True
        ) as deployment,
    ):
        _wait_until_other_region_is_seen(deployment)
        yield LoadTarget(world, other_region, deployment, Path(folder) / "traffic")


def _settings(
    world: Neighbours, other_region: OtherRegion, *, answers: bool
) -> dict[str, str]:
    return world.settings(
        CALLING_ANSWER="true" if answers else "false",
        CALLING_REGION="weu",
        CALLING_REGION_HOSTS=json.dumps({"weu": OWN_HOST, "sea": other_region.host}),
        CALLING_REGION_RULES=json.dumps(RULES),
    )


def _wait_until_other_region_is_seen(deployment: LocalHost) -> None:
    ends_at = time.monotonic() + _START_SECONDS
    while not any('"peer.healthy"' in line for line in deployment.log_lines()):
        if time.monotonic() > ends_at:
            message = "the other region was not found healthy"
            raise RuntimeError(message)
        time.sleep(0.01)
