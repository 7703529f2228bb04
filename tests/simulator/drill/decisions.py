"""10,000 decisions of the function app, each held against the oracle."""

import json
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.localhost.process import CHECKOUT, bare_environment
from tests.simulator.drill.oracle import preferred_regions
from tests.simulator.environment import World
from tests.simulator.platform import notifications

DECISIONS = 10_000
SECONDS = 240

_SEED = 6
_OTHER_TENANT = "1fdd12d0-4620-44ed-baec-459b611f84b2"
_COUNTRIES = ("DE", "de", "FR", "NL", "GB", "US", "BR", "SG", "JP", "AU", "ZA", None)
_REGIONS = ("emea", "EMEA", "amer", "apac", None)
_MEDIA = ("ASEA", "asea", "EASE", "USEA", "EUNO", None)
_TEAMS = ("emea", "amer", "apac", "noam", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How many decisions were made, and how many named exactly the right region."""

    made: int
    exact: int
    redirects: int
    first_wrong: str


class _Case(NamedTuple):
    request: dict[str, Any]
    facts: dict[str, str | None]


def count_exact(world: World, decisions: int = DECISIONS) -> Decided:
    """Let a further deployment of the first region decide calls of all kinds.

    Its rules are those of the world, after some that ask what those do not.
    """
    own = next(iter(world.regions))
    rules = [*_more_rules(list(world.regions)), *world.rules]
    cases = _cases(world, decisions)
    settings = {**world.settings_of(own, rules), "CALLING_ANSWER": "false"}
    verdicts = _decide(cases, settings, dns=world.dns)
    exact = redirects = 0
    first_wrong = ""
    for case, (status, location, _passed_over) in zip(cases, verdicts, strict=False):
        preferred = preferred_regions(rules, case.facts)
        region = preferred[0] if preferred else own
        host = world.regions[region].host
        expected = (
            (202, None) if region == own else (302, f"https://{host}/api/calls?hop=1")
        )
        redirects += status == 302
        if (status, location) == expected:
            exact += 1
        else:
            first_wrong = first_wrong or f"{case.facts}: {status} {location}"
    return Decided(
        made=len(verdicts), exact=exact, redirects=redirects, first_wrong=first_wrong
    )


def _more_rules(codes: Sequence[str]) -> list[Mapping[str, Any]]:
    last = codes[-1]
    return [
        {"tenant": [_OTHER_TENANT.upper()], "countryCode": ["GB"], "regions": [last]},
        {"teamsRegion": ["noam"], "sourceRegion": ["amer"], "regions": [codes[0]]},
        {"sourceRegion": ["emea"], "callerRegion": ["apac"], "regions": [last]},
    ]


def _cases(world: World, count: int) -> list[_Case]:
    """Make calls of all kinds, the same ones in every run."""
    chance = random.Random(_SEED)
    tokens = {
        tenant: world.neighbours.tokens.mint(tid=tenant)
        for tenant in (world.neighbours.tenant_id, _OTHER_TENANT)
    }
    return [_case(world, chance, tokens) for _ in range(count)]


def _case(world: World, chance: random.Random, tokens: Mapping[str, str]) -> _Case:
    tenant = chance.choice(list(tokens))
    media = chance.choice(_MEDIA)
    call = notifications.Call(
        tenant_id=tenant,
        country_code=chance.choice(_COUNTRIES),
        caller_region=chance.choice(_REGIONS),
        is_policy_recording=media is not None,
        media_hosted_region=media,
    )
    caller_region, teams_region = chance.choice(_REGIONS), chance.choice(_TEAMS)
    headers = {
        "authorization": f"Bearer {tokens[tenant]}",
        "x-microsoft-skype-caller-region": caller_region,
        "ms-teams-region": teams_region,
    }
    request = {
        "headers": {name: value for name, value in headers.items() if value},
        "body": json.dumps(notifications.incoming(call, world.webhook)),
    }
    facts = {
        "tenant": tenant,
        "countryCode": call.country_code,
        "sourceRegion": call.caller_region,
        "mediaHostedRegion": media,
        "callerRegion": caller_region,
        "teamsRegion": teams_region,
    }
    return _Case(request, facts)


def _decide(
    cases: Sequence[_Case], settings: Mapping[str, str], *, dns: str
) -> list[tuple[int, str | None, bool]]:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.simulator.drill.decider", "--dns", dns],
        input="".join(json.dumps(case.request) + "\n" for case in cases),
        cwd=CHECKOUT,
        env={**bare_environment(), **settings},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    verdicts = [json.loads(line) for line in finished.stdout.splitlines()]
    return [(status, location, passed) for status, location, passed in verdicts]
