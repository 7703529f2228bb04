"""The pages about deploying: commands that a shell reads, names that exist."""

import re
import textwrap
from pathlib import Path

import pytest

from infra.environment import PARAMS
from tests.infra.deploy.machine import Machine
from tests.infra.deploy.stand_ins import PrintedScript
from tests.infra.deploy.workstation import VARIABLES, Workstation, shellcheck
from tests.support.checkout import CHECKOUT, read_json, read_text

PAGES = ["deploy.md", "azure-drills.md", "remove-region.md"]
_BLOCK = re.compile(r"^ *```bash\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def commands(page: str) -> str:
    """Return all commands of a page, as one script."""
    found = _BLOCK.findall(read_text(f"docs/{page}"))
    blocks = [textwrap.dedent(block) for block in found]
    assert blocks
    return "\n".join(["#!/usr/bin/env bash", *blocks])


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_are_sound(page: str, tmp_path: Path) -> None:
    """ShellCheck reads the page as one script: names are set before they are used."""
    script = tmp_path / "page.sh"
    script.write_text(commands(page))

    shellcheck(script)


@pytest.mark.parametrize("page", PAGES)
def test_what_the_page_names_is_there(page: str) -> None:
    """Files of the checkout and options of the script exist."""
    text = read_text(f"docs/{page}")
    for name in re.findall(r"(?<!/)\binfra/[\w/-]+\.(?:sh|py)", text):
        assert (CHECKOUT / name).exists()
    usage = read_text("infra/deploy/options.py")
    for line in re.findall(r"infra/deploy\.sh( .*)", text):
        assert all(option in usage for option in re.findall(r"--[\w-]+", line))


def test_where_the_script_points_to_is_there() -> None:
    """Its messages name a heading of the page."""
    folder = CHECKOUT / "infra" / "deploy"
    scripts = [path.read_text("utf-8") for path in folder.glob("*.py")]
    named = re.findall(r"docs/deploy\.md, «([^»]+)»", "".join(scripts))

    assert named
    for heading in named:
        assert f"\n## {heading}\n" in read_text("docs/deploy.md")


PROD_NAMES = "weu eus2 sea|calls.contoso.com|global.calls.contoso.com"


@pytest.mark.parametrize(
    ("environment", "expected"), [("prod", PROD_NAMES), ("dev", "weu||")]
)
def test_names_can_be_sourced_for_every_environment(
    environment: str, expected: str, workstation: Workstation, tmp_path: Path
) -> None:
    """They are those of deploy.sh, and a failing command does not end the shell."""
    script = f"""
source infra/names.sh {environment}
echo "$(echo $REGIONS)|$ZONE|$GLOBAL_HOST"
group weu
false
echo "still there"
"""
    workstation.params = PARAMS
    machine = Machine(workstation.azure, VARIABLES)

    printed = PrintedScript(tmp_path / "copy", PARAMS).run(script, machine)

    group = f"rg-tmscalls-{environment}-weu"
    assert printed.splitlines() == [expected, group, "still there"]
    assert group in workstation.deploy("--dry-run", environment)


def test_the_names_ask_azure_for_what_only_it_knows(
    deployed: Workstation, tmp_path: Path
) -> None:
    script = "source infra/names.sh test\noutput eus2 functionAppName\n"
    machine = Machine(deployed.azure, VARIABLES)

    printed = PrintedScript(tmp_path / "copy", deployed.params).run(script, machine)

    assert printed == "func-eus2\n"


def test_the_devcontainer_has_the_python_of_the_app() -> None:
    """The script that completes it exists."""
    container = read_json(".devcontainer/devcontainer.json")
    version = read_text(".python-version").strip()

    assert f"python:{version}-" in container["image"]
    shell, script = container["postCreateCommand"].split()
    assert shell == "bash"
    assert (CHECKOUT / script).exists()
    recommended = read_json(".vscode/extensions.json")["recommendations"]
    wanted = container["customizations"]["vscode"]["extensions"]
    assert sorted(wanted) == sorted(recommended)
