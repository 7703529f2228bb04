"""The diagram of docs/infrastructure.md, drawn from the golden snapshots.

``python -m tests.infra.diagram`` writes it anew. Every line comes from a resource of a
snapshot; the first region is shown whole, of the others the app only.
"""

import re
from collections.abc import Iterator

from infra.bicep import CHECKOUT
from tests.infra.golden import DEPLOYMENTS
from tests.infra.templates import CONTAINER, SITE, STORAGE, Resource, Snapshot

DOCUMENT = CHECKOUT / "docs" / "infrastructure.md"
BEGIN, END = "<!-- diagram: begin -->\n", "<!-- diagram: end -->\n"
KINDS = {
    "Microsoft.BotService/botServices/channels": "Teams channel of the bot",
    "Microsoft.Insights/components": "Application Insights",
    "Microsoft.Insights/workbooks": "workbook",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "identity",
    "Microsoft.Network/dnsZones": "DNS zone",
    "Microsoft.Network/trafficmanagerprofiles": "Traffic Manager",
    STORAGE: "storage account, no keys",
    CONTAINER: "container",
    "Microsoft.Web/serverfarms": "plan, Flex Consumption",
    "Microsoft.Web/sites": "function app",
    "Microsoft.Web/sites/certificates": "certificate of the zone",
}
ALERTS = (
    "Microsoft.Insights/metricAlerts",
    "Microsoft.Insights/scheduledQueryRules",
    "Microsoft.Insights/activityLogAlerts",
)
ROLES = {
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": "Monitoring Reader",
}


def _node(resource: Resource) -> str:
    return re.sub(r"\W", "_", resource["name"])


def draw() -> str:
    """Return the diagram in Mermaid."""
    regions = {
        one.code: Snapshot(one.read()["predictedResources"], {})
        for one in DEPLOYMENTS
        if one.environment == "prod" and not one.changes
    }
    shared = regions.pop("global")
    lines = ["flowchart TB", '  platform(["calling platform of Teams"])']
    lines += _group("global", shared, whole=True)
    for number, (code, region) in enumerate(regions.items()):
        lines += _group(code, region, whole=number == 0)
    lines += _routes(shared, regions)
    lines += _inside(next(iter(regions.values())))
    return "\n".join(lines) + "\n"


def _group(code: str, part: Snapshot, *, whole: bool) -> Iterator[str]:
    group = part.resources[0]["id"].split("/")[4]
    yield f'  subgraph group_{code}["{group}"]'
    for resource in part.resources:
        label = KINDS.get(resource["type"])
        if label and (whole or resource["type"] == SITE):
            name = resource["name"].rpartition("/")[2]
            yield f'    {_node(resource)}["{label}<br>{name}"]'
    if whole:
        alerts = [alert["name"] for kind in ALERTS for alert in part.all(kind)]
        names = ", ".join("-".join(name.split("-")[3:]) for name in alerts)
        yield f'    alerts_{code}["alerts<br>{names}"]'
    yield "  end"


def _routes(shared: Snapshot, regions: dict[str, Snapshot]) -> Iterator[str]:
    """Draw the way of a call: by the global host, and by a redirect."""
    profile = shared.one("Microsoft.Network/trafficmanagerprofiles")
    zone = shared.one("Microsoft.Network/dnsZones")
    channel = shared.one("Microsoft.BotService/botServices/channels")
    apps = {
        f"{region.app_name}.azurewebsites.net": region.one(SITE)
        for region in regions.values()
    }
    webhook = channel["properties"]["properties"]["callingWebhook"]
    yield f'  {_node(channel)} -- "{webhook}" --> platform'
    yield f"  platform -- resolves --> {_node(zone)}"
    for alias in shared.all("Microsoft.Network/dnsZones/CNAME"):
        host = f"{alias['name'].rpartition('/')[2]}.{zone['name']}"
        target = alias["properties"]["CNAMERecord"]["cname"]
        node = _node(apps[target]) if target in apps else _node(profile)
        yield f'  {_node(zone)} -- "{host}" --> {node}'
    path = profile["properties"]["monitorConfig"]["path"]
    for endpoint in profile["properties"]["endpoints"]:
        app = regions[endpoint["name"]].one(SITE)
        yield f'  {_node(profile)} -. "probes {path}" .-> {_node(app)}'


def _inside(region: Snapshot) -> Iterator[str]:
    by_id = {one["id"]: one for one in region.resources}
    app = region.one(SITE)
    insights = region.one("Microsoft.Insights/components")
    certificate = region.one("Microsoft.Web/sites/certificates")
    plan = by_id[app["properties"]["serverFarmId"]]
    yield f"  {_node(app)} -- runs on --> {_node(plan)}"
    [identity] = app["identity"]["userAssignedIdentities"]
    yield f"  {_node(app)} -- acts as --> {_node(by_id[identity])}"
    for role in region.all("Microsoft.Authorization/roleAssignments"):
        scope = role["id"].partition("/providers/Microsoft.Authorization/")[0]
        name = ROLES[role["properties"]["roleDefinitionId"].rpartition("/")[2]]
        [holder] = re.findall(
            r"^\[reference\('([^']+)'", role["properties"]["principalId"]
        )
        yield f'  {_node(by_id[holder])} -- "{name}" --> {_node(by_id[scope])}'
    for container in region.all(CONTAINER):
        account = by_id[container["id"].partition("/blobServices/")[0]]
        yield f"  {_node(account)} -- holds --> {_node(container)}"
    vault = certificate["properties"]["keyVaultId"].rpartition("/")[2]
    workspace = insights["properties"]["WorkspaceResourceId"].rpartition("/")[2]
    yield f'  vault[("Key Vault {vault}")] --> {_node(certificate)}'
    yield f"  {_node(certificate)} --> {_node(app)}"
    yield f'  {_node(insights)} --> workspace[("Log Analytics {workspace}")]'
    yield f"  alerts_weu -. watch .-> {_node(insights)}"


def place(document: str) -> str:
    """Return the document with the diagram between its marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}```mermaid\n{draw()}```\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(place(DOCUMENT.read_text("utf-8")), "utf-8")
