"""A simulated environment: every region of an environment file, DNS, the platform.

``World`` starts all regions of ``infra/params/<environment>.json`` as local host
processes on 127.0.1.x, a name server that routes as Traffic Manager does, and the
calling platform, which resolves names, verifies certificates and POSTs. It has threads
and processes of its own: use it from any thread, from asyncio with
``asyncio.to_thread``.

    file = Environment.read(Path("infra/params/prod.json"))  # of infra.environment
    with World(file) as world:
        with world.journal.subscribe(since=0) as entries:
            world.start_traffic(calls_per_second=2)
            future = world.place_call("singapore")  # Future[CallReport]
            world.inject("region-killed", "sea")    # a key of FAULTS
            for entry in entries:                   # number, seconds, event
                print(entry.to_json())              # kind, members of the event
"""

from tests.simulator.environment.faults import FAULTS, FaultKind
from tests.simulator.environment.regions import Region
from tests.simulator.environment.rollout import RulesError
from tests.simulator.environment.world import World, WorldOptions

__all__ = [
    "FAULTS",
    "FaultKind",
    "Region",
    "RulesError",
    "World",
    "WorldOptions",
]
