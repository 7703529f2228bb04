"""``python -m tests.simulator explain FILE``: the command line of ``explain``."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from infra.environment import EnvironmentFileError
from shared.core.bot import Bot
from shared.core.handlers import State
from shared.core.strict_json import StrictJsonError, read_object
from tests.simulator.explain.environment import read_environment
from tests.simulator.explain.explanation import Question, explain
from tests.simulator.explain.handlers import BotFileError, load_bot
from tests.simulator.explain.recording import RecordingError, read_recording
from tests.simulator.explain.tenant import is_tenant_id
from tests.simulator.explain.text import clean, to_text
from tests.simulator.options import UNUSABLE, add_environment_option
from tests.support.checkout import CHECKOUT

OWN_BOT = CHECKOUT / "shared" / "bot.py"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument(
        "file", type=Path, help="a body in JSON, HTTP with headers, or the SDK's log"
    )
    add_environment_option(parser)
    parser.add_argument("--region", metavar="CODE", help="where it arrives")
    parser.add_argument("--tenant", metavar="ID", help="tid of the token")
    parser.add_argument(
        "--callback",
        nargs="?",
        const="default",
        metavar="PARTITION",
        help="it came on the callback route (of this partition)",
    )
    parser.add_argument("--hop", action="store_true", help="it was redirected before")
    parser.add_argument(
        "--unhealthy",
        action="append",
        default=[],
        metavar="CODE",
        help="take this region for unhealthy; may be repeated",
    )
    parser.add_argument(
        "--bot",
        type=Path,
        default=OWN_BOT,
        metavar="FILE",
        help="whose handlers are told (default: shared/bot.py)",
    )
    parser.add_argument("--state", metavar="JSON", help="what the call remembers")
    parser.add_argument("--json", action="store_true", help="print data, not words")


def run(arguments: argparse.Namespace) -> int:
    """Explain; 0, or 2 with a sentence if something given cannot be used."""
    try:
        question, regions = _question(arguments)
    except (
        RecordingError,
        EnvironmentFileError,
        BotFileError,
        _ArgumentError,
    ) as error:
        print(f"explain: {clean(str(error), limit=2000)}", file=sys.stderr)
        return UNUSABLE
    explanation = explain(question)
    if arguments.json:
        print(json.dumps(asdict(explanation), indent=2))
        return 0
    bare = replace(question, bot=None)
    landings = [explain(replace(bare, region=region)) for region in regions]
    print(to_text(explanation, landings))
    return 0


class _ArgumentError(ValueError):
    """An option has a value that cannot be used."""


def _question(arguments: argparse.Namespace) -> tuple[Question, Sequence[str]]:
    """Return what is asked, and all regions of the environment."""
    environment = read_environment(arguments.environment)
    known = environment.regions
    region = known[0] if arguments.region is None else arguments.region
    for code in (region, *arguments.unhealthy):
        if code not in known:
            message = f"{code} is no region of {environment.name}; there are: "
            raise _ArgumentError(f"{message}{', '.join(known)}.")
    if arguments.tenant is not None and not is_tenant_id(arguments.tenant):
        message = f"{arguments.tenant} is no tenant ID: it must be a GUID."
        raise _ArgumentError(message)
    try:
        recording = read_recording(arguments.file)
    except RecordingError as error:
        raise RecordingError(f"{arguments.file} {error}") from error
    if arguments.callback is not None:
        recording = replace(recording, partition=arguments.callback)
    if arguments.hop:
        recording = replace(recording, raw_query="hop=1")
    question = Question(
        recording=recording,
        environment=environment,
        region=region,
        tenant=arguments.tenant,
        unhealthy=frozenset(arguments.unhealthy),
        bot=_bot(arguments.bot),
        state=_state(arguments.state),
    )
    return question, known


def _bot(file: Path) -> Bot | None:
    """Load the bot; None where it has no handlers to tell of."""
    bot = load_bot(file.resolve())
    return bot if bot.has_handlers else None


def _state(text: str | None) -> State | None:
    if text is None:
        return None
    try:
        return read_object(text.encode())
    except StrictJsonError as error:
        message = "--state must be a JSON object."
        raise _ArgumentError(message) from error
