"""The calling platform's identity provider: OpenID configuration and key set."""

import ssl
import threading
from typing import Any

from tests.simulator.services.signing import ISSUER, SigningKey
from tests.support.servers import Peer, Request, Script, ScriptedServer, json_reply

CONFIGURATION_PATH = "/v1/.well-known/OpenIdConfiguration"
KEY_SET_PATH = "/v1/keys"


class IdentityProvider(ScriptedServer):
    """Publishes ``keys`` over TLS, unless told otherwise.

    Attributes:
        keys: what the key set holds: signing keys, or members as they are.
        members: changes to the configuration. ``None`` removes a member; ``{host}`` in
            a text stands for the host that the client asked.
        configuration_script: replaces the configuration; ``None`` publishes it.
        key_set_script: replaces the key set; ``None`` publishes it.
        delay_seconds: how long each reply takes.
        is_hanging: while set, no request gets a reply.
    """

    def __init__(self, context: ssl.SSLContext, *keys: SigningKey) -> None:
        """Publish ``keys``; ``context`` holds the server's certificate."""
        super().__init__(self._publish, context)
        self.keys: list[SigningKey | dict[str, Any]] = [*keys]
        self.members: dict[str, Any] = {}
        self.configuration_script: Script | None = None
        self.key_set_script: Script | None = None
        self.delay_seconds = 0.0
        self.is_hanging = threading.Event()

    @property
    def configuration_url(self) -> str:
        """The value of CALLING_OPENID_CONFIGURATION_URL."""
        return self.url + CONFIGURATION_PATH

    @property
    def fetches(self) -> list[str]:
        """The path of every request, in order."""
        return [request.target for request in self.requests]

    def follow(self, script: Script | None) -> None:
        """Answer every request by this script; ``None`` publishes as usual again."""
        self.configuration_script = self.key_set_script = script

    def heal(self) -> None:
        """Publish configuration and keys as usual again."""
        self.follow(None)
        self.members = {}
        self.is_hanging.clear()

    def _publish(self, request: Request, peer: Peer) -> bytes | None:
        peer.hang(self.delay_seconds)
        while self.is_hanging.is_set() and not peer.closing.is_set():
            peer.hang(0.05)
        if request.target == CONFIGURATION_PATH:
            script, document = self.configuration_script, self._configuration(request)
        else:
            script, document = self.key_set_script, self._key_set()
        return script(request, peer) if script else json_reply(document)

    def _configuration(self, request: Request) -> dict[str, Any]:
        host = request.headers["host"]
        document: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": "https://invalid.botframework.com/",
            "jwks_uri": f"https://{{host}}{KEY_SET_PATH}",
            "id_token_signing_alg_values_supported": ["RSA256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            **self.members,
        }
        return {
            name: value.replace("{host}", host) if isinstance(value, str) else value
            for name, value in document.items()
            if value is not None
        }

    def _key_set(self) -> dict[str, Any]:
        keys = (key.jwk() if isinstance(key, SigningKey) else key for key in self.keys)
        return {"keys": [*keys]}
