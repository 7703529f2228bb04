"""The command ``infra/deploy.sh``; ``options`` describes it."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.deploy import options as described
from infra.deploy.actions import Actions
from infra.deploy.names import Target
from infra.deploy.options import UsageError, read_options
from infra.deploy.preflight import ask_all, print_all
from infra.deploy.remove import remove
from infra.deploy.rollout import deploy
from infra.deploy.runner import Machine, Runner, StoppedError, ThisMachine
from infra.deploy.traffic import drain, undrain
from infra.deploy.what_if import what_if
from infra.environment import PARAMS, Environment, check_environment

_INTERRUPTED = 130
_PREAMBLE = """#!/usr/bin/env bash
# What `infra/deploy.sh {command}` runs, in the checkout, if no region is new.
# shellcheck disable=SC2034 # only the program or you use some of the answers
set -euo pipefail
export MICROSOFT_APP_ID="${{MICROSOFT_APP_ID:?}}"
export LOG_ANALYTICS_WORKSPACE_ID="${{LOG_ANALYTICS_WORKSPACE_ID:?}}"
export BOT_NAME="${{BOT_NAME:-}}" BOT_RESOURCE_GROUP="${{BOT_RESOURCE_GROUP:-}}"
export ACTION_GROUP_ID="${{ACTION_GROUP_ID:-}}"
"""


def main(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    machine: Machine,
    params: Path = PARAMS,
) -> int:
    """Do what the operator wants; return the exit status.

    Args:
        arguments: of the command.
        environ: the environment variables.
        machine: where commands run.
        params: the folder of the descriptions.
    """
    try:
        options = read_options(arguments, environ)
        if options is None:
            print(described.__doc__)
            return 0
        target = Target(_read_environment(options.environment, params), options)
        _check_code(target)
    except UsageError as error:
        return _stop(str(error))
    if options.is_dry:
        command = " ".join(arguments).replace("--dry-run ", "")
        print(_PREAMBLE.format(command=command), end="")
    if options.task == "preflight" or (options.task == "deploy" and not options.is_dry):
        problems = _preflight(target, machine)
        if problems or options.task == "preflight":
            return problems
    return _run(target, machine)


def _read_environment(name: str, params: Path) -> Environment:
    found = check_environment(name, params)
    for problem in found.problems:
        print(f"infra/params/{name}.json: {problem}", file=sys.stderr)
    if found.environment is None:
        raise UsageError("nothing was done.")
    return found.environment


def _check_code(target: Target) -> None:
    options, environment = target.options, target.environment
    codes = [region.code for region in environment.regions]
    if options.task == "remove":
        if options.code in codes or options.code == "global":
            wrong = f"{options.code} is still in infra/params/{environment.name}.json."
            raise UsageError(f"{wrong} See docs/remove-region.md.")
    elif options.code and options.code not in codes:
        wrong = f"{environment.name} has no region {options.code}; it has:"
        raise UsageError(f"{wrong} {' '.join(codes)}.")
    if options.task in {"drain", "undrain"} and not environment.has_domain:
        wrong = f"{environment.name} has no domain, and so no Traffic Manager."
        raise UsageError(wrong)


def _preflight(target: Target, machine: Machine) -> int:
    print("\n# Check what would stop a deployment", flush=True)
    if target.options.is_dry:
        print_all(target)
        return 0
    try:
        found = ask_all(target, machine)
    except KeyboardInterrupt:
        return _stop("stopped; nothing was made.", _INTERRUPTED)
    for warning in found.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for problem in found.problems:
        print(f"deploy: {problem}", file=sys.stderr)
    if found.problems:
        return _stop("nothing was made; the above would stop the deployment.")
    print("# Nothing would stop a deployment.")
    return 0


def _plan(target: Target, runner: Runner) -> Actions:
    code = target.options.code
    match target.options.task:
        case "drain":
            return drain(target, code)
        case "undrain":
            return undrain(target, code)
        case "remove":
            return remove(target, code)
        case "what-if":
            return what_if(target, runner)
        case _:
            return deploy(target, runner)


def _run(target: Target, machine: Machine) -> int:
    options = target.options
    runner = Runner(machine, dict(options.variables), is_dry=options.is_dry)
    if options.is_dry and options.task == "deploy":
        region = f"--region {options.code} " if options.code else ""
        preflight = f"infra/deploy.sh --preflight {region}{options.environment}"
        print(f"\n# Check what would stop a deployment\n{preflight}")
    try:
        runner.do(_plan(target, runner))
    except StoppedError as error:
        _stop(str(error))
        status = 1
    except KeyboardInterrupt:
        status = _INTERRUPTED
    else:
        return 0
    return _stop(
        f"stopped at «{runner.step}». What was done stays; run the same command to"
        " carry on.",
        status,
    )


def _stop(sentence: str, status: int = 1) -> int:
    print(f"deploy: {sentence}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, ThisMachine()))
