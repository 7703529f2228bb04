"""shared.edge.build: which build of the app this is, and who is told."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from shared.bot_file import BotFile
from shared.core.bot import Bot
from shared.core.webhook import WebhookRequest
from shared.edge.build import FILE, read_build
from shared.service import build_service
from shared.settings import read_settings


@pytest.mark.parametrize(
    ("written", "build"),
    [
        (b"0a1b2c3d lock 4e5f\n", "0a1b2c3d lock 4e5f"),
        (b"the first line\r\nanother\n", "the first line"),
        (b"", "dev"),
        (b"\n", "dev"),
        (b"\xff\xfe", "dev"),
        (b"x" * 1000, "x" * 200),
        (None, "dev"),
    ],
)
def test_the_build_is_the_one_line_beside_the_app(
    written: bytes | None, build: str, tmp_path: Path
) -> None:
    """docs/behaviour.md section 1."""
    if written is not None:
        (tmp_path / FILE).write_bytes(written)

    assert read_build(tmp_path) == build


def test_a_checkout_is_no_build() -> None:
    assert read_build() == "dev"


def test_the_report_and_every_line_of_the_log_say_the_build(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal's line, too: docs/behaviour.md sections 1 and 10."""
    monkeypatch.setattr("shared.service.read_build", lambda: "0a1b2c3d")
    caplog.set_level(logging.INFO)
    service = build_service(read_settings({}), BotFile(Bot()))

    async def scenario() -> Any:
        await service.receive(WebhookRequest("https://a/", {}, b"{}", received_at=0.0))
        report = await service.health({})
        return json.loads(report.body or b"")

    assert asyncio.run(scenario())["build"] == "0a1b2c3d"
    lines = [json.loads(record.message) for record in caplog.records]
    [line] = [line for line in lines if line["event"] == "notification.handled"]
    assert line["build"] == "0a1b2c3d"
