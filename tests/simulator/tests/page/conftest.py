"""A browser for the page, and a world of which the page can show something."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.simulator.page.server import PageServer
from tests.simulator.tests.page.scripted_world import ScriptedWorld

# Debian's; playwright's own would have to be downloaded.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARTEFACTS = Path(__file__).resolve().parents[4] / "test-artefacts"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    # No proxy of the machine stands between the browser and loopback.
    "--no-proxy-server",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium with a fresh profile; only as long as one module.

    Playwright keeps an event loop running, which other tests would stumble over.
    """
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    # What talks to the desktop's services waits for them in vain.
    environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=path, args=[*ARGUMENTS], env={**environment}
        )
        yield launched
        launched.close()


@pytest.fixture
def world() -> Iterator[ScriptedWorld]:
    """A world in which nothing runs."""
    with ScriptedWorld() as scripted:
        yield scripted


@pytest.fixture
def server(world: ScriptedWorld) -> Iterator[PageServer]:
    """The page of this world."""
    with PageServer(world) as serving:
        yield serving


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """The folder of screenshots, kept after the tests."""
    ARTEFACTS.mkdir(exist_ok=True)
    return ARTEFACTS
