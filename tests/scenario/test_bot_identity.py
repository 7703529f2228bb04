"""A bot of type UserAssignedMSI answers calls, with the identity's own token."""

from tests.scenario.calls import call, ring
from tests.simulator.deployments import Deployments, Plan
from tests.simulator.services.signing import APP_ID


def test_a_bot_that_is_a_managed_identity_answers_calls() -> None:
    """Entra is not asked; its capitals make no difference."""
    settings = {
        "MicrosoftAppId": APP_ID.upper(),
        "CALLING_IDENTITY_CLIENT_ID": APP_ID,
    }
    with Deployments(Plan(regions=("weu",), settings=settings)) as app:
        assert [app.post(ring(app, call())).status for _ in range(3)] == [202] * 3
        line = app.log_lines("weu")[-1]
        (asked,) = app.identity.requests
        assert app.entra.requests == []

    assert '"reason":"answered"' in line
    assert asked["resource"] == app.graph.url
