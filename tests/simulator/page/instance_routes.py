"""The routes of the instances: which way events go, and what people do to instances."""

from collections.abc import Callable
from typing import Any

from starlette.routing import Route

from tests.simulator.instances.regional import FAULTS, RegionalInstances
from tests.simulator.instances.ways import Way
from tests.simulator.page.actions import ActionError, RequestFields
from tests.simulator.page.port import ShownEnvironment

type MakeHandler = Callable[[Callable[[ShownEnvironment, RequestFields], Any]], Any]


class InstanceRoutes:
    """The handlers of the instances."""

    def __init__(self, instances: RegionalInstances) -> None:
        """Use these."""
        self.instances = instances

    def routes(self, make_handler: MakeHandler) -> list[Route]:
        """Return the routes; ``make_handler`` makes the handler of an action."""
        actions = {"way": self._choose, "act": self._act}
        return [
            Route(f"/api/instances/{name}", make_handler(act), methods=["POST"])
            for name, act in actions.items()
        ]

    def _choose(self, _environment: ShownEnvironment, fields: RequestFields) -> None:
        """Choose the way of events: the regions restart."""
        self.instances.choose(Way(fields.text("way", allowed=[*Way])))

    def _act(self, _environment: ShownEnvironment, fields: RequestFields) -> None:
        """Let an instance fail, or cure it."""
        region, partition = fields.text("region"), fields.text("partition")
        try:
            self.instances.act(
                region, partition, fields.text("what", allowed=list(FAULTS))
            )
        except KeyError as error:
            message = f"There is no instance {partition} of {region}."
            raise ActionError(message) from error
