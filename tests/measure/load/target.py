"""The deployment under load, and the services that it talks to.

The deployment serves plain HTTP on loopback: in Azure, TLS ends in front of a function
app, so its cost is not the product's.
"""

import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from tests.localhost.process import LocalHost
from tests.measure.instance import LoadInstance
from tests.measure.load.callers import Address
from tests.measure.two_regions import other_region, settings_with
from tests.simulator.services.neighbours import Neighbours
from tests.support.servers import ScriptedServer

_START_SECONDS = 30.0


class LoadTarget(NamedTuple):
    """A deployment, its neighbours, and the ``file`` that wrk reads requests from.

    Attributes:
        instances: that notifications are delivered to, by partition.
    """

    world: Neighbours
    other_region: ScriptedServer
    deployment: LocalHost
    file: Path
    instances: Mapping[str, LoadInstance]

    @property
    def address(self) -> Address:
        """Where the deployment listens."""
        url = urlsplit(self.deployment.base_url)
        return Address(str(url.hostname), int(url.port or 80))


@contextmanager
def open_target(
    *, answers: bool, bot: Path | None = None, instances: Iterable[str] = ()
) -> Iterator[LoadTarget]:
    """Start a warm deployment, another region, and the simulated services.

    Args:
        answers: whether incoming calls are answered through Graph, or only accepted.
        bot: file of its bot; None: the checkout's own.
        instances: partitions whose notifications are delivered to an instance.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        Neighbours() as world,
        other_region(world) as sea,
        ExitStack() as stack,
    ):
        listening = {
            name: stack.enter_context(LoadInstance(world.authority.certificate))
            for name in instances
        }
        settings = settings_with(sea, world, CALLING_ANSWER=str(answers))
        if listening:
            urls = {name: each.url for name, each in listening.items()}
            settings["CALLING_PARTITIONS"] = json.dumps(urls)
        with LocalHost(settings, warms_up=True, bot=bot) as deployment:
            _wait_until_other_region_is_seen(deployment)
            file = Path(folder) / "traffic"
            yield LoadTarget(world, sea, deployment, file, listening)


def _wait_until_other_region_is_seen(deployment: LocalHost) -> None:
    ends_at = time.monotonic() + _START_SECONDS
    while not any('"peer.healthy"' in line for line in deployment.log_lines()):
        if time.monotonic() > ends_at:
            raise RuntimeError("the other region was not found healthy")
        time.sleep(0.01)
        # A request logs what the deployment found out in the background.
        requests.get(f"{deployment.base_url}/api/health", timeout=_START_SECONDS)
