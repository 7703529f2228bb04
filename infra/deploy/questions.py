"""The questions of the preflight, in order."""

from collections.abc import Iterable, Iterator

from infra.check_environment import federation
from infra.deploy import probes
from infra.deploy.actions import Answers
from infra.deploy.names import Target, az
from infra.deploy.probes import Probe, fails, must
from infra.deploy.runner import Finished

# App Service's own service principal, the same in every tenant of the public cloud.
_APP_SERVICE = "abfa0a7c-a6b6-4736-8310-5855508787cd"
_API = "api-version=2022-04-01"


def all_probes(target: Target, answers: Answers) -> Iterator[Probe]:
    """Yield every question, in order; ``answers`` grow meanwhile."""
    yield from _tools(target)
    login = "az has no subscription; log in: az login"
    yield Probe(az("account", "show", query="id"), must(login), "SUBSCRIPTION_ID")
    yield from _subscription(target, answers)
    yield from _workspaces(target)
    if target.environment.has_domain:
        yield from _domain(target)
    yield from _bot(target)
    yield from _locations(target)
    yield from _templates(target, answers)


def _tools(target: Target) -> Iterator[Probe]:
    for tool, words, needed, cure in (
        ("Azure CLI", az("version"), probes.AZ_VERSION, "az upgrade"),
        ("Bicep", az("bicep", "version"), probes.BICEP_VERSION, "az bicep upgrade"),
        (
            *("Core Tools (func)", ("func", "--version"), probes.FUNC_VERSION),
            "npm install -g azure-functions-core-tools@4",
        ),
    ):

        def judge(
            finished: Finished,
            tool: str = tool,
            needed: tuple[int, int] = needed,
            cure: str = cure,
        ) -> Iterable[str]:
            return probes.version_problems(finished, tool, needed, cure)

        yield Probe(words, judge)
    if target.environment.has_domain:
        missing = "dig is missing: apt-get install bind9-dnsutils"
        yield Probe(("dig", "-v"), fails(missing))


def _subscription(target: Target, answers: Answers) -> Iterator[Probe]:
    needed = [*probes.PROVIDERS]
    if target.environment.has_domain:
        needed += probes.DOMAIN_PROVIDERS
    if target.options.variables["BOT_NAME"]:
        needed += probes.BOT_PROVIDERS
    yield Probe(
        az("provider", "list", query="[?registrationState=='Registered'].namespace"),
        lambda finished: probes.provider_problems(finished.output, needed),
        doubt="the resource providers could not be listed.",
    )
    kind = "providers/Microsoft.Authorization/permissions"
    url = f"/subscriptions/$SUBSCRIPTION_ID/{kind}?{_API}"
    yield Probe(
        (
            *az("rest", "--method", "get", "--url", url, "--query", "value"),
            "-o",
            "json",
        ),
        lambda finished: probes.permission_problems(
            finished.output, answers["SUBSCRIPTION_ID"]
        ),
        doubt="your permissions in the subscription could not be read.",
    )


def _workspaces(target: Target) -> Iterator[Probe]:
    """Ask for the workspace that regions share, and for those of their own."""
    own = getattr(target.environment, "workspaces", {})
    named = {each.code: own[each.code] for each in target.regions if each.code in own}
    places = {f"workspaces.{code}": workspace for code, workspace in named.items()}
    if len(named) < len(target.regions):
        places["LOG_ANALYTICS_WORKSPACE_ID"] = "$LOG_ANALYTICS_WORKSPACE_ID"
    for place, workspace in places.items():
        yield Probe(
            az("resource", "show", "--ids", workspace, query="id"),
            must(
                f"{place} names no workspace that you may read: az monitor"
                " log-analytics workspace list --query '[].id' -o tsv"
            ),
            doubt=f"the workspace of {place} could not be reached; while that lasts,"
            " regions that use it can hardly be deployed.",
        )


def _domain(target: Target) -> Iterator[Probe]:
    domain = target.environment.domain
    if domain is None:
        return
    vault = domain.key_vault_id.rpartition("/")[2]
    yield Probe(
        az("resource", "show", "--ids", domain.key_vault_id, query="id"),
        must(
            "domain.keyVaultId names no Key Vault that you may read: az keyvault list"
            " --query '[].id' -o tsv"
        ),
    )
    show = az(
        *("keyvault", "certificate", "show", "--vault-name", vault),
        *("-n", domain.secret_name),
        query="policy.x509CertificateProperties.[subject,"
        " subjectAlternativeNames.dnsNames]",
    )

    def judge(finished: Finished) -> Iterable[str]:
        names = (domain.secret_name, vault)
        return probes.certificate_problems(finished, domain.zone, *names)

    unread = f"the certificate {domain.secret_name} could not be read by you."
    yield Probe(show, judge, doubt=unread)
    if getattr(target.environment, "certificate_reader", "appService") == "appService":
        yield _app_service_may_read(domain.key_vault_id)
    yield Probe(
        ("dig", "+short", "NS", domain.zone),
        must(
            f"{domain.zone} is not delegated yet; the deployment will print its name"
            " servers and wait until the records are visible."
        ),
        is_warning=True,
    )


