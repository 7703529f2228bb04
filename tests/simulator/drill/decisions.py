"""10,000 decisions of the function app, each compared with the oracle's."""

import json
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.localhost.process import bare_environment
from tests.simulator.drill.oracle import preferred_regions
from tests.simulator.environment import World
from tests.simulator.platform import notifications
from tests.support.checkout import CHECKOUT

DECISIONS = 10_000
SECONDS = 240

_SEED = 6
_OTHER_TENANT = "1fdd12d0-4620-44ed-baec-459b611f84b2"
_COUNTRIES = ("DE", "de", "FR", "NL", "GB", "US", "BR", "SG", "JP", "AU", "ZA", None)
_REGIONS = ("emea", "EMEA", "amer", "apac", None)
_MEDIA = ("ASEA", "asea", "EASE", "USEA", "EUNO", None)
_TEAMS = ("emea", "amer", "apac", "noam", None)
_CALLEES = ("+4930123456", "+6531234567", "0f3a6a1c-6d7e-4a8e-8b55-b0d6a1c7e2f4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How many decisions were made, and how many named exactly the right region."""

    made: int
    exact: int
    redirects: int
    first_wrong: str


class Decision(NamedTuple):
    """What the function app decided: the status, and the Location of a redirect.

    ``was_passed_over`` tells whether a preferred region was taken for unhealthy.
    """

    status: int
    location: str | None
    was_passed_over: bool


class _Case(NamedTuple):
    request: dict[str, Any]
    facts: dict[str, str | None]


def count_exact(world: World, count: int = DECISIONS) -> Decided:
    """Let a further deployment of the first region decide calls of all kinds.

    Its rules are those of the world, after some with other conditions.
    """
    own = next(iter(world.regions))
    rules = [*_more_rules(list(world.regions)), *world.rules]
    cases = _cases(world, count)
    settings = {**world.settings_of(own, rules), "CALLING_ANSWER": "false"}
    decisions = _decide(cases, settings, dns=world.dns)
    exact = 0
    first_wrong = ""
    for case, decision in zip(cases, decisions, strict=False):
        region = next(iter(preferred_regions(rules, case.facts)), own)
        host = world.regions[region].host
        expected = (
            (202, None) if region == own else (302, f"https://{host}/api/calls?hop=1")
        )
        if (decision.status, decision.location) == expected:
            exact += 1
        else:
            first_wrong = first_wrong or f"{case.facts}: {decision}"
    return Decided(
        made=len(decisions),
        exact=exact,
        redirects=sum(decision.status == 302 for decision in decisions),
        first_wrong=first_wrong,
    )


def _more_rules(codes: Sequence[str]) -> list[Mapping[str, Any]]:
    last = codes[-1]
    return [
        {"tenant": [_OTHER_TENANT.upper()], "countryCode": ["GB"], "regions": [last]},
        {"teamsRegion": ["noam"], "sourceRegion": ["amer"], "regions": [codes[0]]},
        {"sourceRegion": ["emea"], "callerRegion": ["apac"], "regions": [last]},
        {"clientLocation": ["us"], "countryCode": ["ZA"], "regions": [last]},
        {"callee": [_CALLEES[0], _CALLEES[2].upper()], "regions": [codes[0]]},
    ]


def _cases(world: World, count: int) -> list[_Case]:
    """Make calls of all kinds; they are the same in every run."""
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
    body = notifications.incoming(call, world.webhook)
    callee = chance.choice((*_CALLEES, None))
    if callee is not None:
        kind = "phone" if callee.startswith("+") else "applicationInstance"
        [target] = body["value"][0]["resourceData"]["targets"]
        target["identity"][kind] = {"id": callee}
    request = {
        "headers": {name: value for name, value in headers.items() if value},
        "body": json.dumps(body),
    }
    facts = {
        "tenant": tenant,
        "countryCode": call.country_code,
        "sourceRegion": call.caller_region,
        "mediaHostedRegion": media,
        "callerRegion": caller_region,
        "teamsRegion": teams_region,
        "clientLocation": notifications.CLIENT_LOCATION if media else None,
        "callee": callee,
    }
    return _Case(request, facts)


def _decide(
    cases: Sequence[_Case], settings: Mapping[str, str], *, dns: str
) -> list[Decision]:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.simulator.drill.batch_decider", "--dns", dns],
        input="".join(json.dumps(case.request) + "\n" for case in cases),
        cwd=CHECKOUT,
        env={**bare_environment(), **settings},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return [Decision(*json.loads(line)) for line in finished.stdout.splitlines()]
