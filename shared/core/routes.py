"""The routes of the product; ``api`` is the ``routePrefix`` of host.json."""

CALLS = "/api/calls"
HEALTH = "/api/health"
# Header of a region that looks at another one's health: its own code. Such a request
# does not prolong the watch of the region that it asks, or two idle regions would keep
# each other busy for ever.
REGION_HEADER = "X-Calling-Region"


def callback_path(partition: str) -> str:
    """Return the path of a callbackUri."""
    return f"{CALLS}/{partition}"
