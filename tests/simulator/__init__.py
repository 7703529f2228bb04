"""The outside world of the webhook, simulated on this machine over real TLS.

The calling platform (``platform``), its identity provider (``openid_provider``),
Microsoft Entra with managed identity (``entra``) and Microsoft Graph (``graph_api``);
``world`` puts them together with regional deployments; ``environment`` runs all
regions of an environment file, with DNS; ``caller`` calls a bot by a script; ``drill``
lets things go wrong, ``page`` shows it live, and ``explain`` tells what the webhook
would do with a notification, and why. A library for tests and a command:
``python -m tests.simulator demo | serve | call | token | drill | explain | world``.

    from tests.simulator import place_call

    with place_call("tests/simulator/bots/menu.py") as call:
        call.hears("main")
        call.presses("2")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulator.caller.place import place_call

__all__ = ["place_call"]


def __getattr__(name: str) -> Any:
    """Import what a program asks for, and not for everybody who needs one service."""
    if name != "place_call":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from tests.simulator.caller import place  # noqa: PLC0415

    return place.place_call
