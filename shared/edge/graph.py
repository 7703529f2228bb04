"""One request to Graph: what is to be done with a call.

https://learn.microsoft.com/graph/api/resources/call. The URL is the configured Graph
and a vetted call id. Redirects are never followed: the token goes to that host only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from shared.core.attempts import GraphReply, Unanswered
from shared.core.strict_json import StrictJsonError, read_object
from shared.edge.log_fields import clip
from shared.edge.outbound import (
    OutboundError,
    SharedSession,
    exchange,
    retry_after_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.core.call_requests import CallRequest
    from shared.edge.tls import Transfer

MAX_REPLY_BYTES = 64 * 1024


class GraphClient:
    """Graph's call control, as far as this product needs it. Blocking, for threads."""

    def __init__(self, *, graph_url: str, ca_bundle: str, connections: int) -> None:
        """Talk to the Graph at ``graph_url`` over ``connections`` connections."""
        self._graph_url = graph_url
        self._session = SharedSession(ca_bundle, connections=connections)

    def load(self) -> None:
        """Open the session before the first call needs it."""
        self._session.open()

    def send(
        self, call_id: str, request: CallRequest, *, token: str, transfer: Transfer
    ) -> GraphReply | Unanswered:
        """Ask for something about a call, within the bounds of ``transfer``.

        Never raises: an attempt without a status is told by ``Unanswered``.
        """
        quoted_id = quote(call_id, safe="")
        try:
            reply = exchange(
                self._session.open(),
                request.method,
                f"{self._graph_url}/communications/calls/{quoted_id}{request.path}",
                headers={"Authorization": f"Bearer {token}"},
                json=request.body,
                transfer=transfer,
            )
        except OutboundError as error:
            # The body only explains what the status says.
            if error.status is not None:
                return GraphReply(error.status, _retry_after(error.headers))
            return Unanswered.NO_REPLY if error.was_sent else Unanswered.NOT_SENT
        retry_after = _retry_after(reply.headers)
        return GraphReply(reply.status, retry_after, _error_code(reply.body))

    def close(self) -> None:
        """Close the session and its connections."""
        self._session.close()


def _retry_after(headers: Mapping[str, str]) -> float | None:
    return retry_after_seconds(headers.get("Retry-After"))


def _error_code(reply: bytes) -> str | None:
    """Return ``error.code`` (a number in quotes, such as 8522), cut to a bound."""
    try:
        error = read_object(reply).get("error")
    except StrictJsonError:
        return None
    code = error.get("code") if type(error) is dict else None
    return clip(code) if type(code) is str else None
