"""Ask Azure what the templates would change. It changes nothing."""

from infra.deploy.actions import Actions, Ask, Begin, Run, Say, equals
from infra.deploy.names import Target, az
from infra.deploy.runner import Runner
from infra.deploy.templates import global_part, stamp
from infra.deploy.traffic import ask_drained
from infra.deploy.webhook import ask_bot


def what_if(target: Target, runner: Runner) -> Actions:
    """Ask about each region, then about the global part."""
    for region in target.regions:
        group = target.group(region.code)
        yield Begin(f"Ask what would change in {region.code}")
        yield Ask("GROUP_EXISTS", az("group", "exists", "-n", group))
        asked = stamp(target, "what-if", region.code, binds=True)
        yield Run(asked, equals("GROUP_EXISTS", "true"))
        new = f"{group} does not exist yet: everything in it will be new."
        yield Say(new, equals("GROUP_EXISTS", "false"))
    if target.environment.has_domain:
        yield from _ask_global_part(target, runner)


def _ask_global_part(target: Target, runner: Runner) -> Actions:
    yield Begin("Ask what would change in the global part")
    group = target.group("global")
    yield Ask("GLOBAL_EXISTS", az("group", "exists", "-n", group))
    # If the last region's group is missing, so is the domain verification ID.
    proof = ""
    if runner.answers["GROUP_EXISTS"] == "true":
        listed = ("deployment", "group", "list", "-g")
        last = target.group(target.regions[-1].code)
        output = "[?name=='first'].properties.outputs.customDomainVerificationId.value"
        yield Ask("CUSTOM_DOMAIN_VERIFICATION_ID", az(*listed, last, query=output))
        proof = runner.answers["CUSTOM_DOMAIN_VERIFICATION_ID"]
    if runner.answers["GLOBAL_EXISTS"] != "true" or not proof:
        yield Say(f"Azure can tell once {group} and a region exist.")
        return
    yield from ask_drained(target)
    runner.answers["BOT_GROUP"] = ""
    if runner.answers["BOT_NAME"]:
        yield from ask_bot()
    yield Run(global_part(target, "what-if", bot="$BOT_NAME"))
