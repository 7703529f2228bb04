"""What a bot that answers its calls itself asks of Entra and Graph."""

import threading
from pathlib import Path
from typing import Any

import requests

_SECONDS = 10.0
_MEDIA = {"@odata.type": "#microsoft.graph.appHostedMediaConfig", "blob": "<media>"}


class OwnGraph:
    """Answers calls, as an application with a secret. Safe for threads."""

    def __init__(
        self, *, login_url: str, graph_url: str, client: tuple[str, str], bundle: Path
    ) -> None:
        """Ask these services; ``client`` is the application's ID and its secret."""
        self._login_url = login_url
        self._graph_url = graph_url
        self._client_id, self._secret = client
        self._bundle = str(bundle)
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}

    def answer(self, call_id: str, tenant_id: str, callback_uri: str) -> bool:
        """Answer a call with media of our own; tell whether Graph took it."""
        body = {
            "callbackUri": callback_uri,
            "acceptedModalities": ["audio"],
            "mediaConfig": _MEDIA,
        }
        reply = requests.post(
            f"{self._graph_url}/communications/calls/{call_id}/answer",
            json=body,
            headers={"Authorization": f"Bearer {self._token(tenant_id)}"},
            verify=self._bundle,
            timeout=_SECONDS,
        )
        return reply.status_code == 202

    def _token(self, tenant_id: str) -> str:
        with self._lock:
            if tenant_id not in self._tokens:
                self._tokens[tenant_id] = self._new_token(tenant_id)
            return self._tokens[tenant_id]

    def _new_token(self, tenant_id: str) -> str:
        graph = self._graph_url.removesuffix("/v1.0")
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._secret,
            "scope": f"{graph}/.default",
        }
        url = f"{self._login_url}/{tenant_id}/oauth2/v2.0/token"
        reply = requests.post(url, data=form, verify=self._bundle, timeout=_SECONDS)
        reply.raise_for_status()
        document: dict[str, Any] = reply.json()
        return str(document["access_token"])
