"""One request to Graph: the answer of a call.

https://learn.microsoft.com/graph/api/call-answer. The URL is the configured Graph and a
vetted call id; redirects are never followed, so that the token goes to that host only.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

from shared.core.answers import GraphReply, Unanswered, answer_body
from shared.core.strict_json import StrictJsonError, read_object
from shared.edge.outbound import (
    OutboundError,
    exchange,
    open_session,
    retry_after_seconds,
)
from shared.edge.telemetry import clip

if TYPE_CHECKING:
    import requests

_MAX_REPLY_BYTES = 64 * 1024


class GraphClient:
    """Graph's call control, as far as this product needs it. Blocking, for threads."""

    def __init__(self, *, graph_url: str, ca_bundle: str, connections: int) -> None:
        """Talk to the Graph at ``graph_url`` over ``connections`` connections."""
        self._graph_url = graph_url
        self._ca_bundle = ca_bundle
        self._connections = connections
        self._opening = threading.Lock()
        self._session: requests.Session | None = None

    def load(self) -> None:
        """Open the session before the first call needs it."""
        self._open()

    def answer(
        self, call_id: str, *, token: str, callback_uri: str, ends_at: float
    ) -> GraphReply | Unanswered:
        """Answer the call; give up at ``ends_at`` (``time.monotonic`` seconds).

        Never raises: an attempt without a status is told by ``Unanswered``.
        """
        quoted_id = quote(call_id, safe="")
        try:
            reply = exchange(
                self._open(),
                "POST",
                f"{self._graph_url}/communications/calls/{quoted_id}/answer",
                headers={"Authorization": f"Bearer {token}"},
                json=answer_body(callback_uri),
                ends_at=ends_at,
                max_bytes=_MAX_REPLY_BYTES,
            )
        except OutboundError as error:
            # The body only explains what the status says.
            if error.status is not None:
                return GraphReply(status=error.status)
            return Unanswered.NO_REPLY if error.was_sent else Unanswered.NOT_CONNECTED
        return GraphReply(
            status=reply.status,
            retry_after_seconds=retry_after_seconds(reply.headers.get("Retry-After")),
            code=_error_code(reply.body),
        )

    def close(self) -> None:
        """Close the session and its connections."""
        with self._opening:
            if self._session is not None:
                self._session.close()

    def _open(self) -> requests.Session:
        with self._opening:
            if self._session is None:
                self._session = open_session(
                    self._ca_bundle, connections=self._connections
                )
            return self._session


def _error_code(reply: bytes) -> str | None:
    """Return ``error.code`` (a number in quotes, such as 8522), cut to a bound."""
    try:
        error = read_object(reply).get("error")
    except StrictJsonError:
        return None
    code = error.get("code") if type(error) is dict else None
    return clip(code) if type(code) is str else None
