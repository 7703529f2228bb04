"""Conditions of region rules: values deep in the notification, or several of them."""

from typing import Any

import pytest

from shared.core import regions as module
from shared.core.conditions import CONDITION_NAMES, CONDITIONS, Origin, read_facts
from shared.core.notifications import read_notification
from shared.core.regions import RegionPolicy, RegionRule
from tests.simulator.platform.notifications import incoming
from tests.support.rules import call_from

USER_ID = "550fae72-d251-43ec-868c-373732c2704f"
NUMBER = "+4930123456"


def facts_of(**members: Any) -> dict[str, tuple[str, ...]]:
    """Return the facts of an incoming call with these members of ``resourceData``."""
    [item] = incoming(call_from("DE", is_policy_recording=True), "https://b")["value"]
    item["resourceData"] |= members
    notification = read_notification(item)
    assert notification is not None
    headers = {"x-microsoft-skype-caller-region": "emea", "ms-teams-region": "emea"}
    return dict(read_facts(Origin(notification, "tenant", headers)))


def bot_data(**members: Any) -> dict[str, Any]:
    """Return ``applicationMetadata`` with this ``botData``."""
    return {"botData": members}


def at(location: object) -> dict[str, object]:
    """Return somebody at a client location."""
    return {"participationMethod": "callee", "clientLocation": location}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (bot_data(user=at("US"), otherSideUser=at("EUNO"), clientLocation="A"), "US"),
        (bot_data(otherSideUser=at("EUNO"), clientLocation="ASEA"), "EUNO"),
        (bot_data(clientLocation="ASEA"), "ASEA"),
        (bot_data(user=at(None), otherSideUser=at("EUNO")), "EUNO"),
        (bot_data(user=at(""), otherSideUser="x", clientLocation="ASEA"), "ASEA"),
        (bot_data(user=at(["US"])), None),
        (bot_data(user=[at("US")]), None),
        (bot_data(user=at("x" * 257)), None),
        ({"botData": [at("US")]}, None),
        ("botData", None),
        (None, None),
    ],
)
def test_the_client_location_is_the_users_then_the_other_sides_then_its_own(
    members: object, expected: str | None
) -> None:
    facts = facts_of(applicationMetadata=members)

    assert facts["clientLocation"] == ((expected,) if expected else ())


@pytest.mark.parametrize(
    "kind", ["user", "application", "applicationInstance", "phone"]
)
def test_a_callee_is_the_id_of_any_kind_of_identity(kind: str) -> None:
    targets = [{"identity": {kind: {"id": USER_ID, "displayName": "Somebody"}}}]

    assert facts_of(targets=targets)["callee"] == (USER_ID,)


def test_all_identities_of_all_targets_are_callees() -> None:
    targets = [
        {"identity": {"phone": {"id": NUMBER}, "user": {"id": USER_ID}}},
        {"identity": {"applicationInstance": {"id": "sales"}}},
    ]

    assert set(facts_of(targets=targets)["callee"]) == {NUMBER, USER_ID, "sales"}


@pytest.mark.parametrize(
    "targets",
    [
        *(None, {}, "x", [], [None, 1, "x", [], {}]),
        [{"identity": None}, {"identity": []}, {"identity": {"user": "x"}}],
        [{"identity": {"guest": {"id": "x"}}}, {"user": {"id": "x"}}],
        [{"identity": {"user": {"id": 1}, "phone": {"id": ""}}}],
        [{"identity": {"user": {"id": "x" * 257}}}],
    ],
)
def test_targets_of_an_unknown_shape_have_no_callee(targets: object) -> None:
    assert facts_of(targets=targets)["callee"] == ()


def facts(**known: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return facts, none but these."""
    return {name: known.get(name, ()) for name in CONDITION_NAMES}


@pytest.mark.parametrize("condition", CONDITION_NAMES)
def test_a_condition_holds_if_any_value_of_the_call_is_listed(condition: str) -> None:
    """Compared without case; a value that is not there matches nothing."""
    rule = RegionRule(regions=("weu",), conditions={condition: ["Sales", "Help"]})

    for values, holds in (
        (("HELP",), True),
        (("other", "sales"), True),
        (("sales", "other", "help"), True),
        (("other",), False),
        (("none", "None", ""), False),
        ((), False),
    ):
        known = facts(**{condition: values})
        assert rule.holds(known) is holds
        assert (RegionPolicy([rule]).find_rule(known) is rule) is holds


def test_every_condition_has_a_value_in_a_recorded_call() -> None:
    """So that no condition asks for something that is never there."""
    known = facts_of()

    assert [one.name for one in CONDITIONS if not known[one.name]] == []


@pytest.mark.requirement("R25")
def test_calls_with_very_many_listed_callees_are_not_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of them would take much memory; they are decided all the same."""
    assert module._MAX_REMEMBERED_VALUES == 64
    monkeypatch.setattr(module, "_MAX_REMEMBERED_VALUES", 2)
    names = [f"callee-{number}" for number in range(3)]
    policy = RegionPolicy([RegionRule(regions=("weu",), conditions={"callee": names})])

    for count in (3, 2, 3):
        found = policy.find_rule(facts(callee=tuple(names[:count])))
        assert found.regions == ("weu",)
    assert len(policy._remembered) == 1
    assert policy.find_rule(facts(callee=(*names[:2], names[0]))).regions == ("weu",)
    assert len(policy._remembered) == 1
    unlisted = tuple(f"unlisted-{number}" for number in range(1000))
    assert policy.find_rule(facts(callee=unlisted)).regions == ()
    assert len(policy._remembered) == 2
