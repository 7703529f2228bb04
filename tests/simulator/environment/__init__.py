"""A simulated environment: every region of an environment file, DNS, the platform.

``EnvironmentWorld`` starts all regions of ``infra/params/<environment>.json`` as local
host processes on 127.0.1.x, a name server that routes as Traffic Manager does, and the
calling platform that resolves, verifies and POSTs. Threads and processes of its own:
use it from any thread, from asyncio with ``asyncio.to_thread``.

    file = EnvironmentFile.read(Path("infra/params/prod.json"))
    with EnvironmentWorld(file) as world:
        with world.events.subscribe(since=0) as events:   # Subscription
            world.start_traffic(calls_per_second=2)
            future = world.place_call("singapore")        # Future[CallReport]
            world.inject("region-killed", "sea")
            for entry in events:                          # number, seconds, event
                print(entry.to_json())                    # kind, members of the event

Attributes of a running world that stay as they are: ``file``, ``zone``,
``global_host``, ``webhook``, ``regions`` (code → ``Region`` with ``code``,
``location``, ``address``, ``host``, ``state``), ``rules``, ``events``, ``callers``.

Methods: ``place_call``, ``start_traffic``, ``stop_traffic``, ``inject``, ``heal``,
``active_faults``, ``set_rules``, ``settings_of``, ``snapshot``, ``is_answering``.
Faults: ``faults.FAULTS``. Events: ``events``. Callers: ``places.CALLERS``.
"""

from tests.simulator.environment.calls import CallReport, PlacedCall, RetryPolicy
from tests.simulator.environment.description import (
    EnvironmentFile,
    EnvironmentFileError,
)
from tests.simulator.environment.events import Entry, EventLog, Subscription
from tests.simulator.environment.faults import FAULTS, FaultKind
from tests.simulator.environment.places import CALLERS, Caller
from tests.simulator.environment.regions import Region
from tests.simulator.environment.world import (
    EnvironmentWorld,
    RulesError,
    WorldOptions,
)

__all__ = [
    "CALLERS",
    "FAULTS",
    "CallReport",
    "Caller",
    "Entry",
    "EnvironmentFile",
    "EnvironmentFileError",
    "EnvironmentWorld",
    "EventLog",
    "FaultKind",
    "PlacedCall",
    "Region",
    "RetryPolicy",
    "RulesError",
    "Subscription",
    "WorldOptions",
]
