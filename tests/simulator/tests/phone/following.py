"""Waiting for what happens in a call of the phone."""

from typing import Any

from tests.simulator.phone.live_call import LiveCall
from tests.simulator.phone.phone import Phone
from tests.simulator.platform.journal import kind_of

_SECONDS = 30.0


def entries_of(phone: Phone, call: LiveCall) -> list[dict[str, Any]]:
    """Return what the journal has of a call."""
    known = (entry.to_json() for entry in phone.journal.entries())
    return [e for e in known if e.get("call_id") == call.call.call_id]


def wait_for(
    phone: Phone, kind: str, *, since: int = 0, **members: Any
) -> dict[str, Any]:
    """Wait until the journal has an event with these members; return it."""
    found = phone.journal.wait_for(
        lambda event: (
            kind_of(type(event)) == kind
            and all(getattr(event, name) == value for name, value in members.items())
        ),
        timeout_seconds=_SECONDS,
        since=since,
    )
    assert found is not None, (kind, members)
    return found.to_json()


def hears(phone: Phone, call: LiveCall, name: str) -> dict[str, Any]:
    """Wait until a prompt begins."""
    return wait_for(phone, "prompt-started", call_id=call.call.call_id, name=name)


def ends(phone: Phone, call: LiveCall) -> dict[str, Any]:
    """Wait until the call is over and all of it has arrived."""
    assert call.wait_until_over(_SECONDS)
    known = entries_of(phone, call)
    return [e for e in known if e["kind"] == "phone-changed"][-1]
