"""What identity providers do to us, one function or row each.

Every scenario says what callers must see and how often the provider may be asked; the
tests compare, and ``python -m tests.security.provider_figures`` prints.
"""

import asyncio
import ssl
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.security.faults import BAD_MEMBERS, QUICK_FAULTS, SLOW_FAULTS, Fault
from tests.security.front import Figures, Front
from tests.simulator.services.authority import Authority
from tests.simulator.services.signing import SigningKey
from tests.support.keys import running_refresh
from tests.support.processes import run
from tests.support.servers import enormous, in_turn, json_reply, status

HOUR = 3600.0
FRESH = 1 * HOUR
NIGHT = 8 * HOUR
COOLDOWN = 30.0


type Play = Callable[[Front], None]
type TlsOf = Callable[[Authority], ssl.SSLContext]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story with its expected end.

    Attributes:
        name: for people.
        play: what happens at the front.
        statuses: of the replies, in order.
        fetches: how often the provider may be asked, at most.
        is_slow: callers may have to wait for the provider, up to their 3 s.
        tls: makes the provider's certificate.
    """

    name: str
    play: Play
    statuses: tuple[int, ...]
    fetches: int
    is_slow: bool = False
    tls: TlsOf = Authority.server_context

    def run(self, authority: Authority) -> Figures:
        """Play it at a front of its own."""
        with Front(authority, self.tls(authority)) as front:
            self.play(front)
            return front.figures()


def _cold(fault: Fault) -> Play:
    """Three callers, of whom one has an unknown key id, before any set is held."""

    def play(front: Front) -> None:
        fault(front)
        front.call(front.token(), front.token(), front.unknown_token())
        front.settle()
        front.provider.heal()
        front.provider.keys = [front.key]
        front.clock.now += 1
        front.call(front.token())

    return play


def _warm(fault: Fault) -> Play:
    """A known key before, while and after a due refresh fails; an unknown one."""

    def play(front: Front) -> None:
        front.load()
        fault(front)
        front.clock.now += FRESH
        front.call(front.token(), front.token(), front.unknown_token())
        front.settle()
        front.call(front.token())

    return play


def _bad_member(member: Any) -> Play:
    def play(front: Front) -> None:
        front.provider.keys = [member, front.key, member]
        front.call(front.token())

    return play


def one_call(front: Front) -> None:
    """One caller, before any set is held."""
    front.call(front.token())


def _certificate(*names: str, days: int) -> TlsOf:
    end = datetime.now(UTC) + timedelta(days=days)
    return lambda authority: authority.server_context(*names, not_after=end)


def key_added(front: Front) -> None:
    """A new key within the pause, then after it; the old one goes on."""
    front.load()
    new = SigningKey("new-key")
    front.provider.keys.append(new)
    front.clock.now += COOLDOWN - 1
    front.call(front.token(new))
    front.clock.now += 1
    front.call(front.token(new))
    front.call(front.token())


def key_withdrawn(front: Front) -> None:
    """The very same token before and after the refresh that drops its key."""
    front.load()
    token = front.token()
    front.provider.keys = [SigningKey("new-key")]
    front.clock.now += FRESH
    front.call(token)
    front.settle()
    front.call(token)


def key_withdrawn_overnight(front: Front) -> None:
    """The very same token, and a new one, after a night without any request."""
    front.load()
    token = front.token()
    front.call(token)
    front.provider.keys = [SigningKey("new-key")]
    front.clock.now += NIGHT
    front.call(token, front.token())
    front.call(token)


def hangs_in_the_morning(front: Front) -> None:
    """Keys of the evening serve, and are waited for once in each pause."""
    front.load()
    SLOW_FAULTS["never answers"](front)
    front.clock.now += NIGHT
    front.call(front.token(), front.token())
    front.settle()
    for _ in range(20):
        front.call(front.token())


def key_replaced(front: Front) -> None:
    """Another key under the same id: it counts from the next refresh on."""
    front.load()
    new = SigningKey(front.key.key_id)
    old_token, new_token = front.token(), front.token(new)
    front.provider.keys = [new]
    front.call(old_token)
    front.call(new_token)
    front.clock.now += FRESH
    front.call(old_token)
    front.settle()
    front.call(old_token)
    front.call(new_token)


def _down_for(hours: int) -> Play:
    """A call every twenty minutes while the provider is down; at last it comes back."""

    def play(front: Front) -> None:
        front.load()
        front.provider.configuration_script = status(500)
        for _ in range(hours * 3):
            front.clock.now += HOUR / 3
            front.call(front.token())
            front.settle()
        front.provider.heal()
        front.clock.now += 300
        front.call(front.token())
        front.settle()
        front.call(front.token())

    return play


def cold_crowd(front: Front) -> None:
    """32 callers at once before any set is held."""
    front.provider.delay_seconds = 0.15
    front.call(*(front.token() for _ in range(32)))


def _random_key_ids(*, is_failing: bool) -> Play:
    def play(front: Front) -> None:
        front.load()
        if is_failing:
            front.provider.configuration_script = status(500)
        front.clock.now += COOLDOWN
        tokens = [front.unknown_token() for _ in range(1000)]
        for first in range(0, 1000, 50):
            front.call(*tokens[first : first + 50])

    return play


def refresh_delay(authority: Authority) -> tuple[Figures, Figures]:
    """Known keys as usual, and while a refresh of 1.5 s runs."""
    with Front(authority) as front:
        front.load()
        tokens = [front.token() for _ in range(600)]

        async def usual() -> Figures:
            for token in tokens[:300]:
                await front.receive(token)
            return front.figures()

        async def during() -> Figures:
            front.callers.clear()
            front.provider.delay_seconds = 0.75
            front.clock.now += FRESH
            await front.receive(tokens[300])
            for token in tokens[301:]:
                if running_refresh(front.keys) is None:
                    break
                await front.receive(token)
                await asyncio.sleep(0.003)
            return front.figures()

        before = asyncio.run(usual())
        return before, asyncio.run(during())


def memory_growth_mebibytes(authority: Authority) -> float:
    """Peak memory that a 256 MiB key set adds, in a process of its own."""
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from shared.edge.openid import OpenIdProvider, ProviderError
        from tests.simulator.services.signing import ISSUER
        provider = OpenIdProvider(
            configuration_url=sys.argv[1], metadata_issuer=ISSUER, ca_bundle=sys.argv[2]
        )
        def kibibytes(name):
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith(name))
        provider.fetch()
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before = kibibytes("VmRSS")
        try:
            provider.fetch()
        except ProviderError as error:
            print(error.reason.value, (kibibytes("VmHWM") - before) / 1024)
    """)
    with Front(authority) as front:
        keys = json_reply({"keys": [front.key.jwk()]})
        front.provider.key_set_script = in_turn(lambda *_: keys, enormous)
        url, bundle = front.provider.configuration_url, str(authority.bundle)
        done = run(sys.executable, "-c", script, url, bundle, timeout=60)
    assert done.returncode == 0, done.stderr
    reason, growth = done.stdout.split()
    assert reason == "provider-too-large"
    return float(growth)


