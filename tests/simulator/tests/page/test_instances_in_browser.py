"""The instances on the page, in a real browser and a running world of one region."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from infra.environment import Environment
from tests.simulator.environment import World
from tests.simulator.environment.events import LogWritten
from tests.simulator.instances.regional import RegionalInstances
from tests.simulator.options import DEFAULT_FILE
from tests.simulator.page.server import PageServer
from tests.simulator.platform.calls import PlacedCall
from tests.simulator.platform.notifications import follow_ups
from tests.simulator.tests.page.watching import watching

CONTRAST = Path(__file__).with_name("contrast.js")
LOOKS: tuple[tuple[int, Any], ...] = ((1280, "dark"), (390, "light"), (390, "dark"))


@pytest.fixture(scope="module")
def one_region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run the environment prod with its first region only."""
    description = json.loads(DEFAULT_FILE.read_text("utf-8"))
    description |= {"regions": description["regions"][:1], "rules": []}
    path = tmp_path_factory.mktemp("params") / "prod.json"
    path.write_text(json.dumps(description))
    with World(Environment.read(path)) as world:
        yield world


def hold_a_call(world: World) -> Callable[[str], object]:
    """Let an instance hold a call from Frankfurt; return what sends an event of it."""
    placed = PlacedCall(caller="frankfurt")
    call = world.platform.call_of(placed)
    report = world.platform.announce(placed, call)
    bodies = dict(follow_ups(call, "in-order"))

    def send(what: str) -> object:
        url = str(report.callback_uri)
        return world.platform.send(call, report, what, bodies[what], url)

    send("establishing")
    return send


def test_instances_hold_calls_and_fail_as_people_like(
    browser: Browser, one_region: World, artefacts: Path
) -> None:
    """Each fault is a button; what it changes is announced."""
    with (
        RegionalInstances(one_region) as instances,
        PageServer(one_region, instances=instances) as server,
        watching(browser, server.url, motion="reduce") as opened,
    ):
        page, press = opened.page, opened.page.keyboard.press
        page.select_option("#instances-way", "forward")
        page.focus("#instances-way")
        press("Tab")
        press("Enter")
        cards = page.locator(".instance-card")
        expect(cards).to_have_count(2)
        expect(page.locator("#announcer")).to_contain_text("is running")
        expect(page.locator("#instances-form button")).to_be_disabled()

        send = hold_a_call(one_region)
        held = page.locator(".instance-card:has(.held)")
        expect(held).to_contain_text("holds1 callfrom Frankfurt")
        region, name = str(held.get_attribute("data-instance")).split("/")
        card = page.locator(f".instance-card[data-instance='{region}/{name}']")
        card.locator(".held").press("Enter")
        expect(page.locator("#detail-body .came").last).to_contain_text(
            re.compile(f"establishing delivered. Instance {name} replied 202 in ")
        )
        for button, found in (
            ("Slow", "slow"),
            ("Cure", "accepting"),
            ("Move", "is at127.0.1.4"),
            ("Kill", "dead"),
        ):
            card.get_by_role("button", name=button).press("Space")
            expect(card).to_contain_text(found)
        kill = card.get_by_role("button", name="Kill")
        expect(kill).to_have_attribute("aria-pressed", "true")
        told = f"Instance {name} of {region} is dead."
        expect(page.locator("#announcer")).to_have_text(told)
        line = {"event": "instance.passed-over", "instance": name}
        one_region.journal.append(LogWritten(region=region, call_id=None, line=line))
        expect(card.locator(".state")).to_contain_text("dead, passed over for ")
        for width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 860})
            page.emulate_media(color_scheme=scheme)
            assert not opened.is_overflowing()
            assert page.evaluate(CONTRAST.read_text()) == []
        page.locator("#instances-panel").screenshot(path=artefacts / "instances.png")

        press("h")
        expect(card.locator(".state")).to_contain_text("passed over for ")
        send("established")
        expect(card.locator(".state")).to_have_text("accepting")
        card.get_by_role("button", name="Restart").press("Enter")
        expect(card).to_contain_text("holds0 calls")
        assert opened.complaints == []
        assert opened.outside == []
