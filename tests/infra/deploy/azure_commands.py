"""What each command of ``az`` does in the Azure of this machine."""

import json
import re
from collections.abc import Mapping, Sequence

from tests.infra.deploy.azure import (
    READ,
    SUBSCRIPTION_ID,
    TENANT_ID,
    VERIFICATION_ID,
    WEBHOOK,
    App,
    Azure,
    Endpoint,
    Group,
    RefusedError,
    command,
    group_of,
    option,
    query,
    to_json,
)

type Words = Sequence[str]
type Variables = Mapping[str, str]


@command("version")
def version(azure: Azure, _words: Words, _variables: Variables) -> str:
    return to_json({"azure-cli": azure.versions[0], "azure-cli-core": "2.1.0"})


@command("bicep version")
def bicep_version(azure: Azure, _words: Words, _variables: Variables) -> str:
    return f"Bicep CLI version {azure.versions[1]} (0123456789)"


@command("account show")
def account(_azure: Azure, words: Words, _variables: Variables) -> str:
    return SUBSCRIPTION_ID if query(words) == "id" else TENANT_ID


@command("provider list")
def providers(azure: Azure, _words: Words, _variables: Variables) -> str:
    names = "AlertsManagement App Authorization Insights ManagedIdentity BotService"
    names += " OperationalInsights Storage Web KeyVault Network"
    return "\n".join(
        f"Microsoft.{name}" for name in names.split() if name not in azure.unregistered
    )


@command("role assignment list")
def roles(azure: Azure, _words: Words, _variables: Variables) -> str:
    return azure.reader_roles


@command("keyvault certificate show")
def certificate(azure: Azure, _words: Words, _variables: Variables) -> str:
    if not azure.certificate:
        raise RefusedError("(CertificateNotFound) A certificate was not found.")
    return f"CN={azure.certificate}\n{azure.certificate}"


@command("functionapp list-flexconsumption-locations")
def flex(azure: Azure, _words: Words, _variables: Variables) -> str:
    return "\n".join(azure.locations)


@command("functionapp config appsettings list")
def settings(azure: Azure, words: Words, _variables: Variables) -> str:
    app = azure.apps[option(words, "-n").removeprefix("func-")]
    [code] = re.findall(r'"(\w+)"', query(words))
    return "CALLING_REGION_HOSTS" if code in app.hosts else ""


@command("resource show")
def resource(azure: Azure, words: Words, _variables: Variables) -> str:
    wanted = option(words, "--ids")
    if not any(name in wanted for name in azure.resources):
        raise RefusedError("(ResourceNotFound) The resource was not found.")
    return wanted


@command("resource list")
def bots(azure: Azure, words: Words, _variables: Variables) -> str:
    name = query(words).split("'")[1]
    if name not in azure.bots:
        return ""
    group = azure.bots[name]
    if query(words).endswith("resourceGroup"):
        return group
    return f"/subscriptions/s/resourceGroups/{group}/bots/{name}"


@command("rest")
def rest(azure: Azure, words: Words, _variables: Variables) -> str:
    url = option(words, "--url")
    if "/channels?" in url:
        return azure.webhook
    if "/usages" in url:
        full = [{"name": {"value": "FlexMemory"}, "currentValue": 9, "limit": 9}]
        return to_json(full if any(name in url for name in azure.used_up) else [])
    return to_json([{"actions": azure.actions, "notActions": []}])


@command("group exists")
def exists(azure: Azure, words: Words, _variables: Variables) -> str:
    return json.dumps(option(words, "-n") in azure.groups)


@command("group create")
def create_group(azure: Azure, words: Words, _variables: Variables) -> str:
    name = option(words, "-n")
    azure.made.append(name)
    number = sum(each.startswith("rg-") for each in azure.made)
    azure.groups[name] = Group(number, option(words, "-l"))
    return ""


@command("group list")
def list_groups(azure: Azure, _words: Words, _variables: Variables) -> str:
    return "\n".join(f"{name}\t{each.location}" for name, each in azure.groups.items())


