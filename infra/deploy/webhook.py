"""The bot's webhook: the last step, once every region and the global host are healthy.

The calling platform sends calls to it at once. So it is changed only where calls will
be answered, what it was before is printed, and what Azure kept of it is checked.
"""

from infra.deploy.actions import (
    Actions,
    Ask,
    Begin,
    Check,
    Condition,
    EndUnless,
    Run,
    Say,
    Words,
    both,
    differs,
    either,
    equals,
    is_empty,
    is_found,
)
from infra.deploy.names import HEALTH_PATH, Target, az, gate
from infra.deploy.templates import GLOBAL, global_part, until_inactive
from infra.deploy.traffic import ask_unhealthy

_API = "api-version=2022-09-15"
_BOTS = "Microsoft.BotService/botServices"
_CHANNEL = "[?properties.channelName=='MsTeamsChannel']"


def ask_bot() -> Actions:
    """Find BOT and BOT_GROUP, its resource ID and its group."""
    listed = ("resource", "list", "--resource-type", _BOTS)
    named = "[?name=='$BOT_NAME']"
    yield Ask("BOT", az(*listed, query=f"{named}.id"))
    yield Ask("BOT_GROUP", az(*listed, query=f"{named}.resourceGroup"))


def wait_for_global_host(target: Target) -> Actions:
    """Hold until calls that come through Traffic Manager are taken."""
    yield Begin("Wait until the global host is healthy")
    # Where one region was deployed, the others may run another build.
    build = "" if target.options.code else "$BUILD"
    host = target.environment.global_name
    yield Run(
        gate(f"https://{host}{HEALTH_PATH}", build=build),
        otherwise="every region is healthy, but the global host is not; the bot's"
        " webhook was not touched.",
    )


def register_webhook(target: Target, url: str) -> Actions:
    """Point the bot at the environment, if that is not so already.

    Needs the answer DRAINED.
    """
    yield Begin("Register the webhook of the bot")
    yield EndUnless(is_found("BOT_NAME"))
    yield from ask_bot()
    yield Check(is_found("BOT"), "there is no bot $BOT_NAME in this subscription.")
    yield Ask("FORMER", _ask_webhook())
    yield from ask_unhealthy(target)
    yield Check(
        either(is_empty("UNHEALTHY"), equals("FORMER", url)),
        "Traffic Manager does not find $UNHEALTHY healthy; the bot's webhook was not"
        " touched.",
    )
    yield Say(f"It was $FORMER before. To put that back: {_way_back()}", _changes(url))
    yield until_inactive(target.group(GLOBAL), "webhook")
    deployed = global_part(target, "create", bot="$BOT_NAME", name="webhook")
    yield Run(deployed, differs("FORMER", url))
    yield Ask("REGISTERED", _ask_webhook())
    yield Check(
        equals("REGISTERED", url),
        "the bot's webhook is «$REGISTERED» and not this environment's, though Azure"
        " took it. Look at the bot's Teams channel in the portal.",
    )


def _changes(url: str) -> Condition:
    return both(is_found("FORMER"), differs("FORMER", url))


def _ask_webhook() -> Words:
    query = f"value{_CHANNEL}.properties.properties.callingWebhook"
    url = f"$BOT/channels?{_API}"
    return az("rest", "--method", "get", "--url", url, query=query)


def _way_back() -> str:
    """Return the command that restores the former webhook."""
    channel = (
        '{"location":"global","properties":{"channelName":"MsTeamsChannel",'
        '"properties":{"acceptedTerms":true,"isEnabled":true,"enableCalling":true,'
        '"callingWebhook":"$FORMER"}}}'
    )
    url = f"$BOT/channels/MsTeamsChannel?{_API}"
    return f"az rest --method put --url '{url}' --body '{channel}'"
