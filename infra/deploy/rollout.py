"""The order of a deployment: groups, global part, regions one by one, webhook last.

Settings and code are rolled out together, one region at a time, so that the gate stops
bad settings as it stops bad code. Names that Azure computes come from the outputs of
the deployments, never from here.
"""

from infra.check_environment import Federation, federation
from infra.deploy.actions import (
    Actions,
    Ask,
    Begin,
    Check,
    Publish,
    Run,
    Say,
    Until,
    both,
    contains,
    differs,
    equals,
    has_no_line,
    is_empty,
    is_found,
)
from infra.deploy.names import HEALTH_PATH, WEBHOOK_PATH, Target, ask_output, az, gate
from infra.deploy.package import BUILD_ID, TARGET
from infra.deploy.runner import Runner
from infra.deploy.templates import GLOBAL, global_part, stamp, until_inactive
from infra.deploy.traffic import (
    ask_drained,
    ask_known,
    ask_profile,
    drain_for_change,
    let_in,
)
from infra.deploy.webhook import register_webhook, wait_for_global_host
from infra.environment import Region

PUBLISH_TIMES = 4
PUBLISH_PAUSE_SECONDS = 30
_POLL_SECONDS = 10
_SUCCEEDED = "[?properties.provisioningState=='Succeeded'].name"


def deploy(target: Target, runner: Runner) -> Actions:
    """Deploy an environment, or one region of it and the global part."""
    yield from _read_azure()
    yield from _build_package(target)
    yield from _make_groups(target)
    yield from _find_new_regions(target)
    regions = _new_ones_first(target, runner)
    if target.environment.has_domain:
        yield from _deploy_first_stamps(target, regions)
        yield from _deploy_the_global_part(target, runner, regions)
        yield from _wait_for_dns(target, regions)
    for position, region in enumerate(regions):
        later = " ".join(each.code for each in regions[position + 1 :])
        yield from _roll_out(target, region, later or "none")
    yield from _finish(target, runner, regions)


def _read_azure() -> Actions:
    yield Begin("Find out who deploys where")
    yield Ask("SUBSCRIPTION_ID", az("account", "show", query="id"))
    yield Ask("TENANT_ID", az("account", "show", query="tenantId"))


def _build_package(target: Target) -> Actions:
    """Build it once, and first: all regions get the same bits."""
    force = ["--force"] if target.options.force else []
    yield Begin("Build the package")
    yield Run(("infra/package.sh", *force, target.environment.name))
    yield Ask("BUILD", ("cat", f"{TARGET}/{BUILD_ID}"))


def _make_groups(target: Target) -> Actions:
    yield Begin("Make the resource groups that are missing")
    if target.environment.has_domain:
        yield from _make_group(target.group(GLOBAL), target.global_location)
    for region in target.regions:
        yield from _make_group(target.group(region.code), region.location)


def _make_group(group: str, location: str) -> Actions:
    yield Ask("GROUP_EXISTS", az("group", "exists", "-n", group))
    make = az("group", "create", "-n", group, "-l", location, "-o", "none")
    yield Run(make, equals("GROUP_EXISTS", "false"))


def _find_new_regions(target: Target) -> Actions:
    yield Begin("Find out which regions are new: they go first")
    for region in target.regions:
        listed = ("deployment", "group", "list", "-g", target.group(region.code))
        yield Ask(_deployed(region), az(*listed, query=_SUCCEEDED))


def _deployed(region: Region) -> str:
    return f"DEPLOYED_{region.code}"


def _is_new(runner: Runner, region: Region) -> bool:
    """Tell whether a region was never deployed completely; no answer: it was."""
    found = runner.answers.get(_deployed(region), "stamp")
    return "stamp" not in found.splitlines()


def _new_ones_first(target: Target, runner: Runner) -> list[Region]:
    """Order regions: the others may send calls to a new one once they know of it."""
    return sorted(target.regions, key=lambda region: not _is_new(runner, region))


def _deploy_first_stamps(target: Target, regions: list[Region]) -> Actions:
    """Make apps without host names.

    A host name can be bound only once its record exists, and the record needs an output
    of this first deployment.
    """
    yield Begin("Deploy new regions, without host names")
    for region in regions:
        group = target.group(region.code)
        yield until_inactive(group, "first")
        yield Run(
            stamp(target, "create", region.code, binds=False, name="first"),
            has_no_line(_deployed(region), "first"),
        )
        yield from _check_host_name(target, region, "first")


def _check_host_name(target: Target, region: Region, deployment: str) -> Actions:
    """Stop where the app is not where DNS and the other regions will look for it."""
    group = target.group(region.code)
    yield from ask_output("HOST_NAME", group, deployment, "defaultHostName")
    yield from ask_output("FUNCTION_APP", group, deployment, "functionAppName")
    described = region.default_host_name or f"$FUNCTION_APP.{region.apps_domain}"
    yield Check(
        equals("HOST_NAME", described),
        f"the app of {region.code} is at $HOST_NAME, and others would look for it at"
        f' {described}. Write "defaultHostName": "$HOST_NAME" into region'
        f" {region.code} of infra/params/{target.environment.name}.json, and deploy"
        " again.",
    )


