"""Free ports on loopback."""

import socket
from contextlib import ExitStack

_ATTEMPTS = 20


def free_port(*addresses: str) -> int:
    """Return a port that is free on all these addresses (127.0.0.1) at the moment.

    Raises:
        OSError: no such port was found.
    """
    for _attempt in range(_ATTEMPTS):
        port = 0
        try:
            with ExitStack() as probes:
                for address in addresses or ("127.0.0.1",):
                    probe = probes.enter_context(socket.socket())
                    probe.bind((address, port))
                    port = probe.getsockname()[1]
        except OSError:
            continue
        return port
    message = "no port is free on all addresses"
    raise OSError(message)
