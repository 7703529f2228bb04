"""Where a call would go, from its landing to its end: one explanation for each POST."""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from tests.simulator.explain.explanation import (
    Explanation,
    KnownEnvironment,
    Question,
    explain,
)
from tests.simulator.explain.recording import Recording

# What the simulated platform follows, too.
_MAX_HOPS = 3
_HOP = "hop=1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """An incoming call as the platform would post it.

    Attributes:
        legacy: its legacy form, if that comes first.
        was_redirected: it has a hop already when it lands.
    """

    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    legacy: Any = None
    tenant: str | None = None
    was_redirected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One POST: what it is, where it goes, and what becomes of it there."""

    what: str
    region: str
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """All POSTs until nothing follows, and the end in a sentence."""

    legs: tuple[Leg, ...]
    sentence: str


def preview(
    announcement: Announcement,
    environment: KnownEnvironment,
    *,
    landing: str,
    unhealthy: AbstractSet[str] = frozenset(),
) -> Journey:
    """Tell the way of a call that would land in ``landing``."""
    question = Question(
        recording=_recording(announcement.body, announcement),
        environment=environment,
        region=landing,
        tenant=announcement.tenant,
        unhealthy=unhealthy,
    )
    legs: list[Leg] = []
    if announcement.legacy is not None:
        recording = _recording(announcement.legacy, announcement)
        legs.append(_leg("legacy", replace(question, recording=recording)))
    if not legs or legs[0].explanation.verdict.decision == "ask-for-graph":
        legs.append(_leg("incoming", question))
    while legs[-1].explanation.verdict.region and len(legs) <= _MAX_HOPS:
        region = legs[-1].explanation.verdict.region or landing
        recording = replace(question.recording, raw_query=_HOP)
        legs.append(
            _leg("redirected", replace(question, recording=recording, region=region))
        )
    return Journey(legs=tuple(legs), sentence=_sentence(legs))


def _recording(body: Any, announcement: Announcement) -> Recording:
    return Recording(
        body=json.dumps(body).encode(),
        headers={name.lower(): value for name, value in announcement.headers.items()},
        raw_query=_HOP if announcement.was_redirected else "",
    )


def _leg(what: str, question: Question) -> Leg:
    return Leg(what=what, region=question.region, explanation=explain(question))


def _sentence(legs: list[Leg]) -> str:
    regions = [leg.region for leg in legs if leg.what != "legacy"] or [legs[0].region]
    last = legs[-1]
    way = f"It lands in {regions[0]}"
    if len(regions) > 1:
        way += f", is sent to {regions[-1]}"
    match last.explanation.verdict.decision:
        case "answer":
            return f"{way} and is {last.explanation.verdict.end} there."
        case "refuse":
            status = last.explanation.verdict.status
            return f"{way} and is refused there ({status})."
        case _:
            return f"{way}. {last.explanation.verdict.sentence}"
