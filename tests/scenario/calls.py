"""Calls for the scenarios, and what Graph was asked about them."""

from typing import Any

from tests.simulator.deployments import Deployments
from tests.simulator.platform.notifications import Call, incoming
from tests.simulator.services.call_control import CallRequest
from tests.simulator.services.graph_api import Fault, error_reply
from tests.simulator.services.signing import TENANT_ID

RULES = (
    {"countryCode": ["SG"], "regions": ["sea"]},
    {"countryCode": ["AU"], "regions": ["weu", "sea"]},
)
PARTITIONS = ("media-a", "media-b")


def call(country_code: str = "DE", **members: Any) -> Call:
    """Return a fresh call."""
    return Call(tenant_id=TENANT_ID, country_code=country_code, **members)


def ring(app: Deployments, placed: Call) -> dict[str, Any]:
    """Let a call ring at Graph; return its notification."""
    app.graph.ring(placed.call_id, TENANT_ID)
    return incoming(placed, "https://bot.example.org/api/calls")


def answers_of(app: Deployments, placed: Call) -> list[CallRequest]:
    """Return the requests to answer the call that Graph got."""
    return [answer for answer in app.graph.answers if answer.call_id == placed.call_id]


def rejects_of(app: Deployments, placed: Call) -> list[CallRequest]:
    """Return the requests to reject the call that Graph got."""
    return [reject for reject in app.graph.rejects if reject.call_id == placed.call_id]


def fault(status: int, code: str = "x", **headers: str) -> Fault:
    """Return a fault that is one reply of Graph."""
    return Fault(reply=lambda: error_reply(status, code, "simulated", headers))