def scenarios() -> Iterator[Scenario]:
    """List every scenario of the table."""
    cold, warm = (503, 503, 503, 202), (202, 202, 401, 202)
    for faults, is_slow in ((SLOW_FAULTS, True), (QUICK_FAULTS, False)):
        for name, fault in faults.items():
            yield Scenario(f"no keys; {name}", _cold(fault), cold, 2, is_slow)
            yield Scenario(f"keys held; {name}", _warm(fault), warm, 1, is_slow)
    for name, member in BAD_MEMBERS.items():
        yield Scenario(f"one bad member: {name}", _bad_member(member), (202,), 1)
    for name, tls in (
        ("expired certificate", _certificate(days=-1)),
        ("other host's certificate", _certificate("a.example", days=1)),
    ):
        yield Scenario(name, one_call, (503,), 1, tls=tls)
    yield Scenario("key added", key_added, (401, 202, 202), 1)
    yield Scenario("key withdrawn", key_withdrawn, (202, 401), 1)
    yield Scenario(
        "key withdrawn overnight", key_withdrawn_overnight, (202, 401, 401, 401), 1
    )
    yield Scenario(
        "held overnight; never answers", hangs_in_the_morning, (202,) * 22, 1, True
    )
    yield Scenario(
        "key replaced under its id", key_replaced, (202, 401, 202, 401, 202), 1
    )
    yield Scenario("down for 23 h", _down_for(23), (202,) * (23 * 3 + 2), 70)
    down_25 = (202,) * (24 * 3 - 1) + (503,) * (3 + 1) + (202,) * 2
    yield Scenario("down for 25 h", _down_for(25), down_25, 78)
    yield Scenario("32 callers without keys", cold_crowd, (202,) * 32, 1)
    for is_failing in (False, True):
        state = "failing" if is_failing else "healthy"
        yield Scenario(
            f"1,000 random key ids, {state}",
            _random_key_ids(is_failing=is_failing),
            (401,) * 1000,
            1,
        )
