"""The identity provider's documents: OpenID configuration, then the key set it names.

https://openid.net/specs/openid-connect-discovery-1_0.html. Trusts nothing on the way:
https only, no redirects, the key set on the configuration's own host or on the one that
is configured, the issuer as expected, bounded in size and in time as a whole.
"""

from __future__ import annotations

import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.core.hosts import host_identity, is_host
from shared.core.key_sets import KeySet, read_key_set
from shared.core.provider_reasons import ProviderReason
from shared.core.strict_json import read_object
from shared.edge.outbound import (
    OutboundError,
    exchange,
    open_session,
    sent_at_seconds,
)
from shared.edge.tls import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

FETCH_SECONDS = 5.0
MAX_DOCUMENT_BYTES = 1024 * 1024


class ProviderError(Exception):
    """The key set could not be obtained; ``reason`` says why."""

    def __init__(self, reason: ProviderReason) -> None:
        """Fail for ``reason``."""
        super().__init__(reason.value)
        self.reason = reason


class OpenIdProvider:
    """Fetches the key set; blocking, for a thread of its own.

    Attributes:
        clock_difference_seconds: how far this machine's clock was ahead of the
            provider's at its last reply; ``None`` if no reply told the time.
    """

    def __init__(
        self,
        *,
        configuration_url: str,
        key_set_host: str = "",
        metadata_issuer: str,
        ca_bundle: str,
    ) -> None:
        """Fetch from ``configuration_url``, which must name ``metadata_issuer``.

        Args:
            configuration_url: of the OpenID configuration.
            key_set_host: the only host that may have the key set, with its port, if
                any; empty: that of the configuration.
            metadata_issuer: compared exactly.
            ca_bundle: see ``sessions.make_session``.
        """
        self._configuration_url = configuration_url
        self._key_set_host = key_set_host or urlsplit(configuration_url).netloc
        self._metadata_issuer = metadata_issuer
        self.clock_difference_seconds: float | None = None
        self._ca_bundle = ca_bundle

    def fetch(self) -> KeySet:
        """Fetch both documents within ``FETCH_SECONDS`` in all.

        Raises:
            ProviderError: anything is wrong; nothing else escapes.
        """
        ends_at = time.monotonic() + FETCH_SECONDS
        try:
            with open_session(self._ca_bundle, connections=1) as session:
                return self._fetch(partial(self._get, session, ends_at=ends_at))
        except OutboundError as error:
            late, unreachable = ProviderReason.TIMEOUT, ProviderReason.UNREACHABLE
            raise ProviderError(late if error.is_late else unreachable) from error
        except ValueError as error:
            raise ProviderError(ProviderReason.MALFORMED) from error

    def _fetch(self, get: Callable[[str], bytes]) -> KeySet:
        configuration = read_object(get(self._configuration_url))
        if configuration.get("issuer") != self._metadata_issuer:
            raise ProviderError(ProviderReason.ISSUER)
        key_set_url = configuration.get("jwks_uri")
        if type(key_set_url) is not str:
            raise ProviderError(ProviderReason.MALFORMED)
        if not _is_on_host(self._key_set_host, key_set_url):
            raise ProviderError(ProviderReason.HOST)
        key_set = read_key_set(get(key_set_url))
        if not key_set.keys:
            raise ProviderError(ProviderReason.NO_KEY)
        return key_set

    def _get(self, session: requests.Session, url: str, *, ends_at: float) -> bytes:
        reply = exchange(
            session,
            "GET",
            url,
            headers={"Accept": "application/json"},
            transfer=Transfer(ends_at=ends_at, max_bytes=MAX_DOCUMENT_BYTES),
        )
        sent_at = sent_at_seconds(reply.headers)
        if sent_at is not None:
            self.clock_difference_seconds = time.time() - sent_at
        if reply.status != HTTPStatus.OK:
            raise ProviderError(ProviderReason.STATUS)
        if reply.is_cut:
            raise ProviderError(ProviderReason.TOO_LARGE)
        return reply.body


def _is_on_host(host: str, url: str) -> bool:
    found = urlsplit(url)
    if found.scheme != "https" or not is_host(found.netloc):
        return False
    return host_identity(host) == host_identity(found.netloc)
