"""``python -m tests.simulator``: demo, serve, call, token, and commands of rooms."""

import argparse
import json
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

from tests.simulator import demo
from tests.simulator.caller import command as script_command
from tests.simulator.deployments import Deployments, Plan
from tests.simulator.drill import command as drill
from tests.simulator.explain import command as explain
from tests.simulator.page import command as page
from tests.simulator.platform.calls import Outcome, PlacedCall
from tests.simulator.platform.notifications import Call, incoming
from tests.simulator.platform.stories import RULES
from tests.simulator.report import command as report
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.signing import VARIANTS, SigningKey

_SCENARIOS = {
    "ordinary": PlacedCall(),
    "legacy-then-graph": PlacedCall(starts_legacy=True),
    "policy-recording": PlacedCall(is_policy_recording=True),
    **{name: PlacedCall(token_variant=name) for name in VARIANTS if name != "good"},
}

# Commands with modules of their own.
_COMMANDS = {
    "drill": (drill, "what can go wrong, on purpose"),
    "report": (report, "what operators see, from the lines of a log"),
    "explain": (explain, "what the webhook would do, and why"),
    "world": (page, "all regions of an environment, and a page"),
}


def main() -> int:
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="calls through two regions, checked")
    serve = commands.add_parser(
        "serve", help="the neighbours of a deployment, for make serve"
    )
    serve.add_argument("--key", type=Path, help="PEM file of the signing key, kept")
    call = commands.add_parser("call", help="place one call in two regions")
    call.add_argument("--scenario", choices=sorted(_SCENARIOS), default="ordinary")
    call.add_argument("--country", default="DE", help="where the caller is")
    call.add_argument("--duplicate", action="store_true", help="post it twice")
    call.add_argument("--bot", type=Path, help="bot file instead of shared/bot.py")
    call.add_argument("--script", type=Path, help="what the caller does and expects")
    token = commands.add_parser("token", help="mint a token, good or bad")
    token.add_argument("--key", type=Path, required=True, help="the same as of serve")
    token.add_argument("--variant", choices=sorted(VARIANTS), default="good")
    for name, (command, text) in _COMMANDS.items():
        command.add_arguments(commands.add_parser(name, help=text))
    arguments = parser.parse_args()
    if arguments.command in _COMMANDS:
        return int(_COMMANDS[arguments.command][0].run(arguments))
    match arguments.command:
        case "demo":
            return 0 if demo.run() else 1
        case "serve":
            return _serve(arguments.key)
        case "call":
            if arguments.script is not None:
                return script_command.run(arguments.bot, arguments.script)
            if arguments.bot is not None:
                call.error("--bot needs --script, which says what the caller does")
            return _call(arguments)
        case _:
            return _token(arguments.key, arguments.variant)


def _serve(key_file: Path | None) -> int:
    """Run identity provider, Entra and Graph until the process is stopped."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    key = None if key_file is None else SigningKey.kept_in(key_file)
    with Neighbours(key=key) as neighbours:
        print("# Settings for a deployment; then: make serve", flush=True)
        settings = neighbours.settings(CALLING_GLOBAL_HOST="localhost:7071")
        for name, value in settings.items():
            print(f"export {name}='{value}'", flush=True)
        print("\n# A call, valid for five minutes:", flush=True)
        print(_curl(neighbours, "good"), flush=True)
        stopping.wait()
    return 0


def _call(arguments: argparse.Namespace) -> int:
    """Place one call and show its way; 0 if the bot decided about it."""
    call = replace(
        _SCENARIOS[arguments.scenario],
        country_code=arguments.country,
        is_duplicated=arguments.duplicate,
    )
    with Deployments(Plan(rules=RULES, bot=None)) as running:
        placed = running.platform.place(call)
        for step in placed.steps:
            print(f"{step.what:<13} {step.status or step.error}  {step.url}")
        print(f"→ {placed.outcome.value}")
        for code in running.hosts:
            for line in running.log_lines(code):
                if '"notification.handled"' in line:
                    print(f"{code} {line}")
    return 1 if placed.outcome in {Outcome.LOST, Outcome.REFUSED} else 0


def _token(key_file: Path, variant: str) -> int:
    """Print a token that ``serve`` with the same key file vouches for, or not."""
    neighbours = Neighbours(key=SigningKey.kept_in(key_file))
    print(neighbours.tokens.variant(variant))
    return 0


def _curl(neighbours: Neighbours, variant: str) -> str:
    call = Call(tenant_id=neighbours.tenant_id)
    neighbours.graph.ring(call.call_id, call.tenant_id)
    body = json.dumps(incoming(call, "http://localhost:7071/api/calls"))
    return (
        "curl -i http://localhost:7071/api/calls"
        f" -H 'Authorization: Bearer {neighbours.tokens.variant(variant)}'"
        f" -H 'Content-Type: application/json' -d '{body}'"
    )


if __name__ == "__main__":
    sys.exit(main())
