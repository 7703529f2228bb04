"""Another region, as far as its neighbours see it: its health, in a test's hands."""

from tests.support.servers import Certificates, FaultServer, Peer, Request, Script, http
from tests.support.servers import reply as http_reply


class OtherRegion:
    """A server over TLS; healthy unless its script says otherwise.

    Attributes:
        asked: every request that it got.
    """

    def __init__(self, certificates: Certificates) -> None:
        self.script: Script = lambda *_: http_reply(200)
        self.asked: list[Request] = []
        self.server = FaultServer(http(self._answer, certificates.context()))
        self.host = self.server.host

    def _answer(self, request: Request, peer: Peer) -> bytes | None:
        self.asked.append(request)
        return self.script(request, peer)
