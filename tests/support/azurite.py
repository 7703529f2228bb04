"""Azurite, Microsoft's emulator of Azure Storage: a second opinion on the blob store.

``npm install azurite`` in any folder provides it; AZURITE is the path of its command
``azurite-blob``, where that is not on PATH. In its OAuth mode it checks a token's
issuer, audience and times, and not its signature.
"""

import os
import shutil
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path

import requests

from tests.simulator.services.authority import Authority
from tests.simulator.services.blob_store import CONTAINER
from tests.simulator.services.entra import STORAGE
from tests.simulator.services.ports import free_port
from tests.simulator.services.signing import TENANT_ID, TokenFactory
from tests.support.running import Running

_START_SECONDS = 60.0
_ACCOUNT = "devstoreaccount1"
_TIMEOUT_SECONDS = 10


def find_azurite() -> str | None:
    """Return the command that starts it, if it is there."""
    return shutil.which(os.environ.get("AZURITE") or "azurite-blob")


class Azurite(Running):
    """Blob Storage in memory, over TLS on loopback, with an empty container.

    Attributes:
        token: one that it takes.
    """

    def __init__(
        self, command: str, authority: Authority, tokens: TokenFactory, folder: Path
    ) -> None:
        """Start ``command`` in ``folder``."""
        chain, key = authority.certificate
        self._bundle = str(authority.bundle)
        self._folder = folder
        self._port = free_port()
        self._command = (
            command,
            *("--blobHost", "127.0.0.1", "--blobPort", str(self._port)),
            *("--oauth", "basic", "--cert", str(chain), "--key", str(key)),
            *("--skipApiVersionCheck", "--inMemoryPersistence", "--disableTelemetry"),
            "--silent",
        )
        self.token = tokens.mint(
            aud=STORAGE,
            iss=f"https://sts.windows.net/{TENANT_ID}/",
            iat=tokens.claims()["nbf"],
        )

    @property
    def container_url(self) -> str:
        """The value of CALLING_STATE_URL."""
        return f"https://127.0.0.1:{self._port}/{_ACCOUNT}/{CONTAINER}"

    def start(self, stack: ExitStack) -> None:
        """Start, wait until it listens, and make the container."""
        process = stack.enter_context(
            subprocess.Popen(
                self._command,
                cwd=self._folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        stack.callback(process.kill)
        giving_up = threading.Timer(_START_SECONDS, process.kill)
        giving_up.start()
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line)
            if "successfully listens" in line:
                break
        else:
            raise RuntimeError(f"Azurite did not start: {''.join(printed)}")
        giving_up.cancel()
        self._make_container()

    def _make_container(self) -> None:
        reply = requests.put(
            f"{self.container_url}?restype=container",
            headers={
                "Authorization": f"Bearer {self.token}",
                "x-ms-version": "2021-12-02",
            },
            verify=self._bundle,
            timeout=_TIMEOUT_SECONDS,
        )
        reply.raise_for_status()
