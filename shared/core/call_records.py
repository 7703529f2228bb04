"""What a call remembers: its state, which events were handled, and whether it is over.

One record is one blob, or one entry of this process's memory (docs/behaviour.md). Its
JSON is ``{"state": {…}, "claims": […], "isOver": false}``.
"""

import hashlib
import json
import re
from typing import NamedTuple

from shared.core.handlers import encode_state
from shared.core.strict_json import read_object

MAX_CLAIMS = 1_000
# Every record fits: 16 KiB of state, and 1,000 claims of 100 characters in quotes.
MAX_RECORD_BYTES = 128 * 1024
EMPTY_STATE = b"{}"

_SHORT_CLAIM = re.compile(r"[A-Za-z0-9 ._:-]{1,100}")


class CallKey(NamedTuple):
    """A call of a tenant: another tenant's token must not meet it.

    ``call_id`` is vetted (``[A-Za-z0-9_-]{1,128}``), ``tenant_id`` is a GUID.
    """

    tenant_id: str
    call_id: str

    @property
    def path(self) -> str:
        """Where the record is: ``<tenant>/<call id in lower case>``."""
        return f"{self.tenant_id}/{self.call_id}".lower()


class Arrival(NamedTuple):
    """What counts of an event that has come.

    Attributes:
        claim: by what it is known when it comes again; ``None``: handled each time.
        is_end: it ends the call.
        is_late_allowed: it is handled although the call is over.
    """

    claim: str | None
    is_end: bool = False
    is_late_allowed: bool = False


class CallRecord(NamedTuple):
    """What is kept of a call; a new call has the defaults.

    Attributes:
        state: the bot's JSON object, as ``encode_state`` writes it.
        claims: the events that somebody handles or has handled, the newest last.
        is_over: the end of the call has come.
    """

    state: bytes = EMPTY_STATE
    claims: tuple[str, ...] = ()
    is_over: bool = False

    def may_handle(self, arrival: Arrival) -> bool:
        """Tell whether an event is still to be handled.

        A call that is over has no more of them, but for those that may come late, and
        for its end: that is marked also where nobody was there to handle it.
        """
        if arrival.claim is not None and shorten(arrival.claim) in self.claims:
            return False
        return not self.is_over or arrival.is_late_allowed or arrival.is_end

    def noting(self, arrival: Arrival) -> "CallRecord":
        """Return the record once the event is claimed, and the call over if it ends."""
        claims = self.claims
        if arrival.claim is not None:
            claims = (*claims, shorten(arrival.claim))[-MAX_CLAIMS:]
        return CallRecord(self.state, claims, self.is_over or arrival.is_end)

    def encode(self) -> bytes:
        """Return the record as JSON."""
        claims = json.dumps(self.claims, separators=(",", ":")).encode("ascii")
        is_over = b"true" if self.is_over else b"false"
        return b'{"state":%b,"claims":%b,"isOver":%b}' % (self.state, claims, is_over)

    @classmethod
    def decode(cls, data: bytes) -> "CallRecord":
        """Read what ``encode`` wrote.

        Raises:
            ValueError: it is anything else.
        """
        if len(data) > MAX_RECORD_BYTES:
            message = "a record is larger than any that is written"
            raise ValueError(message)
        members = read_object(data)
        state, claims = members.get("state"), members.get("claims")
        is_over = members.get("isOver")
        if type(claims) is not list or type(is_over) is not bool:
            message = "a record has claims and tells whether the call is over"
            raise ValueError(message)
        if len(claims) > MAX_CLAIMS or not all(type(claim) is str for claim in claims):
            message = f"claims are at most {MAX_CLAIMS} strings"
            raise ValueError(message)
        return cls(encode_state(state), tuple(claims), is_over)


def shorten(claim: str) -> str:
    """Return a claim of at most 100 characters; ids of operations have no bound."""
    if _SHORT_CLAIM.fullmatch(claim):
        return claim
    return (
        f"sha256:{hashlib.sha256(claim.encode('utf-8', 'surrogatepass')).hexdigest()}"
    )