def _deploy_the_global_part(
    target: Target, runner: Runner, regions: list[Region]
) -> Actions:
    """Deploy it so that no region gets calls by it which gets none now, or is new."""
    yield Begin("Deploy the global part: Traffic Manager and DNS records")
    group = target.group(GLOBAL)
    yield from ask_output(
        "CUSTOM_DOMAIN_VERIFICATION_ID",
        *(target.group(regions[0].code), "first", "customDomainVerificationId"),
    )
    yield until_inactive(group, GLOBAL)
    yield from ask_drained(target)
    yield from ask_known(target)
    known = runner.answers.get("KNOWN")
    if known is not None:
        new = [each.code for each in regions if each.code not in known.split()]
        drained = [*runner.answers["DRAINED"].split(), *new]
        runner.answers["DRAINED"] = " ".join(drained)
    yield Run(global_part(target, "create", name=GLOBAL))
    yield from ask_profile(target)


def _wait_for_dns(target: Target, regions: list[Region]) -> Actions:
    yield Begin("Wait until the DNS records are visible")
    zone, group = target.zone, target.group(GLOBAL)
    # The parent zone must delegate to these; empty if somebody else manages the zone.
    servers = f"[?name=='{zone}'].nameServers[]"
    yield Run(az("network", "dns", "zone", "list", "-g", group, query=servers))
    label = target.environment.global_name.partition(".")[0]
    wait = target.options.wait_seconds
    for each in (label, *(region.code for region in regions)):
        name = f"asuid.{each}.{zone}"
        yield Until(
            ("dig", "+short", "TXT", name),
            contains("CUSTOM_DOMAIN_VERIFICATION_ID"),
            _POLL_SECONDS,
            wait,
            f"{name} is not visible after {wait} s. Is {zone} delegated to the name"
            " servers above? See docs/deploy.md.",
            is_patient=True,
        )


def _roll_out(target: Target, region: Region, later: str) -> Actions:
    """Deploy one region: templates, trust, code, gate; drained meanwhile."""
    code, group = region.code, target.group(region.code)
    serves = target.environment.has_domain and region.is_enabled
    if serves:
        yield from drain_for_change(target, code)
    yield Begin(f"Deploy {code}")
    yield until_inactive(group, "stamp")
    yield Run(stamp(target, "create", code, binds=True, name="stamp"))
    if not target.environment.has_domain:
        yield from _check_host_name(target, region, "stamp")
    if federated := federation(target.environment):
        yield from _trust(target, code, federated)
    yield Begin(f"Publish to {code}")
    yield from ask_output("FUNCTION_APP", group, "stamp", "functionAppName")
    yield Publish(
        (
            *("func", "azure", "functionapp", "publish", "$FUNCTION_APP"),
            *("--python", "--no-build", "--subscription", "$SUBSCRIPTION_ID"),
        ),
        *(TARGET, PUBLISH_TIMES, PUBLISH_PAUSE_SECONDS),
    )
    yield Begin(f"Wait until {code} is healthy")
    yield from ask_output("REGION_HOST", group, "stamp", "regionHost")
    yield Run(
        gate(f"https://$REGION_HOST{HEALTH_PATH}", region=code, build="$BUILD"),
        otherwise=f"the roll-out stops at {code}; not touched: {later}."
        " What to check: docs/deploy.md, «A region that is not healthy».",
    )
    if serves:
        yield from let_in(target, code)


def _trust(target: Target, code: str, federated: Federation) -> Actions:
    """Let the registration trust the region, before it gets calls that it answers."""
    name = f"{target.stem}-{code}"
    yield Begin(f"Let the bot's registration trust the identity of {code}")
    group = target.group(code)
    yield from ask_output("PRINCIPAL_ID", group, "stamp", "identityPrincipalId")
    credential = ("ad", "app", "federated-credential")
    listed = (*credential, "list", "--id", "$MICROSOFT_APP_ID")
    yield Ask("SUBJECT", az(*listed, query=f"[?name=='{name}'].subject"))
    trust = (
        f'"issuer":"{federated.login_url}/$TENANT_ID/v2.0","subject":"$PRINCIPAL_ID",'
        f'"audiences":["{federated.audience}"]'
    )
    make = (*credential, "create", "--id", "$MICROSOFT_APP_ID", "--parameters")
    named = f'{{"name":"{name}",{trust}}}'
    yield Run(az(*make, named, "-o", "none"), is_empty("SUBJECT"))
    # A region that was created again has a new identity.
    update = (
        *(*credential, "update", "--id", "$MICROSOFT_APP_ID"),
        *("--federated-credential-id", name, "--parameters"),
    )
    is_other = both(is_found("SUBJECT"), differs("SUBJECT", "$PRINCIPAL_ID"))
    yield Run(az(*update, f"{{{trust}}}", "-o", "none"), is_other)


def _finish(target: Target, runner: Runner, regions: list[Region]) -> Actions:
    environment = target.environment
    host = environment.global_name if environment.has_domain else "$REGION_HOST"
    url = f"https://{host}{WEBHOOK_PATH}"
    if environment.has_domain:
        yield Begin("Find out which regions get no calls")
        yield from ask_drained(target)
        undrain = f"infra/deploy.sh --undrain CODE {environment.name}"
        told = f"Regions that get no calls: $DRAINED. To let one in: {undrain}"
        yield Say(told, is_found("DRAINED"))
    if environment.has_domain and any(each.is_enabled for each in environment.regions):
        yield from wait_for_global_host(target)
        if runner.answers["BOT_NAME"]:
            yield from register_webhook(target, url)
    yield Begin(
        f"Done: {' '.join(each.code for each in regions)} of {environment.name}"
    )
    yield Say(f"Calling webhook: {url}")
    if target.options.code:
        command = f"infra/deploy.sh {environment.name}"
        yield Say(f"To tell the other regions of changes: {command}")
