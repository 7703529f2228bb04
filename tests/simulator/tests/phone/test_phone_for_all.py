"""The phone for everybody, and for long: keys, screen readers, many calls."""

import gc
import os
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.simulator.page.server import PageServer
from tests.simulator.phone.phone import MAX_CALLS, Phone
from tests.simulator.tests.page.watching import watching
from tests.simulator.tests.phone.conftest import MakePhone, open_page
from tests.simulator.tests.phone.quick_bot import TARGET, write_bot

CONTRAST = Path(__file__).parents[1] / "page" / "contrast.js"
AXE = """async () => {
  const { violations } = await axe.run(document);
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}"""
FOCUSED = "document.activeElement.textContent"
CALL_AND_HANG_UP = """async (count) => {
  const post = async (name, members) => (await fetch(`/api/phone/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(members),
  })).json();
  const until = async (state) => {
    while (document.getElementById("phone").dataset.state !== state) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  for (let number = 0; number < count; number += 1) {
    const { call_id } = await post("call", { caller: "amsterdam", kind: "user" });
    await until("up");
    await post("press", { call_id, key: "#" });
    await post("hang-up", { call_id });
    await until("over");
  }
}"""
_MEGABYTE = 1024 * 1024
# More than the phone keeps; CI places 50.
CALLS = int(os.environ.get("CALLS", "24"))


@pytest.fixture(scope="module")
def phone(make_phone: MakePhone, tmp_path_factory: pytest.TempPathFactory) -> Phone:
    bot = write_bot(tmp_path_factory.mktemp("quick"))
    # Of a short journal nothing is left that would grow with the calls.
    return make_phone(bot, lambda: time.monotonic() * 3, journal_entries=1_000)


@pytest.fixture(scope="module")
def server(phone: Phone) -> Iterator[PageServer]:
    with open_page(phone) as serving:
        yield serving


def test_a_call_is_made_with_the_keyboard_alone(
    browser: Browser, server: PageServer
) -> None:
    """What is heard is in a live region, and the target's buttons take the focus."""
    with watching(browser, server.url, motion="reduce") as opened:
        page = opened.page
        page.keyboard.press("c")
        expect(page.locator("#phone-state")).to_contain_text("In the call")
        lines = page.get_by_role("log", name="What is heard and said")
        expect(lines).to_contain_text("“Press a key.”")
        page.keyboard.press("1")
        expect(page.locator("#phone-target")).to_contain_text(TARGET)
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate(FOCUSED) == "Decline":
                break
        page.keyboard.press("Enter")

        expect(page.locator("#phone-state")).to_have_text("The bot hung up.")
        expect(page.get_by_role("status").first).to_have_text("The bot hung up.")
        assert page.locator(".phone-bar").is_hidden()
        assert opened.complaints == []


def serious(page: Page) -> list[str]:
    """Return what axe finds serious on the page as it is; nothing without axe."""
    if (axe := os.environ.get("AXE")) is None:
        return []
    page.evaluate(Path(axe).read_text("utf-8"))
    found: list[str] = page.evaluate(AXE)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_usable_wide_and_narrow_light_and_dark(
    browser: Browser, server: PageServer, artefacts: Path, width: int, scheme: str
) -> None:
    """Nothing scrolls sideways, and axe finds nothing serious."""
    with watching(browser, server.url, width=width, scheme=scheme) as opened:
        page = opened.page
        found = serious(page)
        page.click(".phone-form button[type=submit]")
        expect(page.locator("#phone-state")).to_contain_text("In the call")
        expect(page.locator("#phone-lines")).to_contain_text("“Press a key.”")
        page.keyboard.press("1")
        expect(page.locator("#phone-target")).to_be_visible()
        page.locator(".phone-event", has_text="transfer").first.locator(
            "summary"
        ).click()
        page.click("#phone-write")
        expect(page.locator("#phone-script")).to_be_focused()

        assert not opened.is_overflowing()
        assert page.evaluate(CONTRAST.read_text()) == []
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=artefacts / f"phone-{width}-{scheme}.png")
        found += serious(page)
        page.click("#phone-hang-up")
        expect(page.locator("#phone-state")).to_have_text("You hung up.")
        assert found == []
        assert opened.complaints == []
        assert opened.outside == []
    if "AXE" not in os.environ:
        pytest.skip("AXE does not say where axe.min.js of the npm package axe-core is")


@pytest.mark.timeout(400)
def test_many_calls_leave_memory_level(
    browser: Browser, server: PageServer, phone: Phone
) -> None:
    """What the page and the server keep of calls is bounded."""
    with watching(browser, server.url, motion="reduce") as opened, ExitStack() as stack:
        page = opened.page
        session = page.context.new_cdp_session(page)

        def sizes() -> tuple[float, float]:
            gc.collect()
            session.send("HeapProfiler.collectGarbage")
            used: Any = session.send("Runtime.getHeapUsage")
            kept, _peak = tracemalloc.get_traced_memory()
            return used["usedSize"] / _MEGABYTE, kept / _MEGABYTE

        # What the C libraries hold back, DuckDB above all, is chance.
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        page.evaluate(CALL_AND_HANG_UP, CALLS // 2)
        page_before, server_before = sizes()
        page.evaluate(CALL_AND_HANG_UP, CALLS // 2)
        page_after, server_after = sizes()

        print(f"page {page_before:.1f} → {page_after:.1f} MB")
        print(f"server {server_before:.1f} → {server_after:.1f} MB")
        assert page_after - page_before < 1.5
        assert server_after - server_before < 4
        assert len(phone.calls) <= MAX_CALLS
        assert opened.complaints == []
