"""Deploy one environment, infra/params/<environment>.json, for the first time or again.

  infra/deploy.sh [--dry-run | --what-if] [--force] [--region CODE] ENVIRONMENT
  infra/deploy.sh [--dry-run] --preflight ENVIRONMENT
  infra/deploy.sh [--dry-run] --drain CODE | --undrain CODE | --remove CODE ENVIRONMENT

  --dry-run       print every command, in order, and run none; needs no Azure
  --what-if       ask Azure what the templates would change, and change nothing
  --region CODE   deploy only this region and the global part, which all share
  --force         package changes that are not committed, too
  --preflight     tell everything that would stop a deployment, and change nothing
  --drain CODE    let Traffic Manager send no calls to this region, until --undrain
  --undrain CODE  let Traffic Manager send calls to this region again
  --remove CODE   remove a region that the description does not name any more

Environment variables: MICROSOFT_APP_ID and LOG_ANALYTICS_WORKSPACE_ID, which the
templates need; BOT_NAME, BOT_RESOURCE_GROUP and ACTION_GROUP_ID, which may be empty;
DNS_WAIT_SECONDS.

Every step prints the commands that it runs. A failure ends the program; run the same
command again to carry on, because each step leaves alone what is already there.
docs/deploy.md describes the whole procedure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

type Task = Literal["deploy", "what-if", "preflight", "drain", "undrain", "remove"]

_APP_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORKSPACE = re.compile(r"/subscriptions/.*/workspaces/.*")
_REQUIRED = ("MICROSOFT_APP_ID", "LOG_ANALYTICS_WORKSPACE_ID")
_OPTIONAL = ("BOT_NAME", "BOT_RESOURCE_GROUP", "ACTION_GROUP_ID")
DNS_WAIT_SECONDS = 1800


class UsageError(Exception):
    """The command or a variable is wrong; the text says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the operator wants.

    Attributes:
        code: of the one region that it is about; empty: all.
        variables: of the operator; ``$NAME`` each in a dry run.
        wait_seconds: how long to wait for DNS.
    """

    environment: str
    task: Task = "deploy"
    code: str = ""
    is_dry: bool = False
    force: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: int = DNS_WAIT_SECONDS


def read_options(  # noqa: C901 - one case for each option
    arguments: Sequence[str], environ: Mapping[str, str]
) -> Options | None:
    """Read the command line and the variables; ``None``: only help is wanted.

    Raises:
        UsageError: they are wrong.
    """
    task: Task = "deploy"
    code, flags, names = "", set[str](), list[str]()
    rest = list(arguments)
    while rest:
        match rest.pop(0):
            case "-h" | "--help":
                return None
            case "--dry-run" | "--force" as flag:
                flags.add(flag)
            case "--region" | "--drain" | "--undrain" | "--remove" as option:
                if not rest or not rest[0]:
                    raise UsageError(f"{option} needs the code of a region.")
                code = _only(code, rest.pop(0), "name only one region.")
                if option != "--region":
                    task = _task(task, option)
            case "--what-if" | "--preflight" as option:
                task = _task(task, option)
            case str() as word if word.startswith("-"):
                raise UsageError(f"there is no option {word}; see --help.")
            case name:
                names.append(name)
    if task == "what-if" and "--dry-run" in flags:
        raise UsageError("use either --dry-run or --what-if.")
    if len(names) != 1:
        wrong = (
            "name only one environment." if names else "which environment? See --help."
        )
        raise UsageError(wrong)
    is_dry = "--dry-run" in flags
    return Options(
        environment=names[0],
        task=task,
        code=code,
        is_dry=is_dry,
        force="--force" in flags,
        variables=_placeholders() if is_dry else _read_variables(environ, task),
        wait_seconds=_read_wait(environ),
    )


def _only(before: str, value: str, otherwise: str) -> str:
    if before:
        raise UsageError(otherwise)
    return value


def _task(before: Task, option: str) -> Task:
    if before != "deploy":
        raise UsageError(f"use either --{before} or {option}.")
    tasks: dict[str, Task] = {
        "--what-if": "what-if",
        "--preflight": "preflight",
        "--drain": "drain",
        "--undrain": "undrain",
        "--remove": "remove",
    }
    return tasks[option]


def _placeholders() -> dict[str, str]:
    return {name: f"${name}" for name in _REQUIRED + _OPTIONAL}


def _read_variables(environ: Mapping[str, str], task: Task) -> dict[str, str]:
    found = {name: environ.get(name, "") for name in _REQUIRED + _OPTIONAL}
    if task in {"drain", "undrain"}:
        return found
    for name in _REQUIRED:
        if not found[name]:
            raise UsageError(f"the environment variable {name} is missing.")
    if not _APP_ID.fullmatch(found["MICROSOFT_APP_ID"]):
        raise UsageError("MICROSOFT_APP_ID must be a GUID.")
    if not _WORKSPACE.fullmatch(found["LOG_ANALYTICS_WORKSPACE_ID"]):
        wrong = "LOG_ANALYTICS_WORKSPACE_ID must be the resource ID of a workspace."
        raise UsageError(wrong)
    return found


def _read_wait(environ: Mapping[str, str]) -> int:
    value = environ.get("DNS_WAIT_SECONDS") or str(DNS_WAIT_SECONDS)
    if not value.isdecimal():
        raise UsageError("DNS_WAIT_SECONDS must be a number.")
    return int(value)
