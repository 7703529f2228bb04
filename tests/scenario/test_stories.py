"""Whole calls, as the calling platform sees them: the stories."""

import pytest

from tests.simulator.deployments import Deployments
from tests.simulator.platform.stories import STORIES, Story


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_a_call_goes_as_its_story_tells(app: Deployments, story: Story) -> None:
    """On the wire, at Graph, and to the callbackUri."""
    report = app.platform.place(story.call)

    assert story.differences(report) == []
    asked = [a for a in app.graph.answers if a.call_id == report.call_id]
    if story.region is None:
        assert asked == []
        assert report.callback_uri is None
    else:
        assert [answer.status for answer in asked] == [202]
        assert report.callback_uri is not None
        host = app.hosts[story.region]
        assert report.callback_uri.startswith(f"https://{host}/api/calls/")
