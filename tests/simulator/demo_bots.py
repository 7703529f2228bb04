"""The demo's calls to bots: one to the example menu, and one to the checkout's own."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from rich.console import Console

from shared.calls import (
    Bot,
    Established,
    Event,
    Incoming,
    OperationCompleted,
    Participants,
    Terminated,
    Tone,
)
from tests.simulator.caller.bot_service import BotService
from tests.simulator.caller.call import BotCall, ScriptError
from tests.simulator.caller.stories import BOTS, STORIES, BotStory
from tests.support.checkout import CHECKOUT

_EVENTS = (
    Incoming,
    Established,
    Tone,
    OperationCompleted,
    Participants,
    Terminated,
    Event,
)
_OWN = CHECKOUT / "shared" / "bot.py"
_MINUTE = 60.0


def play_menu(console: Console, story: BotStory = STORIES[0]) -> list[str]:
    """Call the example menu; return what went otherwise than its story tells."""
    console.print(f"{story.title}, served by a bot file", highlight=False)
    script = story.script
    with BotService(BOTS / f"{story.bot}.py") as service:
        call = service.place(people=script.people, lengths=script.lengths)
        try:
            with call:
                story.play(call)
        except ScriptError as error:
            _print(console, call)
            return [f"{story.title}: {error}"]
        _print(console, call)
    return []


def show_own_bot(console: Console, file: Path = _OWN) -> None:
    """Call the checkout's own bot, if it has handlers, and show what it does."""
    bot = _bot_in(file)
    if bot is None or not any(map(bot.handles, _EVENTS)):
        return
    console.print("your own bot, shared/bot.py", highlight=False)
    with BotService(file) as service:
        call = service.place(may_fail=True)
        try:
            with call:
                call.waits(_MINUTE)
        except ScriptError as error:
            console.print(f"  {str(error).splitlines()[0]}", highlight=False)
        _print(console, call)


def _bot_in(file: Path) -> Bot | None:
    """Load a bot's file; None if that fails, of which health tells more."""
    spec = spec_from_file_location("bot_of_the_demo", file)
    if spec is None or spec.loader is None:
        return None
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit):  # noqa: BLE001 - whatever the file does
        return None
    found = getattr(module, "bot", None)
    return found if isinstance(found, Bot) else None


def _print(console: Console, call: BotCall) -> None:
    for line in call.wire():
        console.print(f"  {line}", highlight=False)
    heard = ", ".join(each.name for each in call.heard if each.is_audible)
    keys = call.conversation.pressed
    told = [f"heard {heard}" if heard else "", f"pressed {keys}" if keys else ""]
    end = "; ".join([*filter(None, told), call.end()])
    console.print(f"  [bold]→ {end}[/]\n", highlight=False)
