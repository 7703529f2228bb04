"""What the instances of a region are, and what its log says of them."""

from dataclasses import replace
from typing import Any

import pytest

from infra.environment import Environment
from tests.simulator.environment.events import LogWritten, RegionChanged
from tests.simulator.instances.passing_over import judge
from tests.simulator.instances.ways import Way, partitions_of, way_of
from tests.simulator.options import DEFAULT_FILE
from tests.simulator.platform.journal import Entry

URL = "https://bot-a.contoso.com/api/calling"


def file_with(partitions: Any, **settings: str) -> Environment:
    """Return the environment prod, whose first region has partitions."""
    file = Environment.read(DEFAULT_FILE)
    first, *others = file.regions
    regions = (replace(first, partitions=partitions), *others)
    return replace(file, regions=regions, settings={**file.settings, **settings})


@pytest.mark.parametrize(
    ("partitions", "settings", "way"),
    [
        (None, {}, Way.NONE),
        (["a", "b"], {}, Way.NONE),
        ({"a": URL}, {}, Way.FORWARD),
        ({"a": URL}, {"CALLING_DELIVERY": "direct"}, Way.DIRECT),
        ({"a": URL}, {"CALLING_ANSWER": "false"}, Way.OWN_MEDIA),
    ],
)
def test_an_environment_file_says_whether_there_are_instances(
    partitions: Any, settings: dict[str, str], way: Way
) -> None:
    assert way_of(file_with(partitions, **settings)) is way


def test_each_partition_of_a_region_has_an_instance_and_may_be_draining() -> None:
    one = file_with({"x": URL, "y": {"url": URL, "draining": True}})
    named = file_with(["x"])

    assert partitions_of(one, "weu") == {"x": False, "y": True}
    assert partitions_of(named, "weu") == {"x": False}
    assert partitions_of(named, "sea") == {"a": False, "b": False}


def log(seconds: float, **line: Any) -> Entry:
    return Entry(0, seconds, LogWritten(region="weu", call_id=None, line=line))


def passed_over(*entries: Entry) -> float:
    """Return until when the instance ``a`` of weu is passed over after all this."""
    until = 0.0
    for entry in entries:
        for judgement in judge(entry):
            if judgement.is_about("weu", "a"):
                until = judgement.until_seconds
    return until


def test_an_instance_is_passed_over_for_30_s_from_its_third_failure() -> None:
    """The region's log says when they begin; no later failure prolongs them."""
    first = log(10.0, event="instance.passed-over", instance="a")
    failed = log(20.0, instance="a", reason="delivery-unavailable")
    rings = log(21.0, instance="a", reason="delivery-refused", call_state="incoming")
    token = log(22.0, instance="a", reason="credential-unavailable")
    other = log(23.0, items=[{"instance": "b", "reason": "delivered"}])

    assert passed_over(failed) == 0
    assert passed_over(first) == 40
    assert passed_over(first, failed, rings, token, other) == 40
    again = log(41.0, event="instance.passed-over", instance="a")
    assert passed_over(first, failed, again) == 71


def test_a_success_or_a_restart_of_the_region_ends_it() -> None:
    first = log(10.0, event="instance.passed-over", instance="a")
    took = log(11.0, items=[{"instance": "a", "reason": "instance-without-call"}])
    restarted = RegionChanged(region="weu", state="starting", pid=None)

    assert passed_over(first, took) == 0
    assert passed_over(first, Entry(0, 12.0, restarted)) == 0
