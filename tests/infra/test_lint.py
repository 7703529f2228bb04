"""The lint of the infrastructure: silent here, and not silent where it should speak."""

import stat
import tempfile
from pathlib import Path

import pytest

from infra.bicep import CHECKOUT, BicepError, BicepServer, bicep_environment, find_bicep
from infra.lint import find_environment_problems, find_template_problems
from tests.infra.templates import Compiler, Templates, write_files
from tests.support.processes import run


def test_the_compiler_has_nothing_to_say(compiler: Compiler) -> None:
    """Neither has the check of descriptions."""
    assert list(find_template_problems(compiler.server)) == []
    assert list(find_environment_problems()) == []


BROKEN = [
    (
        "modules/dns.bicep",
        "@description('Required. Name of the zone.')",
        "@description('Required. Name of the zone.')\nparam unused string\n",
        "modules/dns.bicep:17: Warning no-unused-params: ",
    ),
    (
        "modules/dns.bicep",
        "parent: zone\n    name: alias.label",
        "parent: zon\n    name: alias.label",
        'modules/dns.bicep:61: Error BCP057: The name "zon" does not exist',
    ),
    (
        "modules/storage.bicep",
        "  name: name\n",
        "  name:   name\n",
        "modules/storage.bicep: is not in the format of `bicep format`.",
    ),
    (
        "params/prod.global.bicepparam",
        "param botName = ",
        "param bottName = ",
        'params/prod.global.bicepparam:13: Error BCP259: The parameter "bottName"',
    ),
    (
        "params/dev.regional.bicepparam",
        "'REGION'",
        "'REGOIN'",
        'Error BCP427: Environment variable "REGOIN" does not exist',
    ),
    (
        "modules/functionApp.bicep",
        "    #disable-next-line BCP037\n",
        "",
        'Warning BCP037: The property "siteScopedCertificatesEnabled"',
    ),
]


@pytest.fixture(scope="module")
def problems(
    templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """What the lint says of templates that are broken in all these places."""
    for file, old, new, _sentence in BROKEN:
        templates = templates.with_text(file, old, new)
    folder = tmp_path_factory.mktemp("broken")
    write_files(templates.files, folder)
    return list(find_template_problems(templates.compiler.server, folder))


@pytest.mark.parametrize("sentence", [sentence for *_, sentence in BROKEN])
def test_what_the_compiler_says_is_a_problem(
    sentence: str, problems: list[str]
) -> None:
    """Errors, warnings and format are told with file and line."""
    assert [problem for problem in problems if sentence in problem], problems


def test_a_compiler_that_cannot_be_started_is_a_problem() -> None:
    """Somebody chose it with $BICEP."""
    env = {"PATH": "/usr/bin:/bin", "BICEP": "/nonexistent/bicep"}

    finished = run(CHECKOUT / "infra" / "lint.sh", env=env)

    assert finished.returncode == 1
    assert finished.stderr == (
        "infra/lint.py: the Bicep CLI /nonexistent/bicep cannot be started: "
        "No such file or directory.\n"
    )


def make_command(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(stat.S_IRWXU)
    return path


def test_the_compiler_is_found_in_the_order_that_is_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$BICEP, PATH, Azure CLI's place, beside the checkout, or nowhere."""
    checkout = tmp_path / "a" / "checkout"
    monkeypatch.setattr("infra.bicep.CHECKOUT", checkout)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("BICEP", raising=False)
    assert find_bicep() is None
    beside = make_command(tmp_path / "a" / "shared" / "tools" / "bicep")
    assert find_bicep() == beside
    azures = make_command(tmp_path / "home" / ".azure" / "bin" / "bicep")
    assert find_bicep() == azures
    on_path = make_command(tmp_path / "bin" / "bicep")
    assert find_bicep() == on_path
    monkeypatch.setenv("BICEP", "/elsewhere/bicep")
    assert find_bicep() == Path("/elsewhere/bicep")


def test_a_compiler_that_ends_is_an_error_and_not_a_hang(tmp_path: Path) -> None:
    mute = make_command(tmp_path / "bicep", "#!/bin/sh\nread -r line\n")
    with BicepServer(mute, {}) as server, pytest.raises(BicepError, match="has ended"):
        server.format(tmp_path / "any.bicep")


def test_a_home_that_cannot_be_written_to_will_do(tmp_path: Path) -> None:
    """A variable of .NET makes the compiler unpack itself elsewhere."""
    name = "DOTNET_BUNDLE_EXTRACT_BASE_DIR"
    elsewhere = bicep_environment({"HOME": str(tmp_path / "none")})[name]
    assert elsewhere.startswith(tempfile.gettempdir())
    assert name not in bicep_environment({"HOME": str(tmp_path)})
