"""Traffic Manager: which regions get calls, and who decided that.

A region that was drained by hand is marked with a tag of the global group, so that a
deployment leaves it drained. One that a deployment drains has no mark: whichever run
changes the region to its end lets calls in again.
"""

from infra.deploy.actions import (
    Actions,
    Ask,
    Begin,
    Check,
    Condition,
    Pause,
    Run,
    Say,
    Until,
    Words,
    both,
    equals,
    has_no_word,
    is_empty,
    is_found,
)
from infra.deploy.names import Target, az

# Time to live of the DNS answer, and what resolvers that round it up may add. It is
# also what probes need to see a region that is down: docs/infrastructure.md.
DRAIN_SECONDS = 65
_ONLINE_SECONDS = 600
_POLL_SECONDS = 10


def tag_of(code: str) -> str:
    """Return the tag that marks a region as drained by hand."""
    return f"drained_{code}"


def ask_profile(target: Target) -> Actions:
    """Find PROFILE, the name of the Traffic Manager profile; empty: there is none."""
    group = target.group("global")
    profiles = ("network", "traffic-manager", "profile", "list")
    yield Ask("PROFILE", az(*profiles, "-g", group, query="[].name"))


def ask_known(target: Target) -> Actions:
    """Find KNOWN, the codes of all regions of the profile."""
    profiles = ("network", "traffic-manager", "profile", "list")
    known = "join(' ', [].endpoints[].name)"
    yield Ask("KNOWN", az(*profiles, "-g", target.group("global"), query=known))


def ask_drained(target: Target) -> Actions:
    """Find DRAINED, the codes of all regions that get no calls now."""
    profiles = ("network", "traffic-manager", "profile", "list")
    drained = "join(' ', [].endpoints[] | [?endpointStatus=='Disabled'].name)"
    group = target.group("global")
    yield Ask("DRAINED", az(*profiles, "-g", group, query=drained))


def ask_mark(target: Target, code: str) -> Actions:
    """Find DRAINED_BY_HAND, which is empty unless an operator drained the region."""
    mark = f"tags.{tag_of(code)}"
    group = target.group("global")
    yield Ask("DRAINED_BY_HAND", az("group", "show", "-n", group, query=mark))


def ask_others(target: Target, code: str) -> Actions:
    """Find OTHERS, the regions beside this one that get calls and are healthy."""
    others = (
        "join(' ', [].endpoints[] | [?endpointStatus=='Enabled'"
        f" && endpointMonitorStatus=='Online' && name!='{code}'].name)"
    )
    profiles = ("network", "traffic-manager", "profile", "list")
    group = target.group("global")
    yield Ask("OTHERS", az(*profiles, "-g", group, query=others))


def ask_unhealthy(target: Target) -> Actions:
    """Find UNHEALTHY, the regions that are to get calls, and that are not online."""
    unhealthy = (
        "join(' ', [].endpoints[] | [?endpointStatus=='Enabled'"
        " && endpointMonitorStatus!='Online'].name)"
    )
    profiles = ("network", "traffic-manager", "profile", "list")
    yield Ask("UNHEALTHY", az(*profiles, "-g", target.group("global"), query=unhealthy))


def switch(target: Target, code: str, state: str) -> Words:
    """Return the command that lets calls into a region, or no more of them."""
    return az(
        *("network", "traffic-manager", "endpoint", "update"),
        *("-g", target.group("global"), "--profile-name", "$PROFILE", "-n", code),
        *("--type", "externalEndpoints", "--endpoint-status", state, "-o", "none"),
    )


def drain_for_change(target: Target, code: str) -> Actions:
    """Take a region out of the way before it is changed, if others can take its calls.

    Needs the answer DRAINED. Whether it was drained by hand is found for ``let_in``.
    """
    yield Begin(f"Drain {code} if other regions can take its calls")
    yield from ask_mark(target, code)
    yield from ask_others(target, code)
    serves = has_no_word("DRAINED", code)
    alone = both(is_empty("OTHERS"), serves)
    yield Say(f"No other region is online: {code} keeps getting calls.", alone)
    drains = both(is_found("OTHERS"), serves)
    yield Run(switch(target, code, "Disabled"), drains)
    yield Pause(DRAIN_SECONDS, drains)


def let_in(target: Target, code: str) -> Actions:
    """Let calls into a healthy region, unless somebody drained it by hand."""
    yield Begin(f"Let calls into {code}")
    lets = is_empty("DRAINED_BY_HAND")
    yield Say(
        f"{code} was drained by hand and stays so: infra/deploy.sh --undrain {code}"
        f" {target.environment.name}",
        is_found("DRAINED_BY_HAND"),
    )
    yield Run(switch(target, code, "Enabled"), lets)
    yield _until_online(target, code, lets)


def _until_online(target: Target, code: str, when: Condition | None) -> Until:
    return Until(
        az(
            *("network", "traffic-manager", "endpoint", "show"),
            *("-g", target.group("global"), "--profile-name", "$PROFILE", "-n", code),
            *("--type", "externalEndpoints"),
            query="endpointMonitorStatus",
        ),
        equals("ANSWER", "Online"),
        _POLL_SECONDS,
        _ONLINE_SECONDS,
        f"Traffic Manager does not find {code} healthy, though its own host is; see"
        " docs/deploy.md, «A region that is not healthy».",
        when,
    )


def drain(target: Target, code: str) -> Actions:
    """Drain a region until ``undrain``."""
    yield Begin(f"Drain {code}")
    yield from _ask_where(target, code)
    yield from ask_others(target, code)
    yield Check(
        is_found("OTHERS"), f"no other region is online to take the calls of {code}."
    )
    yield Run(tag("Merge", target, f"{tag_of(code)}=by-hand"))
    yield Run(switch(target, code, "Disabled"))
    yield Pause(DRAIN_SECONDS)
    yield Say(f"{code} gets no new calls through the global host. Redirects of other")
    yield Say("regions and follow-ups of running calls still arrive.")


def undrain(target: Target, code: str) -> Actions:
    """Let calls into a region that was drained."""
    yield Begin(f"Let calls into {code}")
    yield from _ask_where(target, code)
    yield from ask_mark(target, code)
    yield Run(switch(target, code, "Enabled"))
    yield Run(
        tag("Delete", target, f"{tag_of(code)}=by-hand"),
        equals("DRAINED_BY_HAND", "by-hand"),
    )
    yield _until_online(target, code, None)


def _ask_where(target: Target, code: str) -> Actions:
    yield Ask("SUBSCRIPTION_ID", az("account", "show", query="id"))
    yield from ask_profile(target)
    no_profile = f"there is no Traffic Manager profile in {target.group('global')}."
    yield Check(is_found("PROFILE"), f"{no_profile} Is {code} deployed?")


def tag(operation: str, target: Target, pair: str) -> Words:
    """Return the command that merges or deletes a tag of the global group."""
    group = target.group_id("global")
    return az(
        *("tag", "update", "--resource-id", group, "--operation", operation),
        *("--tags", pair, "-o", "none"),
    )
