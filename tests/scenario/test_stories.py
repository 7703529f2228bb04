"""Whole calls, as the calling platform sees them: the stories."""

import pytest

from tests.simulator.deployments import Deployments
from tests.simulator.platform.calls import Outcome
from tests.simulator.platform.stories import STORIES, Story


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_a_call_goes_as_its_story_tells(app: Deployments, story: Story) -> None:
    """On the wire, at Graph, and to the callbackUri."""
    report = app.platform.place(story.call)

    assert story.differences(report) == []
    answers, rejects = (
        [asked.status for asked in requests if asked.call_id == report.call_id]
        for requests in (app.graph.answers, app.graph.rejects)
    )
    assert answers == [202] * (story.outcome is Outcome.ANSWERED)
    assert rejects == [202] * (story.outcome is Outcome.REJECTED)
    if story.outcome is Outcome.ANSWERED:
        host = app.hosts[story.region or ""]
        assert (report.callback_uri or "").startswith(f"https://{host}/api/calls/")
    else:
        assert report.callback_uri is None
