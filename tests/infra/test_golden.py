"""The golden snapshots: nothing of what a deployment makes changes unseen."""

import json
import shutil
from pathlib import Path

import pytest

from tests.infra.golden import (
    DEPLOYMENTS,
    SNAPSHOTS,
    Deployment,
    run_snapshot,
    snapshot_file,
)
from tests.infra.templates import Compiler, Templates, write_files

GOLDEN = "run `python -m tests.infra.golden`, and read what changed"


def prepare(deployment: Deployment, folder: Path) -> None:
    """Put the golden snapshot where the compiler looks for it."""
    write_files(deployment.files(), folder)
    shutil.copy(deployment.golden, snapshot_file(deployment, folder))


@pytest.mark.parametrize(
    "deployment", DEPLOYMENTS, ids=[d.golden.stem for d in DEPLOYMENTS]
)
def test_a_deployment_makes_what_its_snapshot_says(
    deployment: Deployment, compiler: Compiler
) -> None:
    """Asked of the compiler that runs already: the command takes seconds to start."""
    predicted = Templates(compiler, deployment.files()).deployment(
        deployment.parameters, deployment.code, deployment.location
    )

    golden = deployment.read()
    assert predicted.resources == golden["predictedResources"], GOLDEN
    assert predicted.outputs == golden["outputs"], GOLDEN


def test_the_command_predicts_the_same_from_real_variables(
    bicep_cli: Path, tmp_path: Path
) -> None:
    deployment = DEPLOYMENTS[0]
    prepare(deployment, tmp_path)

    finished = run_snapshot(bicep_cli, deployment, "validate", tmp_path)

    assert finished.returncode == 0, f"{GOLDEN}:\n{finished.stdout}{finished.stderr}"


def test_a_snapshot_notices_a_change(bicep_cli: Path, tmp_path: Path) -> None:
    deployment = DEPLOYMENTS[-1]
    prepare(deployment, tmp_path)
    module = tmp_path / "modules" / "trafficManager.bicep"
    module.write_text(module.read_text().replace("weight: 1", "weight: 2"))

    finished = run_snapshot(bicep_cli, deployment, "validate", tmp_path)

    assert finished.returncode == 1
    assert "weight" in finished.stdout + finished.stderr


def test_there_is_a_snapshot_for_every_region(templates: Templates) -> None:
    """There is one for each other part and for all options, and none is left over."""
    expected = {
        f"{environment}.{region['code']}": region["location"]
        for environment in ("prod", "dev")
        for region in templates.description(environment)["regions"]
    }
    expected["prod.global"] = templates.description("prod")["globalLocation"]
    expected["private.weu"] = expected["shared.shared"] = "westeurope"
    assert {d.golden.stem: d.location for d in DEPLOYMENTS} == expected
    assert {d.golden for d in DEPLOYMENTS} == set(SNAPSHOTS.iterdir())


def test_snapshots_tell_all_but_what_only_azure_knows() -> None:
    """No parameter or condition is unresolved, and the compiler had no complaint."""
    for deployment in DEPLOYMENTS:
        golden = deployment.read()
        assert golden["diagnostics"] == []
        assert "[parameters(" not in json.dumps(golden)
        assert "[if(" not in json.dumps(golden)
