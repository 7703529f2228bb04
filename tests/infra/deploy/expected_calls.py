"""The calls of a deployment of ``test`` that change something, as tests expect them."""

from tests.infra.deploy.azure import SUBSCRIPTION_ID, VERIFICATION_ID

BUILD = "0a1b2c3d4e5f.9f8e7d6c5b4a"
GATE = f".venv/bin/python infra/wait_until_healthy.py --build {BUILD}"
GLOBAL_GATE = f"{GATE} https://global.calls.contoso.com/api/health"
GROUP_ID = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg-tmscalls-test-global"


def first_stamp(code: str) -> str:
    """Return the call that deploys a region without host names."""
    return stamp(code, is_bound="false", name="first")


def stamp(code: str, *, is_bound: str = "true", name: str = "stamp") -> str:
    return (
        f"REGION={code} BIND_HOST_NAMES={is_bound}"
        f" az deployment group create -g rg-tmscalls-test-{code}"
        f" --parameters infra/params/test.regional.bicepparam -n {name} -o none"
    )


def global_part(drained: str = "", *, bot: str = "", name: str = "global") -> str:
    """Return the call that deploys the global part; ``bot`` is a name and a group."""
    name_of_bot, _, group = bot.partition(" ")
    place = f" BOT_RESOURCE_GROUP={group}" if group else ""
    return (
        f"BOT_NAME={name_of_bot}{place} DRAINED_REGIONS={drained}"
        f" CUSTOM_DOMAIN_VERIFICATION_ID={VERIFICATION_ID} az deployment group create"
        " -g rg-tmscalls-test-global --parameters infra/params/test.global.bicepparam"
        f" -n {name} -o none"
    )


WEBHOOK_PART = global_part(bot="bot-calls rg-bots", name="webhook")


def publish(code: str) -> list[str]:
    """Return the calls that publish to a region and hold until it is healthy."""
    published = f"func azure functionapp publish func-{code} --python --no-build"
    gate = GATE.replace("--build", f"--region {code} --build")
    return [
        f"{published} --subscription {SUBSCRIPTION_ID}",
        f"{gate} https://host-{code}/api/health",
    ]


def switch(code: str, state: str) -> str:
    return (
        "az network traffic-manager endpoint update -g rg-tmscalls-test-global"
        f" --profile-name traf-test -n {code} --type externalEndpoints"
        f" --endpoint-status {state} -o none"
    )


def turn(code: str, *, is_drained: bool = True, is_let_in: bool = True) -> list[str]:
    """Return the calls of a region's turn in the roll-out."""
    return [
        *([switch(code, "Disabled")] if is_drained else []),
        stamp(code),
        *publish(code),
        *([switch(code, "Enabled")] if is_let_in else []),
    ]


def is_trust(call: str) -> bool:
    """Tell whether a call changes whom the bot's registration trusts."""
    return "az ad app federated-credential" in call
