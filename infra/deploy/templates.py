"""The commands that deploy the templates."""

from infra.deploy.actions import Until, Words, is_empty
from infra.deploy.names import Target, az

GLOBAL = "global"
_POLL_SECONDS = 10
_ACTIVE_SECONDS = 3600


def stamp(
    target: Target, verb: str, code: str, *, binds: bool, name: str = ""
) -> Words:
    """Return the command that deploys a region, or asks what that would change."""
    named = ("-n", name, "-o", "none") if name else ()
    return (
        *("env", f"REGION={code}", f"BIND_HOST_NAMES={str(binds).lower()}"),
        *az("deployment", "group", verb, "-g", target.group(code)),
        *("--parameters", target.parameters("regional"), *named),
    )


def global_part(target: Target, verb: str, *, bot: str = "", name: str = "") -> Words:
    """Return the command for the global part; with a ``bot``, its webhook, too.

    It needs the answers DRAINED and CUSTOM_DOMAIN_VERIFICATION_ID; for a bot BOT_GROUP.
    """
    named = ("-n", name, "-o", "none") if name else ()
    group = ("BOT_RESOURCE_GROUP=$BOT_GROUP",) if bot else ()
    return (
        *("env", f"BOT_NAME={bot}", *group, "DRAINED_REGIONS=$DRAINED"),
        "CUSTOM_DOMAIN_VERIFICATION_ID=$CUSTOM_DOMAIN_VERIFICATION_ID",
        *az("deployment", "group", verb, "-g", target.group(GLOBAL)),
        *("--parameters", target.parameters(GLOBAL), *named),
    )


def until_inactive(group: str, name: str) -> Until:
    """Wait for a deployment that an earlier run left behind, and that still runs."""
    active = f"[?name=='{name}' && properties.provisioningState=='Running'].name"
    return Until(
        az("deployment", "group", "list", "-g", group, query=active),
        is_empty("ANSWER"),
        _POLL_SECONDS,
        _ACTIVE_SECONDS,
        f"the deployment {name} in {group} has been running for an hour.",
    )
