"""What a bot must do about the platform's token: validate it, whoever passed it on.

It shares no code with the product: PyJWT does the work, as in docs/instances.md.
https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications
"""

import threading
from pathlib import Path
from typing import Any

import jwt
import requests

ISSUERS = ("https://api.botframework.com", "https://graph.microsoft.com")
_LEEWAY_SECONDS = 300
_FETCH_SECONDS = 5.0


class PlatformTokens:
    """Judges tokens by the platform's OpenID configuration. Safe for threads."""

    def __init__(self, configuration_url: str, *, audience: str, bundle: Path) -> None:
        """Accept tokens for ``audience``, the bot's application ID.

        Args:
            configuration_url: of the platform's OpenID configuration.
            audience: the only one.
            bundle: PEM file of the authorities to trust.
        """
        self._configuration_url = configuration_url
        self._audience = audience
        self._bundle = str(bundle)
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}

    def accepts(self, authorization: str) -> bool:
        """Tell whether a header ``Authorization`` proves that the platform posts."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid", ""))
            jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=ISSUERS,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "nbf", "iss", "aud"]},
            )
        except (jwt.PyJWTError, KeyError):
            return False
        return True

    def _key(self, key_id: str) -> jwt.PyJWK:
        """Return the key with an id; fetch all of them where it is not known.

        Raises:
            KeyError: the platform does not publish it.
        """
        with self._lock:
            if key_id not in self._keys:
                self._keys = self._fetch()
            return self._keys[key_id]

    def _fetch(self) -> dict[str, jwt.PyJWK]:
        configuration = self._get(self._configuration_url)
        members = self._get(configuration["jwks_uri"])["keys"]
        return {member["kid"]: jwt.PyJWK(member, "RS256") for member in members}

    def _get(self, url: str) -> Any:
        reply = requests.get(url, verify=self._bundle, timeout=_FETCH_SECONDS)
        reply.raise_for_status()
        return reply.json()
