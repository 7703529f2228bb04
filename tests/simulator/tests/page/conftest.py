"""A browser for the page, and a world for the page to show."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.simulator.page.server import PageServer
from tests.simulator.tests.page.explained_world import ExplainedWorld
from tests.simulator.tests.page.watching import watching
from tests.support.checkout import CHECKOUT

# Debian's browsers; playwright would have to download its own.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARTEFACTS = CHECKOUT / "test-artefacts"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    # A microphone that hums.
    "--use-fake-device-for-media-stream",
    # The browser must reach loopback without a proxy.
    "--no-proxy-server",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a headless Chromium with a fresh profile for one module.

    Playwright keeps an event loop running, which would disturb other tests.
    """
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    # Chromium would wait for the services of a desktop, which are not there.
    environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=path, args=[*ARGUMENTS], env={**environment}
        )
        yield launched
        launched.close()


@pytest.fixture
def world() -> Iterator[ExplainedWorld]:
    """A world whose regions reply as ``explain`` says."""
    with ExplainedWorld() as scripted:
        yield scripted


@pytest.fixture
def server(world: ExplainedWorld) -> Iterator[PageServer]:
    """The page of this world."""
    with PageServer(world) as serving:
        yield serving


@pytest.fixture
def page(browser: Browser, server: PageServer) -> Iterator[Page]:
    """The live page. It must never log an error or send a request elsewhere."""
    with watching(browser, server.url) as opened:
        yield opened.page
        assert opened.complaints == []
        assert opened.outside == []
        assert len(opened.requests) > 15


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """The folder of screenshots, which stay after the tests."""
    ARTEFACTS.mkdir(exist_ok=True)
    return ARTEFACTS
