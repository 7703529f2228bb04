"""``--bot``: another file in the place of ``shared/bot.py``."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.localhost.process import LocalHost

APP = """
import azure.functions as func
from shared.bot import bot

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="bot", methods=["GET"])
async def tell(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(bot)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app whose own bot says ``own``."""
    directory = tmp_path / "app"
    (directory / "shared").mkdir(parents=True)
    (directory / "shared" / "__init__.py").touch()
    (directory / "shared" / "bot.py").write_text("bot = 'own'\n")
    (directory / "function_app.py").write_text(APP)
    (directory / "host.json").write_text('{"version": "2.0"}')
    return directory


def what_the_bot_says(app: Path, bot: Path | None) -> str:
    with LocalHost({}, app_directory=app, bot=bot) as host:
        return requests.get(f"{host.base_url}/api/bot", timeout=10).text


def test_the_named_file_is_loaded_instead_of_the_app_s_own(
    app: Path, tmp_path: Path
) -> None:
    other = tmp_path / "any name.py"
    other.write_text("bot = 'another'\n")

    assert what_the_bot_says(app, None) == "own"
    assert what_the_bot_says(app, other) == "another"


def test_a_file_that_is_not_there_is_told_at_once(app: Path, tmp_path: Path) -> None:
    missing = LocalHost({}, app_directory=app, bot=tmp_path / "missing.py")

    with pytest.raises(RuntimeError, match=r"missing\.py: there is no such file"):
        missing.__enter__()


@pytest.mark.parametrize(
    "text",
    ["bot = (\n", "bot = 1 / 0\n", "import nothing_like_it\n", "raise SystemExit"],
)
def test_a_broken_file_fails_as_a_broken_bot_of_the_app_s_own(
    app: Path, tmp_path: Path, text: str
) -> None:
    """Type, message and line are the same, and the module is not left behind."""
    other = tmp_path / "other.py"
    other.write_text(text)

    replaced = failure_of(app, other)
    (app / "shared" / "bot.py").write_text(text)
    own = failure_of(app, None)

    assert replaced == own
    assert own[0] != "None"


def failure_of(app: Path, bot: Path | None) -> list[str]:
    """Import the bot; return the error, its line, and whether a module stayed."""
    program = f"""
import sys, traceback
from pathlib import Path
sys.path.insert(0, {str(app)!r})
from tests.localhost.bot_file import load_bot_from
if {bot is not None}:
    load_bot_from(Path({str(bot)!r}))
try:
    import shared.bot
    error = None
except BaseException as caught:
    error = caught
print(type(error).__name__)
last = traceback.extract_tb(error.__traceback__)[-1] if error else None
print(error if not isinstance(error, SyntaxError) else (error.msg, error.lineno))
print(last.lineno if not isinstance(error, SyntaxError) else "")
print("shared.bot" in sys.modules)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return finished.stdout.splitlines()
