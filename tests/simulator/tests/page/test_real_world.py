"""The page of a running world: processes, DNS, TLS, and a browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from infra.environment import Environment
from tests.simulator.caller.stories import BOTS
from tests.simulator.environment import World, WorldOptions
from tests.simulator.options import DEFAULT_FILE
from tests.simulator.page.server import PageServer
from tests.simulator.tests.page.watching import card_of, verdict_of, watching


@pytest.fixture(scope="module")
def real_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run the environment prod without its American region."""
    description = json.loads(DEFAULT_FILE.read_text("utf-8"))
    description["regions"] = [
        region for region in description["regions"] if region["code"] != "eus2"
    ]
    description["rules"] = [{"countryCode": ["DE"], "regions": ["sea", "weu"]}]
    path = tmp_path_factory.mktemp("params") / "prod.json"
    path.write_text(json.dumps(description))
    options = WorldOptions(bot=BOTS / "menu.py")
    with World(Environment.read(path), options) as world:
        yield world


def test_the_page_follows_a_real_world(
    browser: Browser, real_world: World, artefacts: Path
) -> None:
    """A call is redirected while all is healthy, and stays once its target is dead."""
    with (
        PageServer(real_world) as server,
        watching(browser, server.url, scheme="dark") as opened,
    ):
        page = opened.page
        page.select_option("#place-caller", "frankfurt")
        page.select_option("#rules-caller", "frankfurt")
        expect(verdict_of(page)).to_contain_text("lands in weu, is sent to sea")

        page.click("#place button[type=submit]")

        row = page.locator("#calls-list li").first
        expect(row.locator(".chip")).to_have_text(["302 weu", "202 sea"])
        expect(row).to_have_attribute("data-outcome", "answered")
        details = page.locator("#detail-body details[open]").first
        expect(details).to_contain_text("notification.handled")
        expect(details).to_contain_text("graph_status")
        follow_ups = page.locator("#detail-body .follow-ups")
        expect(follow_ups.locator("summary").first).to_contain_text("5 follow-ups")
        expect(page.locator("#detail-body .came li")).to_contain_text(
            [
                "redirected",
                "incoming answered. Graph: answer: 202",
                re.compile(r"start, menu\.py:\d+ returned subscribeToTone, playPrompt"),
                "established handled. Graph: subscribeToTone: 200; playPrompt: 200",
                "participants follow-up",
                "terminated follow-up. It ended with 0/0",
            ]
        )
        expect(page.locator("#ends tbody tr")).to_contain_text("0/0")

        card_of(page, "sea").get_by_role("button", name="Kill").click()
        expect(card_of(page, "sea").locator(".state")).to_have_text("stopped")
        expect(verdict_of(page)).to_have_text("It lands in weu and is answered there.")
        page.screenshot(path=artefacts / "page-real.png")
        page.get_by_role("button", name="Heal everything").click()
        expect(card_of(page, "sea").locator(".state")).to_have_text("healthy")
        assert opened.complaints == []
        assert opened.outside == []
