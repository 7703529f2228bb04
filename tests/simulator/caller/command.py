"""``python -m tests.simulator call --bot FILE --script FILE``: try a bot."""

import sys
from pathlib import Path

from tests.simulator.caller.bot_service import BotService
from tests.simulator.caller.call import ScriptError
from tests.simulator.caller.script import Script, ScriptFileError

_UNUSABLE = 2


def run(bot: Path | None, script_file: Path) -> int:
    """Call a bot by a script; 0 if all went as the script says, else 1."""
    try:
        script = Script.read(script_file)
        service = BotService(bot and bot.resolve())
        with service:
            return _play(script, service)
    except ScriptFileError as error:
        print(error, file=sys.stderr)
    except RuntimeError as error:  # the deployment did not start
        print(error, file=sys.stderr)
    return _UNUSABLE


def _play(script: Script, service: BotService) -> int:
    call = service.place(people=script.people, lengths=script.lengths, **script.members)
    failure = None
    try:
        with call:
            for step in script.steps:
                print(step.line)
                step.play(call)
    except ScriptError as error:
        failure = str(error).splitlines()[0]
    print(f"\n{call.story()}")
    print("\nNotifications, and what was done:")
    for line in call.wire():
        print(f"  {line}")
    print(f"\n{failure or 'All went as the script says.'}")
    return 1 if failure else 0
