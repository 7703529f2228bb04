"""Calls and what must become of them, told as the sequence on the wire.

A story reads like the conversation that it describes:

    Story(
        "redirected",
        PlacedCall(country_code="SG"),
        wire=[
            post("incoming", to="weu") >> 302,
            post("redirected", to="sea") >> 202,
            *follow_ups(to="sea"),
        ],
        region="sea",
    )

All of ``STORIES`` land in ``weu`` and hold wherever rules send Singapore's calls to
``sea`` and leave those of the Netherlands and Germany in ``weu``, as ``RULES`` do. The
demo shows them, the scenario tests and the drill check them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from tests.simulator.platform.calls import CallReport, Outcome, PlacedCall

RULES = ({"countryCode": ["SG", "AU"], "regions": ["sea"]},)
_LANDING = "weu"


class Exchange(NamedTuple):
    """A POST to a region and the reply: a status, or an error of ``failures``."""

    what: str
    region: str | None
    reply: int | str | None

    def __str__(self) -> str:
        """Return it as a story has it."""
        return f"post({self.what!r}, to={self.region!r}) >> {self.reply!r}"


class Post(NamedTuple):
    """A POST to a region; ``>>`` adds the reply."""

    what: str
    region: str

    def __rshift__(self, reply: int | str) -> Exchange:
        return Exchange(self.what, self.region, reply)


def post(what: str, *, to: str) -> Post:
    """Return a POST; ``what`` is that of ``events.StepStarted``."""
    return Post(what, to)


def follow_ups(*, to: str) -> list[Exchange]:
    """Return the follow-ups of an answered call, all of them accepted."""
    names = ("establishing", "established", "established", "roster", "terminated")
    return [post(name, to=to) >> 202 for name in names]


def rejected(*, by: str) -> list[Exchange]:
    """Return how a call is rejected that landed in ``weu``.

    A rejection names no callbackUri, so its follow-up goes to the webhook.
    """
    if by == _LANDING:
        return [post("incoming", to=by) >> 202, post("deleted", to=by) >> 202]
    return [
        post("incoming", to=_LANDING) >> 302,
        post("redirected", to=by) >> 202,
        post("deleted", to=_LANDING) >> 202,
    ]


@dataclass(frozen=True, slots=True)
class Story:
    """A call and what must become of it.

    Attributes:
        region: which answers or rejects the call; None: nobody does.
        to_come: what the product lacks, where that decides how the call ends.
    """

    title: str
    call: PlacedCall
    wire: Sequence[Exchange]
    region: str | None
    outcome: Outcome = Outcome.ANSWERED
    to_come: str | None = None

    def differences(self, report: CallReport) -> list[str]:
        """Return what went otherwise than told, in sentences; nothing: all as told."""
        found = []
        seen = wire_of(report)
        for number, (told, real) in enumerate(zip(self.wire, seen, strict=False)):
            if told != real:
                found.append(f"step {number}: {told} is told, {real} was seen")
        if len(seen) != len(self.wire):
            found.append(f"{len(self.wire)} steps are told, {len(seen)} were seen")
        if (report.outcome, report.region) != (self.outcome, self.region):
            found.append(
                f"{self.outcome} in {self.region} is told, "
                f"{report.outcome} in {report.region} was seen"
            )
        return found


def wire_of(report: CallReport) -> list[Exchange]:
    """Return what really went over the wire, in a story's form."""
    return [
        Exchange(step.what, step.region, step.status or step.error)
        for step in report.steps
    ]


_NO_RECORDER = "no handler of the bot takes it, and nobody here records"
_FROM_SINGAPORE = PlacedCall(country_code="SG", caller_region="apac")

STORIES = (
    Story(
        "legacy first, then to the other region",
        replace(_FROM_SINGAPORE, starts_legacy=True),
        wire=[
            post("legacy", to="weu") >> 204,
            post("incoming", to="weu") >> 302,
            post("redirected", to="sea") >> 202,
            *follow_ups(to="sea"),
        ],
        region="sea",
    ),
    Story(
        "taken where it lands",
        PlacedCall(),
        wire=[post("incoming", to="weu") >> 202, *follow_ups(to="weu")],
        region="weu",
    ),
    Story(
        "redirected",
        _FROM_SINGAPORE,
        wire=[
            post("incoming", to="weu") >> 302,
            post("redirected", to="sea") >> 202,
            *follow_ups(to="sea"),
        ],
        region="sea",
    ),
    Story(
        "policy recording, 5 seconds to reject it",
        PlacedCall(country_code="DE", is_policy_recording=True),
        wire=rejected(by="weu"),
        region="weu",
        outcome=Outcome.REJECTED,
        to_come=_NO_RECORDER,
    ),
    Story(
        "policy recording, legacy first, then to the other region",
        replace(_FROM_SINGAPORE, starts_legacy=True, is_policy_recording=True),
        wire=[post("legacy", to="weu") >> 204, *rejected(by="sea")],
        region="sea",
        outcome=Outcome.REJECTED,
        to_come=_NO_RECORDER,
    ),
    Story(
        "announced twice, answered once",
        PlacedCall(is_duplicated=True),
        wire=[
            post("incoming", to="weu") >> 202,
            post("duplicate", to="weu") >> 202,
            *follow_ups(to="weu"),
        ],
        region="weu",
    ),
    Story(
        "forged token",
        PlacedCall(token_variant="forged"),
        wire=[post("incoming", to="weu") >> 401],
        region=None,
        outcome=Outcome.REFUSED,
    ),
)
