"""A page in the browser, with its requests and its complaints."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

# A busy machine is slow.
_SECONDS = 30.0

expect.set_options(timeout=_SECONDS * 1000)

_REMEMBER = """selector => {
  const element = document.querySelector(selector);
  const said = [];
  window.said = { ...window.said, [selector]: said };
  new MutationObserver(() => said.push(element.textContent))
    .observe(element, { childList: true, characterData: true, subtree: true });
}"""


class Watched:
    """An open page; ``complaints`` are the errors and warnings in its console."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._origin = origin
        page.set_default_timeout(_SECONDS * 1000)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))

    def _note(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    @property
    def outside(self) -> list[str]:
        """The requests to other servers than the page's own."""
        own = (self._origin, f"blob:{self._origin}")
        return [url for url in self.requests if not url.startswith(own)]

    def is_overflowing(self) -> bool:
        """Tell whether the page can be scrolled sideways."""
        return bool(
            self.page.evaluate(
                "document.documentElement.scrollWidth > window.innerWidth"
            )
        )


@contextmanager
def watching(
    browser: Browser,
    url: str,
    *,
    width: int = 1280,
    height: int = 860,
    scheme: Any = "light",
    motion: Any = "no-preference",
) -> Iterator[Watched]:
    """Open the page and wait until it is live; close it after the block."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion=motion,
        service_workers="block",
    )
    watched = Watched(context.new_page(), url)
    try:
        watched.page.goto(url)
        watched.page.wait_for_selector("html[data-ready]")
        watched.page.wait_for_selector("#link[data-state=live]")
        yield watched
    finally:
        context.close()


def remember_texts(page: Page, selector: str) -> Callable[[], list[str]]:
    """Remember what an element says from now on: some of it stands only briefly."""
    page.evaluate(_REMEMBER, selector)

    def texts() -> list[str]:
        said: list[str] = page.evaluate("selector => window.said[selector]", selector)
        return said

    return texts


def card_of(page: Page, code: str) -> Locator:
    """Return the card of a region."""
    return page.locator(f".region-card[data-code={code}]")


def verdict_of(page: Page) -> Locator:
    """Return where the page says what would become of a call."""
    return page.locator("#rules-answer .verdict")


def place_call(page: Page, caller: str) -> None:
    """Place a call as people do."""
    page.select_option("#place-caller", caller)
    page.click("#place button[type=submit]")
