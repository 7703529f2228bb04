"""Would the tests notice a mistake in the deploy program?

Each story plays a part of the program's life and asserts how it ends. Every mutant, a
mistake in one place, must make one of the stories fail.
"""

from collections.abc import Callable

import pytest

from tests.infra.deploy.azure import FORMER_WEBHOOK, WEBHOOK
from tests.infra.deploy.mutants import Mutant, load
from tests.infra.deploy.stories import STORIES
from tests.infra.deploy.workstation import Workstation

type Make = Callable[[], Workstation]

MUTANTS: dict[str, list[Mutant]] = {
    "order": [
        ("rollout", "    yield from _build_package(target)\n", ""),
        ("rollout", "    yield from _make_groups(target)\n", ""),
        ("rollout", "key=lambda region: not _is_new", "key=lambda region: _is_new"),
        ("rollout", '"stamp" not in found', '"first" not in found'),
        (
            "rollout",
            'equals("GROUP_EXISTS", "false")',
            'equals("GROUP_EXISTS", "true")',
        ),
        ("rollout", 'has_no_line(_deployed(region), "first")', 'is_empty("TENANT_ID")'),
        ("rollout", "binds=False", "binds=True"),
        ("rollout", "binds=True", "binds=False"),
        ("rollout", "        yield from _wait_for_dns(target, regions)\n", ""),
        (
            "rollout",
            'contains("CUSTOM_DOMAIN_VERIFICATION_ID")',
            'is_found("TENANT_ID")',
        ),
        (
            "rollout",
            "if each.code not in known.split()",
            "if each.code in known.split()",
        ),
        ("rollout", '[*runner.answers["DRAINED"].split(), *new]', "[*new]"),
        ("rollout", '[*runner.answers["DRAINED"].split(), *new]', "[]"),
        ("rollout", "PUBLISH_TIMES = 4", "PUBLISH_TIMES = 3"),
        ("rollout", "PUBLISH_PAUSE_SECONDS = 30", "PUBLISH_PAUSE_SECONDS = 1"),
        ("rollout", '"--subscription", "$SUBSCRIPTION_ID"', '"--force"'),
        ("rollout", ', build="$BUILD"),', "),"),
        ("rollout", "region=code, build=", "region='', build="),
        (
            "rollout",
            "    if serves:\n        yield from drain_for_change",
            "    if 0:\n        yield from drain_for_change",
        ),
        (
            "rollout",
            "    if serves:\n        yield from let_in",
            "    if 0:\n        yield from let_in",
        ),
        ("rollout", "has_domain and region.is_enabled", "has_domain"),
        ("rollout", 'is_empty("SUBJECT"))', 'is_found("SUBJECT"))'),
        (
            "rollout",
            'differs("SUBJECT", "$PRINCIPAL_ID")',
            'equals("SUBJECT", "$PRINCIPAL_ID")',
        ),
        ("rollout", '"subject":"$PRINCIPAL_ID"', '"subject":"$TENANT_ID"'),
        ("rollout", "        yield from wait_for_global_host(target)\n", ""),
        ("rollout", 'if runner.answers["BOT_NAME"]:', "if False:"),
        (
            "rollout",
            "        yield from _trust(target, code, federated)\n",
            "        pass\n",
        ),
        ("templates", '"env", f"BOT_NAME={bot}"', '"env", "BOT_NAME=$BOT_NAME"'),
        ("templates", '"DRAINED_REGIONS=$DRAINED"', '"DRAINED_REGIONS="'),
        ("templates", "'Running'", "'Failed'"),
        ("templates", 'BOT_RESOURCE_GROUP=$BOT_GROUP"', 'BOT_RESOURCE_GROUP="'),
    ],
    "webhook": [
        ("webhook", 'is_empty("UNHEALTHY"), ', 'is_found("FORMER"), '),
        (
            "webhook",
            'either(is_empty("UNHEALTHY"), equals("FORMER", url))',
            'is_empty("UNHEALTHY")',
        ),
        ("webhook", 'build = "" if target.options.code else "$BUILD"', 'build = "x"'),
        (
            "webhook",
            'differs("FORMER", url))\n    yield Ask',
            'equals("FORMER", url))\n    yield Ask',
        ),
        (
            "webhook",
            'both(is_found("FORMER"), differs("FORMER", url))',
            'is_empty("FORMER")',
        ),
        ("webhook", '"callingWebhook":"$FORMER"', '"callingWebhook":"$BOT"'),
        ("webhook", 'equals("REGISTERED", url)', 'differs("REGISTERED", "")'),
        ("webhook", 'query=f"{named}.resourceGroup"', 'query=f"{named}.id"'),
        ("webhook", 'bot="$BOT_NAME"', 'bot="none"'),
    ],
    "traffic": [
        ("traffic", "DRAIN_SECONDS = 65", "DRAIN_SECONDS = 5"),
        ("traffic", "&& name!='{code}'].name)", "].name)"),
        ("traffic", " && endpointMonitorStatus=='Online'", ""),
        ("traffic", 'lets = is_empty("DRAINED_BY_HAND")', 'lets = is_found("PROFILE")'),
        (
            "traffic",
            'lets = is_empty("DRAINED_BY_HAND")',
            'lets = is_found("DRAINED_BY_HAND")',
        ),
        ("traffic", 'drains = both(is_found("OTHERS"), serves)', "drains = serves"),
        (
            "traffic",
            'drains = both(is_found("OTHERS"), serves)',
            'drains = is_empty("PROFILE")',
        ),
        ("traffic", 'tag("Merge", target, f"{tag_of(code)}=by-hand")', "('true',)"),
        ("traffic", 'tag("Delete", target, f"{tag_of(code)}=by-hand")', "('true',)"),
        ("traffic", 'return f"drained_{code}"', 'return "drained"'),
        ("traffic", "_until_online(target, code, lets)", "Pause(0)"),
        ("traffic", "    yield Pause(DRAIN_SECONDS)\n", ""),
        (
            "traffic",
            '    yield Check(\n        is_found("OTHERS")',
            '    yield Check(\n        is_found("PROFILE")',
        ),
        ("traffic", 'equals("ANSWER", "Online")', 'is_found("ANSWER")'),
    ],
    "remove": [
        ("remove", '        is_empty("KNOWS"),', '        is_found("FUNCTION_APP"),'),
        ("remove", '        is_empty("ENDPOINT"),', '        is_found("PROFILE"),'),
        ("remove", "DAY_SECONDS = 86_400", "DAY_SECONDS = 8_640"),
        ("remove", 'f"asuid.{code}"', 'f"{code}"'),
        (
            "remove",
            "        yield from _remove_records(target, code)\n",
            "        pass\n",
        ),
        ("remove", 'is_found("RECORD")', 'is_empty("RECORD")'),
        ("remove", '    yield EndUnless(is_found("REMOVED_AT"))\n', ""),
        (
            "remove",
            'both(is_empty("REMOVED_AT"), equals("GROUP_EXISTS", "true"))',
            'is_empty("REMOVED_AT")',
        ),
        ("remove", 'tag("Delete", target, f"removed_{code}=$REMOVED_AT")', "('true',)"),
        (
            "remove",
            '"--federated-credential-id", name',
            '"--federated-credential-id", code',
        ),
        ("__main__", ' or options.code == "global"', ""),
        ("__main__", "if options.code in codes or", "if"),
    ],
    "trouble": [
        ("rollout", 'equals("HOST_NAME", described)', 'is_found("HOST_NAME")'),
        ("rollout", "region.default_host_name or f", "f"),
        ("rollout", ".{region.apps_domain}", ".azurewebsites.us"),
        (
            "rollout",
            '        yield from _check_host_name(target, region, "first")\n',
            "",
        ),
        (
            "rollout",
            '        yield from _check_host_name(target, region, "stamp")\n',
            "        pass\n",
        ),
        ("runner", "ATTEMPTS = 4", "ATTEMPTS = 1"),
        ("runner", "ATTEMPTS = 4", "ATTEMPTS = 9"),
        ("rollout", "is_patient=True", "is_patient=False"),
        ("runner", r"TooManyRequests|\b429\b|throttl|", ""),
        ("runner", "|another operation is in progress", ""),
        ("runner", 'passes = "az" in words and', "passes ="),
        ("runner", "AADSTS700024|", ""),
        ("runner", "waited < action.at_most_seconds", "True"),
        ("runner", "            if not finished.status:\n                return\n", ""),
        ("runner", "words)\n\n    def _ask", "words) if 0 else 0\n\n    def _ask"),
        (
            "runner",
            "words)\n        return finished.output",
            "words) if 0 else 0\n        return finished.output",
        ),
        ("runner", "self._stop_unless(when.holds(self.answers), otherwise)", "pass"),
        (
            "runner",
            "                return when.holds(self.answers)\n",
            "                return True\n",
        ),
        ("__main__", "status = _INTERRUPTED", "status = 0"),
        ("__main__", "        if problems or options", "        if options"),
    ],
    "preflight": [
        ("probes", "AZ_VERSION = (2, 88)", "AZ_VERSION = (2, 87)"),
        ("probes", "BICEP_VERSION = (0, 36)", "BICEP_VERSION = (0, 35)"),
        ("probes", "FUNC_VERSION = (4, 13)", "FUNC_VERSION = (4, 12)"),
        (
            "probes",
            "map(int, found.groups())) < needed",
            "map(int, found.groups())) <= needed",
        ),
        ("probes", '    "Microsoft.App",\n', ""),
        ("probes", "not has(entry.get", "has(entry.get"),
        ("probes", "0 <= limit <= current", "0 <= limit < current"),
        ("probes", 'f"*.{zone}" not in covered', 'f"*.{zone}" in covered'),
        (
            "probes",
            '"NotFound" in finished.complaint',
            '"Nothing" in finished.complaint',
        ),
        ("probes", "!= location:", "== location:"),
        ("probes", "> MAX_REGIONS", "> 2 * MAX_REGIONS"),
        (
            "probes",
            "    if finished.status:\n        said",
            "    if not finished.status:\n        said",
        ),
        ("questions", "if location not in finished", "if location in finished"),
        ("questions", "if not group:", "if group == '-':"),
        ("questions", "wanted.lower() != group.lower()", "wanted != group"),
        ("questions", "group if exists else other", "group"),
        (
            "preflight",
            "found.warnings if probe.is_warning",
            "found.problems if probe.is_warning",
        ),
    ],
}
ALL = [mutant for mutants in MUTANTS.values() for mutant in mutants]


def first_failure(make: Make) -> str:
    """Return the name of the first story that fails; empty: none."""
    for name, story in STORIES.items():
        try:
            story(make)
        except Exception:  # noqa: BLE001 - a crash is noticed, too
            return name
    return ""


def test_every_story_holds_for_the_program_itself(
    make_workstation: Make,
) -> None:
    for story in STORIES.values():
        story(make_workstation)


def test_the_stories_start_from_a_bot_that_points_elsewhere() -> None:
    assert FORMER_WEBHOOK != WEBHOOK


@pytest.mark.parametrize("mutant", ALL, ids=range(len(ALL)))
def test_a_mistake_is_noticed(mutant: Mutant, make_workstation: Make) -> None:
    main = load(mutant)

    def make() -> Workstation:
        workstation = make_workstation()
        workstation.main = main
        return workstation

    assert first_failure(make), f"no story notices {mutant}"
