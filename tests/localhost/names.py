"""Name resolution through a DNS server of the caller's choosing, for this process.

For worlds in which names and addresses are simulated: the app itself does not know.
"""

import dns.resolver

_SECONDS = 2.0


def resolve_through(server: str) -> None:
    """Replace this process's name resolution by the server at ``address:port``.

    Answers are kept as long as their TTL says. Addresses need no server.

    Raises:
        ValueError: ``server`` is not ``address:port``.
    """
    address, _, port = server.rpartition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [address]
    resolver.port = int(port)
    resolver.cache = dns.resolver.Cache()
    resolver.timeout = resolver.lifetime = _SECONDS
    dns.resolver.override_system_resolver(resolver)
