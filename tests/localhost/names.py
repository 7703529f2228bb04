"""Name resolution through a DNS server of the caller's choosing, for this process.

For worlds in which names and addresses are simulated: the app itself does not know.
"""

import socket
from typing import Any

import dns.resolver

_SECONDS = 2.0
# RFC 6761 section 6.3: it is this machine, and no server should be asked.
_HERE = "localhost"


def resolve_through(server: str) -> None:
    """Replace this process's name resolution by the server at ``address:port``.

    Answers are kept as long as their TTL says. Addresses and ``localhost`` need no
    server.

    Raises:
        ValueError: ``server`` is not ``address:port``.
    """
    address, _, port = server.rpartition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [address]
    resolver.port = int(port)
    resolver.cache = dns.resolver.Cache()
    resolver.timeout = resolver.lifetime = _SECONDS
    system = socket.getaddrinfo
    dns.resolver.override_system_resolver(resolver)
    simulated = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        look_up = system if host == _HERE else simulated
        return look_up(host, *arguments, **options)

    socket.getaddrinfo = getaddrinfo
