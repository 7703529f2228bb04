"""Scenarios in one world: ``python -m tests.simulator.drill.worker NAME …``.

Prints ``ready`` when the world runs, and for each scenario ``running NAME`` and
``over NAME``; by then the result is in ``NAME.json``. At the end all that the regions
logged is in ``world.log``. SIGTERM stops the world and ends the process.
"""

import argparse
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from infra.environment import Environment
from tests.simulator.drill.figures import relevant
from tests.simulator.drill.log import LOG, log_of
from tests.simulator.drill.scenario import play
from tests.simulator.drill.scenarios import SCENARIOS
from tests.simulator.environment import World

_RECOVERY_SECONDS = 60.0


def main() -> int:
    """Run scenarios one after another, each in a world in which all is healthy."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+", choices=SCENARIOS)
    parser.add_argument("--environment", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    options = SCENARIOS[arguments.names[0]].options
    with World(Environment.read(arguments.environment), options) as world:
        print("ready", flush=True)
        for name in arguments.names:
            print(f"running {name}", flush=True)
            result = play(SCENARIOS[name], world)
            document = {**asdict(result), "entries": relevant(result.entries)}
            file = arguments.results / f"{name}.json"
            file.write_text(json.dumps(document), "utf-8")
            print(f"over {name}", flush=True)
            if name != arguments.names[-1]:
                world.renew(_RECOVERY_SECONDS)
    # The last lines come when the regions have stopped.
    text = "".join(log_of(world.journal))
    arguments.results.joinpath(LOG).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
