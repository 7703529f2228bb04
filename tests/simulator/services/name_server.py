"""The name server of the zone, over UDP and TCP, with dnslib.

``global.<zone>`` is answered by Traffic Manager, by where the asker is: the EDNS client
subnet (RFC 7871) if the question has one, else its source address. ``<code>.<zone>`` is
a plain record of its region. Other names of the zone do not exist; questions about
other zones are refused.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, NamedTuple

from dnslib import EDNS0, QTYPE, RCODE, RR, SOA, A, DNSRecord, EDNSOption
from dnslib.server import DNSLogger, DNSServer

from tests.simulator.services.traffic_manager import Endpoint, TrafficManager
from tests.support.running import Running

REGION_TTL_SECONDS = 300
MACHINE_TTL_SECONDS = 1
NEGATIVE_TTL_SECONDS = 30

_CLIENT_SUBNET = 8
_IPV4_FAMILY = 1
# Offsets of its members: family (2 bytes), source and scope prefix lengths, address.
_SOURCE, _SCOPE, _ADDRESS = 2, 3, 4
_UDP_BYTES = 1232
_POLL_SECONDS = 0.02
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsAnswered:
    """Event: a question was answered; ``rcode`` says why if there is no address."""

    name: str
    asker: str
    location: str | None
    rcode: str
    addresses: Sequence[str]
    regions: Sequence[str]
    ttl_seconds: int


class NameServer(Running):
    """Answers on one free port of 127.0.0.1.

    Attributes:
        address: ``(host, port)`` of both UDP and TCP, once started.
        machines: addresses of further names of the zone, which may change.
    """

    def __init__(
        self,
        *,
        zone: str,
        global_name: str,
        endpoints: Sequence[Endpoint],
        traffic_manager: TrafficManager,
        location_of: Callable[[str], str | None],
        tell: Callable[[DnsAnswered], object],
    ) -> None:
        """Answer for ``zone``.

        Args:
            zone: of all names.
            global_name: which Traffic Manager answers.
            endpoints: the regions, each with a name of its own.
            traffic_manager: knows which region is nearest.
            location_of: finds the Azure location of an asker's address.
            tell: gets the events.
        """
        self._zone = zone
        self._global_name = global_name
        self._traffic_manager = traffic_manager
        self._location_of = location_of
        self._tell = tell
        self._by_name: Mapping[str, Endpoint] = {
            f"{endpoint.code}.{zone}": endpoint for endpoint in endpoints
        }
        self.address = ("127.0.0.1", 0)
        self.machines: dict[str, str] = {}

    def start(self, stack: ExitStack) -> None:
        """Start to answer."""
        for server in _bind_both(self):
            stack.callback(server.server.server_close)
            stack.callback(server.stop)
            # Not dnslib's own thread: it takes half a second to notice its end.
            serve = server.server.serve_forever
            threading.Thread(target=serve, args=(_POLL_SECONDS,), daemon=True).start()
            self.address = server.server.server_address

    def resolve(self, request: DNSRecord, handler: Any) -> DNSRecord:
        """Answer a question; called by dnslib."""
        subnet = _client_subnet(request)
        asker = subnet.address if subnet else handler.client_address[0]
        name = str(request.q.qname).rstrip(".").lower()
        reply = request.reply()
        location = self._location_of(asker)
        endpoints, ttl_seconds = self._find(name, location)
        addresses = [endpoint.address for endpoint in endpoints]
        if name in self.machines:
            addresses, ttl_seconds = [self.machines[name]], MACHINE_TTL_SECONDS
        if name != self._zone and not name.endswith(f".{self._zone}"):
            reply.header.rcode = RCODE.REFUSED
        elif addresses and request.q.qtype in {QTYPE.A, QTYPE.ANY}:
            for address in addresses:
                reply.add_answer(RR(name, QTYPE.A, rdata=A(address), ttl=ttl_seconds))
        else:
            exists = bool(addresses) or name == self._zone
            reply.header.rcode = RCODE.NOERROR if exists else RCODE.NXDOMAIN
            reply.add_auth(self._authority())
        if subnet:
            reply.add_ar(subnet.reply())
        self._tell(
            DnsAnswered(
                name=name,
                asker=asker,
                location=location,
                rcode=RCODE[reply.header.rcode],
                addresses=[str(record.rdata) for record in reply.rr],
                regions=[endpoint.code for endpoint in endpoints] if reply.rr else [],
                ttl_seconds=ttl_seconds,
            )
        )
        return reply

    def _find(self, name: str, location: str | None) -> tuple[list[Endpoint], int]:
        if name == self._global_name:
            ttl_seconds = self._traffic_manager.profile.ttl_seconds
            return self._traffic_manager.answer(location), ttl_seconds
        endpoint = self._by_name.get(name)
        return [endpoint] if endpoint else [], REGION_TTL_SECONDS

    def _authority(self) -> RR:
        times = (1, 3600, 600, 86400, NEGATIVE_TTL_SECONDS)
        record = SOA(f"ns.{self._zone}", f"hostmaster.{self._zone}", times)
        return RR(self._zone, QTYPE.SOA, rdata=record, ttl=NEGATIVE_TTL_SECONDS)


def _bind_both(resolver: NameServer) -> list[Any]:
    """Bind UDP and TCP to one free port."""
    for _attempt in range(_ATTEMPTS):
        quiet = DNSLogger(log="-request,-reply,-truncated,-error")
        tcp = DNSServer(resolver, "127.0.0.1", 0, tcp=True, logger=quiet)
        port = tcp.server.server_address[1]
        try:
            udp = DNSServer(resolver, "127.0.0.1", port, logger=quiet)
        except OSError:
            tcp.server.server_close()
            continue
        return [udp, tcp]
    message = "no port is free for UDP and TCP"
    raise OSError(message)


class _Subnet(NamedTuple):
    """EDNS client subnet of a question (IPv4)."""

    address: str
    option: Any

    def reply(self) -> Any:
        """Return the record that says that the answer is for all of the subnet."""
        data = bytearray(self.option.data)
        data[_SCOPE] = data[_SOURCE]
        return EDNS0(udp_len=_UDP_BYTES, opts=[EDNSOption(_CLIENT_SUBNET, bytes(data))])


def _client_subnet(request: DNSRecord) -> _Subnet | None:
    for record in request.ar:
        if record.rtype != QTYPE.OPT:
            continue
        for option in record.rdata:
            data = bytes(option.data)
            is_subnet = option.code == _CLIENT_SUBNET and len(data) > _ADDRESS
            if is_subnet and int.from_bytes(data[:_SOURCE]) == _IPV4_FAMILY:
                address = data[_ADDRESS : _ADDRESS + 4].ljust(4, b"\0")
                return _Subnet(str(ip_address(address)), option)
    return None
