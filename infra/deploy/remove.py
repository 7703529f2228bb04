"""Remove a region that the description does not name any more.

The other regions must have forgotten it before its host name becomes free: whoever took
over a host that they still redirect to would get calls, with their tokens. So its
records go first, a day before the app that they lead to. docs/remove-region.md has the
whole way.
"""

from infra.deploy.actions import (
    Action,
    Actions,
    Ask,
    Begin,
    Check,
    Condition,
    EndUnless,
    Run,
    Say,
    both,
    equals,
    is_empty,
    is_found,
    is_older,
)
from infra.deploy.names import Target, ask_output, az
from infra.deploy.traffic import ask_profile, tag

DAY_SECONDS = 86_400
_TXT = "txt"


def remove(target: Target, code: str) -> Actions:
    """Remove a region; with a domain this takes two runs, a day apart."""
    yield Begin(f"Check that nobody needs {code} any more")
    yield Ask("SUBSCRIPTION_ID", az("account", "show", query="id"))
    for region in target.environment.regions:
        yield from _check_forgotten(target, region.code, code)
    if target.environment.has_domain:
        yield from _remove_records(target, code)
    yield from _remove_group(target, code)


def _check_forgotten(target: Target, other: str, code: str) -> Actions:
    """Check that the settings of another region do not name this one."""
    group = target.group(other)
    yield from ask_output("FUNCTION_APP", group, "stamp", "functionAppName")
    hosts = f"[?name=='CALLING_REGION_HOSTS' && contains(value, '\"{code}\"')].name"
    settings = ("functionapp", "config", "appsettings", "list", "-g", group)
    yield Ask("KNOWS", az(*settings, "-n", "$FUNCTION_APP", query=hosts))
    yield Check(
        is_empty("KNOWS"),
        f"{other} may still send calls to {code}: run infra/deploy.sh"
        f" {target.environment.name} first.",
    )


def _remove_records(target: Target, code: str) -> Actions:
    group, mark = target.group("global"), f"removed_{code}"
    yield from ask_profile(target)
    endpoints = ("network", "traffic-manager", "endpoint", "list", "-g", group)
    listed = az(
        *(*endpoints, "--profile-name", "$PROFILE"), query=f"[?name=='{code}'].name"
    )
    yield Ask("ENDPOINT", listed)
    yield Check(
        is_empty("ENDPOINT"),
        f"Traffic Manager still sends calls to {code}: run infra/deploy.sh"
        f" {target.environment.name} first.",
    )
    yield Ask("REMOVED_AT", az("group", "show", "-n", group, query=f"tags.{mark}"))
    yield Ask("NOW", ("date", "+%s"))
    exists = az("group", "exists", "-n", target.group(code))
    yield Ask("GROUP_EXISTS", exists)
    is_first = both(is_empty("REMOVED_AT"), equals("GROUP_EXISTS", "true"))
    yield Begin(f"Delete the records of {code}, a day before the app")
    for kind, name in (("cname", code), (_TXT, f"asuid.{code}")):
        yield from _remove_record(target, kind, name)
    yield Run(tag("Merge", target, f"{mark}=$NOW"), is_first)
    yield from _wait_a_day(target, code, is_first)
    yield EndUnless(is_found("REMOVED_AT"))
    yield Check(
        is_older("REMOVED_AT", "NOW", DAY_SECONDS),
        f"the records of {code} were deleted less than a day ago; names may be cached"
        " for longer than they should. Run the same command tomorrow.",
    )


def _wait_a_day(target: Target, code: str, is_first: Condition) -> list[Action]:
    command = f"infra/deploy.sh --remove {code} {target.environment.name}"
    texts = ("Wait a day for resolvers that cache names. Then run:", command)
    return [Say(text, is_first) for text in texts]


def _remove_record(target: Target, kind: str, name: str) -> Actions:
    group, zone = target.group("global"), target.zone
    sets = ("network", "dns", "record-set", kind)
    listed = (*sets, "list", "-g", group, "-z", zone)
    yield Ask("RECORD", az(*listed, query=f"[?name=='{name}'].name"))
    gone = (*sets, "delete", "-g", group, "-z", zone, "-n", name, "--yes", "-o", "none")
    yield Run(az(*gone), is_found("RECORD"))


def _remove_group(target: Target, code: str) -> Actions:
    group, name = target.group(code), f"{target.stem}-{code}"
    yield Begin(f"Delete {code}")
    yield Ask("GROUP_EXISTS", az("group", "exists", "-n", group))
    yield Run(
        az("group", "delete", "-n", group, "--yes"), equals("GROUP_EXISTS", "true")
    )
    credential = ("ad", "app", "federated-credential")
    listed = (*credential, "list", "--id", "$MICROSOFT_APP_ID")
    yield Ask("SUBJECT", az(*listed, query=f"[?name=='{name}'].subject"))
    gone = (*credential, "delete", "--id", "$MICROSOFT_APP_ID")
    named = ("--federated-credential-id", name, "-o", "none")
    yield Run(az(*gone, *named), is_found("SUBJECT"))
    if target.environment.has_domain:
        yield Run(tag("Delete", target, f"removed_{code}=$REMOVED_AT"))
