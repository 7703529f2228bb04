"""The name server, asked over UDP and TCP as resolvers do."""

from collections.abc import Callable, Iterator
from typing import Any

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from tests.simulator.platform.callers import CALLERS, location_of
from tests.simulator.platform.journal import Journal
from tests.simulator.services.failures import NameUnresolvedError
from tests.simulator.services.name_server import DnsAnswered, NameServer
from tests.simulator.services.ports import free_port
from tests.simulator.services.resolver import StubResolver
from tests.simulator.services.traffic_manager import Endpoint, Profile, TrafficManager

ZONE = "calls.example.org"
GLOBAL = f"global.{ZONE}"
WEU, EUS2, SEA = "127.0.1.1", "127.0.1.2", "127.0.1.3"
ENDPOINTS = [
    Endpoint(code="weu", location="westeurope", address=WEU, port=443),
    Endpoint(code="eus2", location="eastus2", address=EUS2, port=443),
    Endpoint(code="sea", location="southeastasia", address=SEA, port=443),
]
AMSTERDAM, SYDNEY, CHICAGO = (
    CALLERS[name].address for name in ("amsterdam", "sydney", "chicago")
)


class Zone:
    """A name server whose Traffic Manager never probes: tests set what is online."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.manager = TrafficManager(
            ENDPOINTS, global_name=GLOBAL, profile=Profile(), tell=self.journal.append
        )
        self.server = NameServer(
            zone=ZONE,
            global_name=GLOBAL,
            endpoints=ENDPOINTS,
            traffic_manager=self.manager,
            location_of=location_of,
            tell=self.journal.append,
        )

    def degrade(self, *codes: str) -> None:
        for code in codes:
            self.manager._health[code].is_degraded = True

    def ask(
        self,
        name: str = GLOBAL,
        *,
        source: str = AMSTERDAM,
        kind: str = "A",
        subnet: str = "",
        send: Callable[..., dns.message.Message] = dns.query.udp,
    ) -> dns.message.Message:
        options: list[dns.edns.Option] | None
        options = [dns.edns.ECSOption(subnet, 32)] if subnet else None
        question = dns.message.make_query(name, kind, options=options)
        host, port = self.server.address
        return send(question, host, port=port, source=source, timeout=5)

    def addresses(self, name: str = GLOBAL, **how: Any) -> list[str]:
        reply = self.ask(name, **how)
        return [record.address for rrset in reply.answer for record in rrset]


@pytest.fixture
def zone() -> Iterator[Zone]:
    made = Zone()
    with made.server:
        yield made


@pytest.mark.parametrize(
    ("source", "address"), [(AMSTERDAM, WEU), (SYDNEY, SEA), (CHICAGO, EUS2)]
)
def test_the_global_name_leads_to_the_nearest_region(
    zone: Zone, source: str, address: str
) -> None:
    """The TTL is 30 s, as in the templates."""
    assert zone.addresses(source=source) == [address]
    assert zone.ask(source=source).answer[0].ttl == 30


def test_client_subnet_goes_before_the_source_address(zone: Zone) -> None:
    """A resolver may ask for somebody who is elsewhere."""
    reply = zone.ask(source=AMSTERDAM, subnet=SYDNEY)

    assert [record.address for record in reply.answer[0]] == [SEA]
    (option,) = reply.options
    assert isinstance(option, dns.edns.ECSOption)
    assert (option.address, option.scopelen) == (SYDNEY, 32)


def test_an_unknown_asker_gets_the_first_region_of_the_profile(zone: Zone) -> None:
    assert zone.addresses(source="127.0.0.1") == [WEU]


def test_a_degraded_region_is_passed_over_for_the_next_nearest(zone: Zone) -> None:
    zone.degrade("sea")

    assert zone.addresses(source=SYDNEY) == [EUS2]
    assert zone.addresses(source=AMSTERDAM) == [WEU]


def test_when_all_are_degraded_all_are_returned_nearest_first(zone: Zone) -> None:
    """Traffic Manager then counts all of them as online."""
    zone.degrade("weu", "eus2", "sea")

    assert zone.addresses(source=SYDNEY) == [SEA, EUS2, WEU]


def test_a_disabled_region_is_never_returned(zone: Zone) -> None:
    zone.manager.enable("sea", is_enabled=False)
    assert zone.addresses(source=SYDNEY) == [EUS2]
    zone.degrade("weu", "eus2")
    assert SEA not in zone.addresses(source=SYDNEY)

    for code in ("weu", "eus2"):
        zone.manager.enable(code, is_enabled=False)
    assert zone.ask().rcode() == dns.rcode.NXDOMAIN


def test_frozen_answers_do_not_change_until_they_thaw(zone: Zone) -> None:
    zone.manager.freeze(is_frozen=True)
    zone.degrade("sea")
    assert zone.addresses(source=SYDNEY) == [SEA]

    zone.manager.freeze(is_frozen=False)
    assert zone.addresses(source=SYDNEY) == [EUS2]


def test_a_region_s_name_is_a_plain_record(zone: Zone) -> None:
    """It is the same from everywhere, in any spelling, healthy or not."""
    zone.degrade("sea")

    assert zone.addresses(f"SEA.{ZONE}", source=AMSTERDAM) == [SEA]
    assert zone.ask(f"sea.{ZONE}").answer[0].ttl == 300


def test_other_names_and_kinds_get_what_dns_has_for_them(zone: Zone) -> None:
    """That is NXDOMAIN, an empty answer, or REFUSED."""
    missing = zone.ask(f"other.{ZONE}")
    assert missing.rcode() == dns.rcode.NXDOMAIN
    assert missing.authority[0].rdtype == dns.rdatatype.SOA
    no_record = zone.ask(kind="AAAA")
    assert (no_record.rcode(), no_record.answer) == (dns.rcode.NOERROR, [])
    assert zone.ask("example.com").rcode() == dns.rcode.REFUSED


def test_it_answers_over_tcp_on_the_same_port(zone: Zone) -> None:
    """A client asks again over TCP when a reply over UDP was cut off."""
    assert zone.addresses(source=SYDNEY, send=dns.query.tcp) == [SEA]


def test_every_answer_is_an_event(zone: Zone) -> None:
    zone.addresses(source=SYDNEY)

    answered = zone.journal.entries()[-1].event
    assert isinstance(answered, DnsAnswered)
    assert (answered.asker, answered.location) == (SYDNEY, "australiaeast")
    assert (list(answered.regions), answered.rcode) == (["sea"], "NOERROR")


def test_a_stub_resolver_keeps_an_answer_as_long_as_its_ttl(zone: Zone) -> None:
    """Each asker has a cache of its own."""
    now = 0.0
    resolver = StubResolver(zone.server.address, clock=lambda: now)
    first = resolver.resolve(GLOBAL, asker=SYDNEY)
    zone.degrade("sea")

    now = 29.9
    assert resolver.resolve(GLOBAL, asker=SYDNEY) == (first.addresses, True)
    assert resolver.resolve(GLOBAL, asker=AMSTERDAM).addresses == [WEU]
    now = 30.1
    assert resolver.resolve(GLOBAL, asker=SYDNEY) == ([EUS2], False)


def test_a_stub_resolver_says_when_there_is_no_address(zone: Zone) -> None:
    """The name may not exist, or nobody may answer."""
    resolver = StubResolver(zone.server.address)
    with pytest.raises(NameUnresolvedError, match="NXDOMAIN"):
        resolver.resolve(f"other.{ZONE}", asker=AMSTERDAM)

    nobody = StubResolver(("127.0.0.1", free_port()), query_seconds=0.1)
    with pytest.raises(NameUnresolvedError, match="no answer"):
        nobody.resolve(GLOBAL, asker=AMSTERDAM)
