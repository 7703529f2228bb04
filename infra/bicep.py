"""The Bicep compiler as one long-lived process: ``bicep jsonrpc``, on standard streams.

It compiles, formats and predicts (``snapshot``) without Azure. One process for each
question would take seconds, most of them to start. Standard library only.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

CHECKOUT = Path(__file__).resolve().parents[1]
NOT_FOUND = (
    "no Bicep CLI was found: not in $BICEP, on PATH, in ~/.azure/bin or beside the "
    "checkout"
)


class BicepError(Exception):
    """The compiler refused; the text is its own."""


def find_bicep() -> Path | None:
    """Find the CLI: $BICEP, on PATH, where Azure CLI puts it, beside the checkout."""
    if chosen := os.environ.get("BICEP"):
        return Path(chosen)
    if found := shutil.which("bicep"):
        return Path(found)
    places = (
        Path.home() / ".azure" / "bin" / "bicep",
        CHECKOUT.parent / "shared" / "tools" / "bicep",
    )
    return next((place for place in places if os.access(place, os.X_OK)), None)


def bicep_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for the CLI, which unpacks itself in the home folder.

    Tiered compilation of .NET is off: it takes twice the time that it saves here.
    """
    environment = {"DOTNET_TieredCompilation": "0", **os.environ, **variables}
    home = Path(environment.get("HOME", "/nonexistent"))
    if not os.access(home, os.W_OK):
        place = Path(tempfile.gettempdir()) / "bicep"
        environment["DOTNET_BUNDLE_EXTRACT_BASE_DIR"] = str(place)
    return environment


class BicepServer:
    """The compiler, for one request at a time; a context manager.

    ``variables`` are what ``readEnvironmentVariable`` finds. Every method raises
    ``BicepError`` if the compiler refuses or ends.
    """

    def __init__(self, cli: Path, variables: Mapping[str, str]) -> None:
        """Start the process."""
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the CLI that was found
                [cli, "jsonrpc", "--stdio"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=bicep_environment(variables),
            )
        except OSError as error:
            message = f"the Bicep CLI {cli} cannot be started: {error.strerror}"
            raise BicepError(message) from error

    def __enter__(self) -> Self:
        """Return the server."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def compile(self, template: Path) -> dict[str, Any]:
        """Compile a template: ``diagnostics``, and ``contents``, which is ARM JSON."""
        return self._call("bicep/compile", path=template)

    def compile_parameters(self, parameters: Path) -> dict[str, Any]:
        """Compile a parameter file: ``success``, ``diagnostics``, ``parameters``."""
        return self._call("bicep/compileParams", path=parameters, parameterOverrides={})

    def format(self, source: Path) -> str:
        """Return a template or a parameter file as the compiler would write it."""
        return str(self._call("bicep/format", path=source)["contents"])

    def snapshot(self, parameters: Path, target: Mapping[str, str]) -> dict[str, Any]:
        """Predict the resources and outputs of a deployment.

        ``target`` has subscriptionId, resourceGroup, location and deploymentName.
        """
        answer = self._call("bicep/getSnapshot", path=parameters, metadata=target)
        snapshot: dict[str, Any] = json.loads(answer["snapshot"])
        return snapshot

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        body = json.dumps(request, default=str).encode()
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        try:
            self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            self._process.stdin.flush()
        except OSError as error:
            message = "the Bicep CLI has ended"
            raise BicepError(message) from error
        answer = json.loads(self._read())
        if "error" in answer:
            raise BicepError(answer["error"]["message"])
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> bytes:
        """Read one message: headers, an empty line, the body."""
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 - it is a pipe
        length = 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            message = "the Bicep CLI has ended"
            raise BicepError(message)
        return stream.read(length)
