"""Where would this call go, and why? The answer while rules are edited.

It comes from ``tests.simulator.explain``, which asks the product; nothing is decided
here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.simulator.explain.explanation import Question, explain
from tests.simulator.explain.journey import Announcement, Journey, Leg, preview
from tests.simulator.explain.recording import Recording
from tests.simulator.page.actions import ActionError, RequestFields
from tests.simulator.page.port import ShownEnvironment
from tests.simulator.page.rules_text import read_rules, rule_problems
from tests.simulator.page.state import unhealthy_of
from tests.simulator.platform import notifications
from tests.simulator.platform.callers import Caller
from tests.simulator.platform.notifications import Call
from tests.simulator.services.signing import TENANT_ID

_HOP = "hop="
_FOLLOW_UPS = ("establishing", "established", "roster", "terminated")


@dataclass(frozen=True, slots=True)
class _Edited:
    """The environment, but with the rules that are being edited."""

    environment: ShownEnvironment
    rules: Sequence[dict[str, Any]]
    name: str

    def app_settings(self, region: str) -> Mapping[str, str]:
        return self.environment.settings_of(region, self.rules)


def preview_call(
    environment: ShownEnvironment, fields: RequestFields
) -> dict[str, Any]:
    """Tell where a call from a caller would go under the edited rules, and why.

    Raises:
        ActionError: the rules or the description of the call cannot be used.
    """
    snapshot = environment.snapshot()
    edited = _edited(environment, fields, snapshot)
    caller = environment.callers[
        fields.text("caller", allowed=list(environment.callers))
    ]
    answered = [e.code for e in environment.traffic_manager.answer(caller.location)]
    codes = [region["code"] for region in snapshot["regions"]]
    chosen = fields.optional_text("landing", allowed=codes)
    landing = chosen or answered[0]
    unhealthy = unhealthy_of(snapshot)
    announcement = _announcement(environment, fields, caller)
    journey = preview(announcement, edited, landing=landing, unhealthy=unhealthy)
    return {
        **asdict(journey),
        "landing": {
            "region": landing,
            "isByDns": chosen is None,
            "isAnswering": landing not in unhealthy,
        },
    }


def explain_step(
    environment: ShownEnvironment,
    fields: RequestFields,
    entries: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Explain a POST of a call that was placed, under the edited rules.

    Args:
        environment: counts with its health and settings of now.
        fields: ``rules`` and ``step``.
        entries: everything about the call, from ``Feed.call``.

    Raises:
        ActionError: there is no such step, or no region received it.
    """
    snapshot = environment.snapshot()
    edited = _edited(environment, fields, snapshot)
    number = fields.number("step", default=0, most=10_000)
    steps = [entry for entry in entries if entry.get("step") == number]
    started = next((s for s in steps if s["kind"] == "step-started"), None)
    ended = next((s for s in steps if s["kind"] == "step-ended"), None)
    region = ended["region"] if ended else None
    if started is None or region is None:
        raise ActionError("No region got this notification.")
    what = started["what"]
    recording = Recording(
        body=json.dumps(started["notification"]).encode(),
        headers={k.lower(): v for k, v in started["headers"].items()},
        raw_query="hop=1" if _HOP in started["url"] else "",
        partition=_partition(started["url"]) if what in _FOLLOW_UPS else None,
    )
    question = Question(
        recording=recording,
        environment=edited,
        region=region,
        tenant=TENANT_ID,
        unhealthy=unhealthy_of(snapshot),
    )
    leg = Leg(what=what, region=region, explanation=explain(question))
    sentence = leg.explanation.verdict.sentence
    return asdict(Journey(legs=(leg,), sentence=f"In {region}: {sentence}"))


def _edited(
    environment: ShownEnvironment, fields: RequestFields, snapshot: Mapping[str, Any]
) -> _Edited:
    rules, problems = read_rules(fields.text("rules"))
    code = snapshot["regions"][0]["code"]
    problems = problems or rule_problems(environment.settings_of(code, rules))
    if problems:
        raise ActionError(*problems)
    return _Edited(environment, rules, snapshot["environment"])


def _announcement(
    environment: ShownEnvironment, fields: RequestFields, caller: Caller
) -> Announcement:
    """Return the notifications that the platform would send for a caller."""
    call = Call(
        tenant_id=fields.optional_text("tenant") or TENANT_ID,
        country_code=fields.optional_text("country_code") or caller.country_code,
        caller_region=caller.region,
        is_policy_recording=fields.flag("is_policy_recording"),
        media_hosted_region=fields.optional_text("media_hosted_region"),
    )
    headers = {"X-Microsoft-Skype-Caller-Region": caller.region}
    legacy = None
    if fields.flag("starts_legacy"):
        legacy = notifications.legacy_incoming(call)
    return Announcement(
        body=notifications.incoming(call, environment.webhook),
        headers=headers,
        legacy=legacy,
        tenant=call.tenant_id,
        was_redirected=fields.flag("was_redirected"),
    )


def _partition(url: str) -> str:
    return url.rpartition("/")[2]
