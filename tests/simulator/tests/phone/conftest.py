"""A small world with a phone: one region, and a bot file that tests may change."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from infra.environment import Environment
from tests.simulator.caller.stories import BOTS
from tests.simulator.environment import World, WorldOptions
from tests.simulator.options import DEFAULT_FILE
from tests.simulator.page.server import PageServer
from tests.simulator.phone.phone import Phone
from tests.simulator.tests.page.conftest import artefacts, browser

# Fixtures that pytest finds here.
__all__ = ["artefacts", "browser"]

# Virtual seconds a second, where no ear listens.
_PACE = 6


def fast_clock() -> float:
    """Run so fast that a prompt takes half a second."""
    return time.monotonic() * _PACE


type MakePhone = Callable[..., Phone]


@pytest.fixture(scope="module")
def one_region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Describe an environment with one region."""
    description = json.loads(DEFAULT_FILE.read_text("utf-8"))
    [region] = [r for r in description["regions"] if r["code"] == "weu"]
    description |= {"regions": [region], "rules": []}
    path = tmp_path_factory.mktemp("params") / "prod.json"
    path.write_text(json.dumps(description))
    return path


@pytest.fixture(scope="module")
def bot_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the example bot menu.py, with its prompts beside it."""
    folder = tmp_path_factory.mktemp("bot")
    shutil.copytree(BOTS / "prompts", folder / "prompts")
    return Path(shutil.copy(BOTS / "menu.py", folder / "bot.py"))


@pytest.fixture(scope="module")
def make_phone(one_region: Path) -> Iterator[MakePhone]:
    """Return what starts a world with a phone for a bot file."""
    with ExitStack() as stack:

        def start(
            bot: Path, clock: Callable[[], float] = fast_clock, **options: Any
        ) -> Phone:
            environment = Environment.read(one_region)
            planned = WorldOptions(bot=bot, **options)
            world = stack.enter_context(World(environment, planned))
            return stack.enter_context(Phone(world, bot, clock=clock))

        yield start


@pytest.fixture(scope="module")
def phone(make_phone: MakePhone, bot_file: Path) -> Phone:
    """Start the phone of the copy of menu.py, with a fast clock."""
    return make_phone(bot_file)


def open_page(phone: Phone) -> PageServer:
    """Return the page of a phone's world."""
    return PageServer(phone.world, phone=phone)