@command("group show")
def show_group(azure: Azure, words: Words, _variables: Variables) -> str:
    name = option(words, "-n")
    if name not in azure.groups:
        raise RefusedError(f"(ResourceGroupNotFound) {name}")
    return azure.groups[name].tags.get(query(words).removeprefix("tags."), "")


@command("group delete")
def delete_group(azure: Azure, words: Words, _variables: Variables) -> str:
    name = option(words, "-n")
    del azure.groups[name]
    code = name.rpartition("-")[2]
    del azure.apps[code]
    if code in azure.records:
        azure.harm.append(f"{code} is gone, and its record leads to nobody")
    return ""


@command("tag update")
def tag(azure: Azure, words: Words, _variables: Variables) -> str:
    group = azure.groups[option(words, "--resource-id").rpartition("/")[2]]
    name, _, value = option(words, "--tags").partition("=")
    if option(words, "--operation") == "Merge":
        group.tags[name] = value
    else:
        group.tags.pop(name, None)
    return ""


@command("network dns zone list")
def zones(azure: Azure, words: Words, _variables: Variables) -> str:
    return "ns1-01.azure-dns.com." * bool(group_of(azure, words))


@command("network dns record-set")
def records(azure: Azure, words: Words, _variables: Variables) -> str:
    if "delete" in words:
        azure.records.remove(option(words, "-n"))
        return ""
    name = query(words).split("'")[1]
    return name if name in azure.records else ""


@command("network traffic-manager profile list")
def profiles(azure: Azure, words: Words, _variables: Variables) -> str:
    group_of(azure, words)
    if query(words) == "[].name":
        return "traf-test" if azure.endpoints else ""
    if query(words) == "join(' ', [].endpoints[].name)":
        found = [*azure.endpoints]
    elif "'Disabled'" in query(words):
        found = [c for c, each in azure.endpoints.items() if not each.is_enabled]
    else:
        if "!='Online'" in query(words):
            enabled = [c for c in azure.endpoints if azure.is_enabled(c)]
            return " ".join(c for c in enabled if not azure.is_online(c))
        [but] = re.findall(r"name!='(\w+)'", query(words))
        is_wanted = azure.is_online if "'Online'" in query(words) else azure.is_enabled
        found = [c for c in azure.endpoints if c != but and is_wanted(c)]
    return " ".join(found)


@command("network traffic-manager endpoint")
def endpoint(azure: Azure, words: Words, _variables: Variables) -> str:
    verb = words[3]
    if verb == "list":
        code = query(words).split("'")[1]
        return code if code in azure.endpoints else ""
    code = option(words, "-n")
    if code not in azure.endpoints:
        raise RefusedError(f"(NotFound) The endpoint {code} was not found.")
    if verb == "show":
        return "Online" if azure.is_online(code) else "CheckingEndpoint"
    is_enabled = option(words, "--endpoint-status") == "Enabled"
    azure.endpoints[code] = Endpoint(is_enabled, azure.clock)
    return ""


@command("ad app federated-credential")
def credential(azure: Azure, words: Words, _variables: Variables) -> str:
    verb, known = words[3], azure.credentials
    if verb == "list":
        if query(words) == "[].name":
            return "\n".join(known)
        name = query(words).split("'")[1]
        return str(known.get(name, {}).get("subject", ""))
    if verb == "delete":
        del known[option(words, "--federated-credential-id")]
        return ""
    trust = json.loads(option(words, "--parameters"))
    if verb == "update":
        name = option(words, "--federated-credential-id")
    elif (name := trust.pop("name")) in known:
        raise RefusedError("FederatedIdentityCredential with name already exists.")
    else:
        azure.made.append(name)
    known[name] = trust
    return ""


