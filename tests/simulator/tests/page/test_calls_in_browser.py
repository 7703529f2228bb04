"""Calls on the page, in a real browser: how each went, and how it ended."""

import re

from playwright.sync_api import Page, expect

from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.events import CallEnded
from tests.simulator.tests.page.explained_world import ExplainedWorld
from tests.simulator.tests.page.watching import place_call, verdict_of

ANSWERED = re.compile(r"answered by weu in [\d.]+\s(ms|s)")


def end_of(call_id: str, code: int, subcode: int) -> LogWritten:
    """Return the line that weu logs when a call has ended."""
    line = {
        "event": "notification.handled",
        "reason": "follow-up",
        "status": 202,
        "tenant_id": "3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87",
        "call_id": call_id,
        "call_state": "terminated",
        "bot_event": "terminated",
        "result_code": code,
        "result_subcode": subcode,
        "region": "weu",
        "build": "dev",
    }
    return LogWritten(region="weu", call_id=call_id, line=line)


def sent_on() -> CallEnded:
    """Return the end of a call that the bot has sent on to somebody."""
    return CallEnded(
        call_id="a-call",
        caller="paris",
        outcome="redirected",
        why=None,
        region="weu",
        hops=0,
        attempts=1,
        answer_seconds=0.1,
        placed_at_seconds=0.0,
    )


def test_placing_a_call_shows_its_path(page: Page) -> None:
    place_call(page, "johannesburg")

    row = page.locator("#calls-list li").first
    expect(row).to_contain_text("Johannesburg")
    expect(row.locator(".chip")).to_have_text(["302 sea", "202 weu"])
    path = page.locator("#detail-body")
    expect(path.locator(".outcome")).to_contain_text(ANSWERED)
    expect(path.locator(".step").first).to_contain_text("calls?hop=1")
    expect(path.locator("details[open] .members").first).to_contain_text("answered")
    expect(path.locator("details[open] .raw")).to_contain_text('"state": "incoming"')
    announced = re.compile(f"^Call from Johannesburg: {ANSWERED.pattern}\\.$")
    expect(page.locator("#announcer")).to_have_text(announced)
    expect(page.locator("#totals [data-total=redirects] dd")).to_have_text("1")


def test_a_call_that_the_bot_rejects_is_shown_as_rejected(page: Page) -> None:
    page.select_option("#place-caller", "frankfurt")
    page.get_by_label("policy recording (5 s)").check()

    page.click("#place button[type=submit]")

    row = page.locator("#calls-list li").first
    expect(row.locator(".end")).to_have_text("rejected")
    path = page.locator("#detail-body")
    expect(path.locator(".outcome")).to_contain_text(
        re.compile("rejected by weu in .* of 5 s")
    )
    expect(path.locator(".follow-ups")).to_contain_text("deleted")
    expect(page.locator("#totals [data-total=rejected] dd")).to_have_text("1")
    expect(page.locator("#totals [data-total=lost] dd")).to_have_text("0")
    page.get_by_label("policy recording", exact=True).check()
    expect(verdict_of(page)).to_have_text("It lands in weu and is rejected there.")


def test_a_legacy_call_gets_204_then_202(page: Page) -> None:
    page.select_option("#place-caller", "frankfurt")
    page.check("#place-legacy")

    page.click("#place button[type=submit]")

    chips = page.locator("#calls-list li .chip")
    expect(chips).to_have_text(["204 weu", "202 weu"])


def test_how_calls_ended_is_counted(page: Page, world: ExplainedWorld) -> None:
    """By outcome as the platform saw it, and by result code in the report's words."""
    ids = [world.place_call("frankfurt").result().call_id for _ in range(3)]
    world.inject("region-killed", "weu")
    world.traffic_manager.freeze(is_frozen=True)
    world.place_call("frankfurt")
    for call_id in ids[:2]:
        world.journal.append(end_of(call_id, 200, 7000))
    world.journal.append(end_of(ids[2], 408, 8537))
    world.journal.append(sent_on())

    counted = ["answered3", "rejected by the bot0", "sent on by the bot1"]
    counted += ["lost1connection-refused 1", "refused0"]
    outcomes = page.locator("#ends .outcomes > div")
    expect(outcomes).to_have_text(counted)
    page.reload()
    expect(outcomes).to_have_text(counted)
    rows = page.locator("#ends tbody tr")
    expect(rows).to_contain_text(
        ["200/7000The bot ended the call.", "408/8537keepAlive did not come in time."]
    )
    expect(rows.locator(".number")).to_have_text(["2", "1"])
    rows.last.get_by_role("button").press("Enter")
    expect(page.locator("#detail")).to_be_focused()
    expect(page.locator("#detail-body .ids")).to_contain_text(ids[2])
    expect(page.locator("#detail-body .came").last).to_contain_text(
        "It ended with 408/8537: keepAlive did not come in time."
    )
