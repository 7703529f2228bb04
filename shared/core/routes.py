"""The routes of the product; ``api`` is the ``routePrefix`` of host.json."""

CALLS = "/api/calls"
HEALTH = "/api/health"


def callback_path(partition: str) -> str:
    """Return the path of a callbackUri."""
    return f"{CALLS}/{partition}"
