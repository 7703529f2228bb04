"""The page in a real browser: what people see and do."""

import json
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.simulator.page.server import PageServer
from tests.simulator.page.state import rules_of
from tests.simulator.tests.page.explained_world import ExplainedWorld
from tests.simulator.tests.page.watching import (
    card_of,
    place_call,
    verdict_of,
    watching,
)

HERE = Path(__file__).parent
UNUSABLE_RULES = {
    '[{"regions": ["sea"],}]': "line 1, column 21",
    '[{"country": ["NL"], "regions": ["sea"]}]': "unknown condition",
    '[{"regions": ["mars"]}]': "Rule 1 names a region without a host.",
}
REGIONS = {"weu": "westeurope", "eus2": "eastus2", "sea": "southeastasia"}
TO_SEA = '[{"countryCode": ["NL"], "regions": ["sea"]}]'


def test_regions_appear_with_their_health(page: Page) -> None:
    for code, location in REGIONS.items():
        card = card_of(page, code)
        expect(card).to_contain_text(location)
        expect(card.locator(".state")).to_have_text("healthy")
        expect(page.locator(f"#map .region[data-code={code}]")).to_have_attribute(
            "data-tone", "green"
        )
    expect(page.locator("#map-text")).to_contain_text("weu healthy")


def test_a_fault_shows_on_the_card_on_the_map_and_in_dns(page: Page) -> None:
    card = card_of(page, "sea")
    kill = card.get_by_role("button", name="Kill")

    kill.click()

    expect(card.locator(".state")).to_have_text("stopped")
    expect(kill).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#map .region[data-code=sea]")).to_have_attribute(
        "data-tone", "red"
    )
    expect(page.locator(".routes-table dd").nth(2)).to_have_text("nobody")
    expect(page.locator("#activity")).to_contain_text("Fault: Kill the region (sea)")
    page.get_by_role("button", name="Heal everything").click()
    expect(card.locator(".state")).to_have_text("healthy")
    expect(kill).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".routes-table dd").nth(2)).to_contain_text("Singapore")


def test_general_faults_are_switches(page: Page, world: ExplainedWorld) -> None:
    """Each fault turns on and off; one that is over at once is a plain button."""
    slow = page.get_by_role("button", name="Graph slow")

    slow.click()
    expect(slow).to_have_attribute("aria-pressed", "true")
    assert world.active_faults == [("graph-slow", None)]
    slow.click()
    expect(slow).to_have_attribute("aria-pressed", "false")
    rotate = page.get_by_role("button", name="Rotate the signing key")
    rotate.click()

    expect(page.locator("#activity")).to_contain_text("Fault: Rotate the signing key")
    expect(rotate).not_to_have_attribute("aria-pressed", "true")


def test_edited_rules_are_answered_at_once(page: Page) -> None:
    expect(verdict_of(page)).to_have_text("It lands in weu and is answered there.")

    page.fill("#rules-text", TO_SEA)

    expect(verdict_of(page)).to_have_text(
        "It lands in weu, is sent to sea and is answered there."
    )
    expect(page.locator(".legs-line .chip")).to_have_text(["302 weu", "202 sea"])
    decisive = page.locator(".region-rules [data-decides=true]").first
    expect(decisive).to_contain_text("countryCode NL is in [NL]")
    expect(decisive).to_contain_text("sea (healthy)")
    page.get_by_label("redirected before").check()
    expect(verdict_of(page)).to_have_text("It lands in weu and is answered there.")
    page.select_option("#rules-landing", "eus2")
    expect(verdict_of(page)).to_have_text("It lands in eus2 and is answered there.")


def test_the_answer_uses_current_health(page: Page) -> None:
    """A region that dies is passed over without any input."""
    page.fill("#rules-text", '[{"regions": ["sea", "eus2"]}]')
    expect(verdict_of(page)).to_contain_text("sent to sea")

    card_of(page, "sea").get_by_role("button", name="Kill").click()

    expect(verdict_of(page)).to_contain_text("sent to eus2")
    expect(page.locator(".preference[data-outcome=unhealthy]").first).to_contain_text(
        "sea (not healthy)"
    )


