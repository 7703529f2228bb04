"""The two regions of a measurement: a deployment is one, ``sea`` only looks healthy.

A deployment sees no more of another region than its health report and its host.
"""

import json

from tests.simulator.services.neighbours import Neighbours
from tests.support.servers import ScriptedServer, healthy

OWN_HOST = "weu.calls.example.org"
WEBHOOK = f"https://{OWN_HOST}/api/calls"
HEALTHY = healthy("sea")


def other_region(world: Neighbours) -> ScriptedServer:
    """Return the server of ``sea``."""
    return ScriptedServer(HEALTHY, world.authority.server_context())


def settings_with(
    sea: ScriptedServer, world: Neighbours, **more: str
) -> dict[str, str]:
    """Return settings with which calls from Singapore are redirected to ``sea``."""
    return world.settings(
        CALLING_REGION="weu",
        CALLING_REGION_HOSTS=json.dumps({"weu": OWN_HOST, "sea": sea.host}),
        CALLING_REGION_RULES=json.dumps([{"countryCode": ["SG"], "regions": ["sea"]}]),
        **more,
    )
