"""The page for everybody: the keyboard alone, small screens, two schemes."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.simulator.page.server import PageServer
from tests.simulator.tests.page.explained_world import ExplainedWorld
from tests.simulator.tests.page.watching import verdict_of, watching

HERE = Path(__file__).parent
TO_SEA = '[{"countryCode": ["NL"], "regions": ["sea"]}]'
# The focused element and its outline; radio buttons show the outline on their text.
FOCUSED = """
() => {
  const one = document.activeElement;
  const marked = one.matches(".segments input") ? one.nextSibling : one;
  const text = `${one.tagName} ${one.id || one.textContent}`;
  return [text, getComputedStyle(marked).outlineStyle];
}
"""
# Controls that have no name for screen readers.
NAMELESS = """
() => [...document.querySelectorAll("button, input, select, textarea, summary")]
  .filter((one) => !(one.textContent.trim() && one.matches("button, summary"))
    && !one.labels?.length && !one.getAttribute("aria-label"))
  .map((one) => one.outerHTML)
"""


def test_everything_is_done_with_keys_alone(page: Page, world: ExplainedWorld) -> None:
    """Lists, switches and help work with keys; typing is never a shortcut."""
    press = page.keyboard.press
    press("p")
    press("p")
    rows = page.locator("#calls-list li")
    expect(rows).to_have_count(2)
    press("j")
    press("ArrowDown")
    expect(rows.nth(1).locator("button")).to_be_focused()
    expect(rows.nth(1).locator("button")).to_have_attribute("aria-current", "true")
    press("k")
    expect(rows.nth(0).locator("button")).to_have_attribute("aria-current", "true")
    press("d")
    expect(page.locator("#detail")).to_be_focused()
    press("Tab")
    expect(page.locator("#detail-body summary").first).to_be_focused()
    press("r")
    expect(page.locator("#rules-text")).to_be_focused()
    page.keyboard.type("t")
    assert world.traffic.calls_per_second == 0
    press("Escape")
    press("t")
    expect(page.locator("#place [name=rate][value='1']")).to_be_checked()
    page.get_by_role("button", name="Kill").first.focus()
    press("Space")
    expect(page.locator(".region-card .state").first).to_have_text("stopped")
    press("h")
    expect(page.locator(".region-card .state").first).to_have_text("healthy")
    press("?")
    expect(page.locator("#help")).to_be_visible()
    press("Escape")
    expect(page.locator("#help")).not_to_be_visible()


def test_shortcuts_can_be_turned_off(page: Page, world: ExplainedWorld) -> None:
    """Some people's software presses keys (WCAG 2.1.4)."""
    page.keyboard.press("?")
    page.get_by_label("Use single keys as shortcuts").uncheck()
    page.get_by_role("button", name="Close").click()

    page.keyboard.press("t")
    page.reload()
    page.wait_for_selector("#link[data-state=live]")
    page.keyboard.press("t")
    page.click("#place button[type=submit]")

    expect(page.locator("#calls-list li")).to_have_count(1)
    assert world.traffic.calls_per_second == 0


def test_the_focus_is_visible_on_every_control(page: Page) -> None:
    seen = set()
    page.keyboard.press("Tab")
    for _ in range(70):
        page.keyboard.press("Tab")
        focused, outline = page.evaluate(FOCUSED)
        seen.add(focused)
        # After the last control, the browser itself has the focus.
        assert outline != "none" or focused.startswith("BODY"), focused

    assert len(seen) > 25
    assert page.evaluate(NAMELESS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_usable_wide_and_narrow_light_and_dark(
    browser: Browser,
    server: PageServer,
    world: ExplainedWorld,
    artefacts: Path,
    width: int,
    scheme: str,
) -> None:
    """Nothing scrolls sideways, and every text has enough contrast."""
    with watching(browser, server.url, width=width, scheme=scheme) as opened:
        page = opened.page
        for caller in ("frankfurt", "singapore", "new-york", "johannesburg"):
            world.place_call(caller, starts_legacy=caller == "singapore")
        world.inject("region-killed", "eus2")
        world.place_call("chicago")
        page.fill("#rules-text", TO_SEA)
        expect(page.locator("#calls-list li")).to_have_count(5)
        page.locator("#calls-list button", has_text="Johannesburg").click()
        expect(page.locator("#detail-body .step").first).to_be_visible()
        expect(verdict_of(page)).to_contain_text("sent to sea")

        assert not opened.is_overflowing()
        assert page.evaluate((HERE / "contrast.js").read_text()) == []
        page.evaluate("scrollTo(0, 0)")
        path = artefacts / f"page-{width}-{scheme}.png"
        page.screenshot(path=path, full_page=True)
        assert opened.complaints == []
        assert opened.outside == []
