"""Questions of the preflight, and what their answers mean.

A judgement returns sentences, each with the command that cures it; none: all is well.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from infra.checks.limits import MAX_REGIONS
from infra.deploy.actions import Words
from infra.deploy.runner import Finished

AZ_VERSION = (2, 88)
BICEP_VERSION = (0, 36)
# Older ones ask for a region's health by a host name that may lead to another region,
# and send its master key along: Azure/azure-functions-core-tools#5462.
FUNC_VERSION = (4, 13)
PROVIDERS = (
    "Microsoft.AlertsManagement",
    "Microsoft.App",
    "Microsoft.Authorization",
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
)
DOMAIN_PROVIDERS = ("Microsoft.KeyVault", "Microsoft.Network")
BOT_PROVIDERS = ("Microsoft.BotService",)
# What a deployment does beyond what every Contributor may.
NEEDED_ACTIONS = (
    "Microsoft.Resources/deployments/write",
    "Microsoft.Resources/subscriptions/resourceGroups/write",
    "Microsoft.Web/sites/write",
    "Microsoft.Authorization/roleAssignments/write",
)
_VERSION = re.compile(r"(\d+)\.(\d+)\.\d+")


class Probe(NamedTuple):
    """A question.

    Attributes:
        words: the command that asks it.
        judge: returns the problems that the answer tells of.
        name: of the answer for later commands, if they need it.
        doubt: a warning for the case that it cannot be asked; empty: that is a problem
            of its own, or ``judge`` tells it.
        is_warning: what ``judge`` tells does not stop a deployment.
    """

    words: Words
    judge: Callable[[Finished], Iterable[str]]
    name: str = ""
    doubt: str = ""
    is_warning: bool = False


def must(sentence: str) -> Callable[[Finished], Iterable[str]]:
    """Return a judge: the command must succeed, and print something."""

    def judge(finished: Finished) -> Iterable[str]:
        if finished.status or not finished.output.strip():
            yield sentence

    return judge


def fails(sentence: str) -> Callable[[Finished], Iterable[str]]:
    """Return a judge: the command must succeed."""
    return lambda finished: [sentence] if finished.status else []


def version_problems(
    finished: Finished, tool: str, needed: tuple[int, int], cure: str
) -> Iterable[str]:
    """Judge the version of a tool."""
    found = _VERSION.search(finished.output)
    wanted = ".".join(map(str, needed))
    if finished.status or not found:
        yield f"{tool} is missing; {wanted} or newer is needed: {cure}"
    elif tuple(map(int, found.groups())) < needed:
        yield f"{tool} {found[0]} is too old; {wanted} or newer is needed: {cure}"


def provider_problems(registered: str, needed: Sequence[str]) -> Iterable[str]:
    """Judge which resource providers are registered, one a line."""
    known = {line.lower() for line in registered.splitlines()}
    for name in needed:
        if name.lower() not in known:
            yield f"{name} is not registered: az provider register -n {name} --wait"


def permission_problems(permissions: str, subscription: str) -> Iterable[str]:
    """Judge what the caller may do in the subscription: JSON of its permissions."""
    entries = _read_json(permissions) or []
    missing = [action for action in NEEDED_ACTIONS if not _is_allowed(entries, action)]
    if missing:
        yield (
            f"you may not do {', '.join(missing)}: an owner runs az role assignment"
            " create --role Owner --assignee <you>"
            f" --scope /subscriptions/{subscription}"
        )


def _is_allowed(entries: Iterable[Any], action: str) -> bool:
    def has(patterns: Iterable[str]) -> bool:
        return any(fnmatchcase(action.lower(), each.lower()) for each in patterns)

    return any(
        has(entry.get("actions", ())) and not has(entry.get("notActions", ()))
        for entry in entries
    )


def quota_problems(usages: str, location: str) -> Iterable[str]:
    """Judge the quotas of a location that are used up, from JSON of its usages."""
    for usage in _read_json(usages) or []:
        limit, current = usage.get("limit", -1), usage.get("currentValue", 0)
        if 0 <= limit <= current and limit != 0:
            name = usage.get("name", {}).get("value", "a quota")
            yield (
                f"{name} is used up in {location} ({current} of {limit}): ask for more"
                " at https://portal.azure.com, Quotas, or choose another location"
            )


def certificate_problems(
    finished: Finished, zone: str, name: str, vault: str
) -> Iterable[str]:
    """Judge the hosts that the certificate in the Key Vault covers."""
    covered = re.findall(r"[*a-z0-9.-]+\.[a-z0-9-]+", finished.output.lower())
    if "NotFound" in finished.complaint:
        yield (
            f"the vault has no certificate {name}: az keyvault certificate import"
            f" --vault-name {vault} -n {name} -f <file outside the checkout>"
        )
    elif not finished.status and f"*.{zone}" not in covered:
        hosts = ", ".join(covered) or "no host"
        yield (
            f"the certificate {name} is for {hosts} and not for *.{zone}: az keyvault"
            f" certificate import --vault-name {vault} -n {name}"
            " -f <file outside the checkout>"
        )


def group_problems(listed: str, wanted: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Judge groups that exist, ``name location`` a line: a group cannot move."""
    found = dict(line.split()[:2] for line in listed.splitlines() if line.strip())
    for name, location in wanted:
        if found.get(name, location) != location:
            yield (
                f"the group {name} exists in {found[name]}, not in {location}: use that"
                f" location in the description, or az group delete -n {name}"
            )


def credential_problems(listed: str, needed: Iterable[str]) -> Iterable[str]:
    """Judge whether the registration has room for more federated credentials."""
    known = set(listed.splitlines())
    new = [name for name in needed if name not in known]
    if len(known) + len(new) > MAX_REGIONS:
        yield (
            f"the bot's registration has {len(known)} federated credentials, {len(new)}"
            f" more are needed, and {MAX_REGIONS} is the limit: az ad app"
            ' federated-credential delete --id "$MICROSOFT_APP_ID"'
            " --federated-credential-id <one that nobody needs>"
        )


def template_problems(finished: Finished, code: str) -> Iterable[str]:
    """Judge what Azure says of the templates: policies, names that are taken."""
    if finished.status:
        said = " ".join(finished.complaint.split())[:600] or finished.output[:600]
        yield (
            f"Azure would refuse the templates in {code}, see it in full with"
            f" infra/deploy.sh --what-if: {said}"
        )


def _read_json(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except ValueError:
        return None