def _app_service_may_read(vault_id: str) -> Probe:
    return Probe(
        az(
            *("role", "assignment", "list", "--scope", vault_id),
            *("--include-inherited", "--assignee", _APP_SERVICE),
            query="[].roleDefinitionName",
        ),
        must(
            "App Service may not read the certificate: az role assignment create"
            f' --role "Key Vault Certificate User" --scope {vault_id}'
            f" --assignee {_APP_SERVICE}"
        ),
        doubt="whether App Service may read the certificate could not be looked up.",
    )


def _bot(target: Target) -> Iterator[Probe]:
    trust = federation(target.environment)
    if trust is not None:
        names = [f"{target.stem}-{region.code}" for region in target.regions]
        listed = ("ad", "app", "federated-credential", "list")
        yield Probe(
            az(*listed, "--id", "$MICROSOFT_APP_ID", query="[].name"),
            lambda finished: probes.credential_problems(finished.output, names),
            doubt="the federated credentials of the bot's registration could not be"
            " read; a deployment must be able to add to them.",
        )
    if target.options.variables["BOT_NAME"] and target.environment.has_domain:
        yield Probe(
            az(
                *("resource", "list", "--resource-type"),
                "Microsoft.BotService/botServices",
                query="[?name=='$BOT_NAME'].resourceGroup",
            ),
            lambda finished: _bot_problems(finished, target.options.variables),
        )


def _bot_problems(finished: Finished, variables: Answers) -> Iterable[str]:
    group, wanted = finished.output.strip(), variables["BOT_RESOURCE_GROUP"]
    name = variables["BOT_NAME"]
    if not group:
        yield (
            f"there is no bot {name} in this subscription: az resource list"
            " --resource-type Microsoft.BotService/botServices --query '[].name'"
        )
    elif wanted and wanted.lower() != group.lower():
        yield (
            f"the bot {name} is in {group} and not in {wanted}:"
            f" export BOT_RESOURCE_GROUP={group}"
        )


def _locations(target: Target) -> Iterator[Probe]:
    locations = list(dict.fromkeys(region.location for region in target.regions))

    def judge(finished: Finished) -> Iterable[str]:
        for location in locations:
            if location not in finished.output.splitlines():
                yield (
                    f"{location} does not offer Flex Consumption: az functionapp"
                    " list-flexconsumption-locations -o table"
                )

    yield Probe(
        az("functionapp", "list-flexconsumption-locations", query="[].name"), judge
    )
    for location in locations:
        url = (
            "/subscriptions/$SUBSCRIPTION_ID/providers/Microsoft.Web/locations"
            f"/{location}/usages?api-version=2024-11-01"
        )
        yield Probe(
            (
                *az("rest", "--method", "get", "--url", url, "--query", "value"),
                "-o",
                "json",
            ),
            lambda finished, where=location: probes.quota_problems(  # type: ignore[misc]
                finished.output, where
            ),
            doubt=f"the quotas of {location} could not be read.",
        )


def _templates(target: Target, answers: Answers) -> Iterator[Probe]:
    """Let Azure validate each region's template: policies, names that are taken.

    Where the group does not exist yet, that of the workspace stands for it.
    """
    prefix = target.group("")
    wanted = [(target.group(each.code), each.location) for each in target.regions]
    if target.environment.has_domain:
        wanted.append((target.group("global"), target.global_location))
    yield Probe(
        az(
            "group",
            "list",
            query=f"[?starts_with(name, '{prefix}')].[name, location]",
        ),
        lambda finished: probes.group_problems(finished.output, wanted),
        name="FOUND_GROUPS",
    )
    workspace = answers.get("LOG_ANALYTICS_WORKSPACE_ID", "")
    other = workspace.split("/")[4] if workspace.count("/") > 4 else ""  # noqa: PLR2004
    for region in target.regions:
        group, code = target.group(region.code), region.code
        exists = group in answers.get("FOUND_GROUPS", group).split()
        yield Probe(
            (
                *("env", f"REGION={code}", "BIND_HOST_NAMES=false"),
                *az(
                    "deployment", "group", "validate", "-g", group if exists else other
                ),
                *("--parameters", target.parameters("regional"), "-o", "none"),
            ),
            lambda finished, code=code: probes.template_problems(  # type: ignore[misc]
                finished, code
            ),
        )
