"""Calls on the page, in a real browser: how each went, and how it ended."""

import re

from playwright.sync_api import Page, expect

from tests.simulator.tests.page.watching import place_call, verdict_of

ANSWERED = re.compile(r"answered by weu in [\d.]+\s(ms|s)")


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
