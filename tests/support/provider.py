"""An identity provider over TLS that follows a script, document by document."""

import ssl
from types import TracebackType
from typing import Any, Self

from tests.simulator.services.signing import ISSUER, SigningKey
from tests.support.servers import FaultServer, Peer, Request, Script, http, json_reply

CONFIGURATION_PATH = "/v1/.well-known/OpenIdConfiguration"
KEY_SET_PATH = "/v1/keys"


class ScriptedProvider:
    """Publishes ``keys`` unless told otherwise.

    Attributes:
        keys: what the key set holds: signing keys, or members as they are.
        members: changes of the configuration; ``{host}`` stands for the own host.
        configuration_script: replaces the configuration; ``None`` is the usual one.
        key_set_script: replaces the key set.
        fetched: paths in the order of their requests.
    """

    def __init__(self, context: ssl.SSLContext, *keys: SigningKey) -> None:
        self.keys: list[SigningKey | dict[str, Any]] = [*keys]
        self.members: dict[str, Any] = {}
        self.configuration_script: Script | None = None
        self.key_set_script: Script | None = None
        self.delay_seconds = 0.0
        self.fetched: list[str] = []
        self.server = FaultServer(http(self._answer, context))

    @property
    def configuration_url(self) -> str:
        """The value of CALLING_OPENID_CONFIGURATION_URL."""
        return self.server.url + CONFIGURATION_PATH

    def heal(self) -> None:
        """Answer as usual again."""
        self.configuration_script = self.key_set_script = None
        self.members = {}

    def __enter__(self) -> Self:
        """Start."""
        self.server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.server.__exit__(kind, error, trace)

    def _answer(self, request: Request, peer: Peer) -> bytes | None:
        self.fetched.append(request.target)
        peer.hang(self.delay_seconds)
        if request.target == CONFIGURATION_PATH:
            script, document = self.configuration_script, self._configuration()
        else:
            script, document = self.key_set_script, self._key_set()
        return script(request, peer) if script else json_reply(document)

    def _configuration(self) -> dict[str, Any]:
        put = {
            name: value.replace("{host}", self.server.host)
            for name, value in self.members.items()
        }
        return {
            "issuer": ISSUER,
            "jwks_uri": self.server.url + KEY_SET_PATH,
            "id_token_signing_alg_values_supported": ["RSA256"],
            **put,
        }

    def _key_set(self) -> dict[str, Any]:
        keys = (key.jwk() if isinstance(key, SigningKey) else key for key in self.keys)
        return {"keys": [*keys]}
