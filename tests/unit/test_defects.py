"""shared.service: a defect of ours, wherever it is, is a 503 and one short line."""

import asyncio
import json

import pytest

from shared import service as module
from shared.service import Service, UsableService
from tests.support.service import ScriptedNeighbours, receive


def test_a_defect_before_the_token_is_accepted_says_nothing_of_the_request(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Any stranger may cause it: ten lines a minute, with the place of the defect."""

    async def fail(_key_id: str) -> None:
        raise RuntimeError

    monkeypatch.setattr(service.keys, "find", fail)
    headers = {"x-microsoft-skype-message-id": "of-a-stranger"}
    for _ in range(12):
        assert receive(service, neighbours.follow_up(headers=headers)).status == 503

    line = json.loads(caplog.records[-1].message)
    assert (line["reason"], line["type"]) == ("unexpected-error", "RuntimeError")
    assert "of-a-stranger" not in caplog.text
    assert caplog.text.count('"reason":"unexpected-error"') == 10


def test_nothing_escapes_where_the_service_cannot_be_built(
    neighbours: ScriptedNeighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host would answer 500, and the platform would not come again."""

    def fail() -> Service:
        raise MemoryError

    monkeypatch.setattr(module, "get_service", fail)

    assert asyncio.run(module.receive(neighbours.follow_up())).status == 503
    assert asyncio.run(module.health({})).status == 503