def test_unusable_rules_are_explained(page: Page) -> None:
    for text, sentence in UNUSABLE_RULES.items():
        page.fill("#rules-text", text)

        expect(page.locator("#rules-problems")).to_contain_text(sentence)
        expect(page.locator("#rules-text")).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_role("button", name="Apply")).to_be_disabled()

    page.fill("#rules-text", "[]")
    expect(page.locator("#rules-problems")).to_be_empty()
    expect(page.get_by_role("button", name="Apply")).to_be_enabled()


def test_rules_are_applied_to_all_regions_or_one(
    page: Page, world: ExplainedWorld
) -> None:
    """The editor can show the current rules again."""
    page.fill("#rules-text", TO_SEA)

    page.select_option("#rules-target", "weu")
    page.get_by_role("button", name="Apply").click()

    expect(page.locator("#activity")).to_contain_text("weu: 1 region rule")
    assert rules_of(world, "weu") == json.loads(TO_SEA)
    assert rules_of(world, "sea") == list(world.file.rules)
    page.select_option("#rules-target", "sea")
    page.get_by_role("button", name="Show current rules").click()
    expect(page.locator("#rules-text")).to_have_value(
        "[\n  "
        + ",\n  ".join(
            json.dumps(rule, ensure_ascii=False) for rule in world.file.rules
        )
        + "\n]"
    )


def test_a_post_of_a_call_is_explained(page: Page) -> None:
    place_call(page, "johannesburg")
    first = page.locator("#detail-body .step").first
    first.locator("summary").click()

    first.get_by_role("button", name="Explain rule by rule").click()

    answer = page.locator("#rules-answer")
    expect(answer).to_contain_text("The incoming POST to sea")
    expect(answer.locator(".verdict")).to_contain_text("302")
    expect(answer.locator("[data-state=decides]")).to_contain_text("Redirect")


def test_markup_in_data_stays_text(
    browser: Browser, server: PageServer, world: ExplainedWorld
) -> None:
    evil = '<img src=x onerror="alert(1)">'
    world.file = replace(world.file, name=evil)
    world.set_rules([{"countryCode": [evil], "regions": ["sea"]}])
    with watching(browser, server.url) as opened:
        page = opened.page
        world.place_call(
            "amsterdam", media_hosted_region=evil, is_policy_recording=True
        )
        page.locator("#calls-list button").first.click()

        expect(page.locator("#environment")).to_have_text(evil)
        expect(page.locator("#detail-body .raw").first).to_contain_text("onerror")
        expect(page.locator(".region-rules")).to_contain_text(evil)
        assert page.locator("img").count() == 0
        assert opened.complaints == []


def test_traffic_is_followed_without_flights_where_motion_is_unwanted(
    browser: Browser, server: PageServer, world: ExplainedWorld
) -> None:
    with watching(browser, server.url, motion="reduce") as opened:
        page = opened.page
        for _ in range(500):
            world.place_call("johannesburg")

        answered = page.locator("#totals [data-total=answered] dd")
        expect(answered).to_have_text("500")
        assert page.locator("#calls-list li").count() == 60
        assert page.locator(".flight").count() == 0
        assert opened.complaints == []


def test_a_page_that_opens_late_shows_the_past(
    browser: Browser, server: PageServer, world: ExplainedWorld
) -> None:
    world.place_call("johannesburg")
    world.inject("region-hanging", "sea")
    with watching(browser, server.url) as opened:
        page = opened.page
        expect(page.locator("#calls-list li")).to_have_count(1)
        expect(card_of(page, "sea").locator(".state")).to_have_text("hanging")
        expect(page.locator("#totals [data-total=answered] dd")).to_have_text("1")
        opened.page.context.set_offline(True)
        world.place_call("amsterdam")
        opened.page.context.set_offline(False)
        expect(page.locator("#calls-list li")).to_have_count(2)


def test_a_page_without_its_server_says_so(
    browser: Browser, world: ExplainedWorld
) -> None:
    with PageServer(world) as server:
        opening = watching(browser, server.url)
        opened = opening.__enter__()
    try:
        expect(opened.page.locator("#link")).not_to_have_text("live")
        opened.page.click("#place button[type=submit]")
        expect(opened.page.locator("#toast")).to_contain_text("does not answer")
    finally:
        opening.__exit__(None, None, None)