@command("deployment group")
def deployment(azure: Azure, words: Words, variables: Variables) -> str:
    verb = words[2]
    if verb == "validate":
        return _validate(azure)
    group = group_of(azure, words)
    if verb == "list":
        return _list(azure, group, query(words))
    if verb == "show":
        return _show(azure, group, words)
    for variable in READ:
        if variable not in variables:
            raise RefusedError(f"environment variable {variable} does not exist.")
    if verb == "create":
        _create(azure, group, words, variables)
    return ""


def _validate(azure: Azure) -> str:
    if azure.policy:
        raise RefusedError(f"(RequestDisallowedByPolicy) {azure.policy}")
    return ""


def _list(azure: Azure, group: Group, asked: str) -> str:
    running = {n for n, done_at in group.deployments.items() if done_at > azure.clock}
    if "'Running'" in asked:
        return "".join(running & {asked.split("'")[1]})
    if "outputs" in asked:
        return VERIFICATION_ID if "first" in group.deployments else ""
    return "\n".join(name for name in group.deployments if name not in running)


def _show(azure: Azure, group: Group, words: Words) -> str:
    if option(words, "-n") not in group.deployments:
        raise RefusedError("(DeploymentNotFound)")
    code = option(words, "-g").rpartition("-")[2]
    outputs = {
        "customDomainVerificationId": VERIFICATION_ID,
        "identityPrincipalId": f"principal-{code}-{group.number}",
        "functionAppName": f"func-{code}",
        "defaultHostName": azure.app_hosts.get(code, f"func-{code}.azurewebsites.net"),
        "regionHost": azure.hosts.get(code, f"host-{code}"),
    }
    return outputs.get(query(words).split(".")[2], "")


def _create(azure: Azure, group: Group, words: Words, variables: Variables) -> None:
    name, code = option(words, "-n"), option(words, "-g").rpartition("-")[2]
    if group.deployments.get(name, 0.0) > azure.clock:
        raise RefusedError("(DeploymentActive) The deployment is still active.")
    if code != "global" and azure.conflicts:
        azure.conflicts -= 1
        raise RefusedError(
            "Conflict: Cannot modify this site because another operation is in"
            " progress."
        )
    if code == "global":
        _deploy_global(azure, variables)
    else:
        _deploy_region(azure, code, variables)
    group.deployments.pop(name, None)
    group.deployments[name] = azure.clock
    azure.last = (group, name)


def _deploy_global(azure: Azure, variables: Variables) -> None:
    if variables.get("CUSTOM_DOMAIN_VERIFICATION_ID") != VERIFICATION_ID:
        raise RefusedError("the verification id is not the subscription's")
    drained = variables.get("DRAINED_REGIONS", "").split()
    before = azure.endpoints
    azure.endpoints = {
        code: _endpoint(azure, before.get(code), is_enabled and code not in drained)
        for code, is_enabled in azure.codes.items()
    }
    azure.records |= {*azure.codes, *(f"asuid.{code}" for code in azure.codes)}
    bot = variables["BOT_NAME"]
    if bot:
        if azure.bots.get(bot) != variables.get("BOT_RESOURCE_GROUP"):
            raise RefusedError(f"(ResourceNotFound) {bot}")
        if not all(map(azure.is_up, azure.codes)):
            azure.harm.append("the webhook leads to regions that are not healthy")
        if not azure.forgets_webhook:
            azure.webhook = WEBHOOK


def _endpoint(azure: Azure, before: Endpoint | None, is_enabled: bool) -> Endpoint:
    if before is not None and before.is_enabled == is_enabled:
        return before
    return Endpoint(is_enabled, azure.clock)


def _deploy_region(azure: Azure, code: str, variables: Variables) -> None:
    if variables.get("REGION") != code:
        raise RefusedError("this is another region's group")
    binds = azure.has_domain and variables["BIND_HOST_NAMES"] == "true"
    if binds and f"asuid.{code}" not in azure.records:
        raise RefusedError("A TXT record pointing from asuid was not found.")
    azure.note_change(code)
    app = azure.apps.setdefault(code, App(azure.clock))
    app.is_bound = app.is_bound or binds
    app.hosts = tuple(azure.codes)
