"""A POST of the calling platform and its reply, as plain data.

Knows neither Azure Functions nor sockets.
"""

from collections.abc import Mapping
from typing import NamedTuple, Self

MAX_BODY_BYTES = 1024 * 1024
MAX_ITEMS = 100


class Correlation(NamedTuple):
    """The platform's ids of a POST, as sent; empty where it has none.

    https://github.com/microsoftgraph/microsoft-graph-comms-samples/issues/664
    """

    message_id: str
    scenario_id: str
    chain_id: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """Read the ids that replies echo and the log shows."""
        return cls(
            headers.get("x-microsoft-skype-message-id", ""),
            headers.get("scenario-id", ""),
            headers.get("x-microsoft-skype-chain-id", ""),
        )


class WebhookRequest(NamedTuple):
    """One POST of the calling platform.

    Attributes:
        url: as the host gives it; only its query is read.
        headers: names in lower case, or a mapping that ignores case.
        body: the bytes as received, undecoded.
        partition: of the callback route; ``None`` on the calling webhook.
        invocation_id: the host's id of this invocation, for the log.
        received_at: when it arrived, in monotonic seconds. By default that is long ago,
            and no time is left for anything.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    partition: str | None = None
    invocation_id: str = ""
    received_at: float = 0.0

    @property
    def raw_query(self) -> str:
        """The query as sent: Functions' own ``params`` drop empty values."""
        return self.url.partition("?")[2].partition("#")[0]


class WebhookReply(NamedTuple):
    """What goes back: status, headers and a body (``None``: no body)."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None = None
