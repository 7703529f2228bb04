"""Check the templates with the Bicep compiler, and every environment's description.

The compiler must find no error and no warning, and the format must be its own. The
parameter files read environment variables, which get test values here. Without a Bicep
CLI the templates are not checked, and a line says so. Nothing is changed.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    # Started as a file, its own folder is on the path and the checkout is not.
    sys.path[0] = str(CHECKOUT)

from infra.bicep import NOT_FOUND, BicepError, BicepServer, find_bicep
from infra.environment import PARAMS, check_environment

INFRA = CHECKOUT / "infra"
TEST_VARIABLES = {
    "REGION": "weu",
    "MICROSOFT_APP_ID": "11111111-2222-4333-8444-555555555555",
    "LOG_ANALYTICS_WORKSPACE_ID": (
        "/subscriptions/66666666-7777-4888-8999-000000000000/resourceGroups/rg-shared"
        "/providers/Microsoft.OperationalInsights/workspaces/log-shared"
    ),
    "CUSTOM_DOMAIN_VERIFICATION_ID": "0123456789ABCDEF",
}


def find_template_problems(server: BicepServer, root: Path = INFRA) -> Iterator[str]:
    """Yield what the compiler finds in the templates and parameter files."""
    for source in sorted(root.rglob("*.bicep*")):
        if source.suffix == ".bicep":
            result = server.compile(source)
        elif source.suffix == ".bicepparam":
            result = server.compile_parameters(source)
        else:
            continue
        for finding in result["diagnostics"]:
            if finding["source"] == str(source):
                yield _describe(finding, source.relative_to(root))
        if server.format(source) != source.read_text("utf-8"):
            name = source.relative_to(root)
            yield f"{name}: is not in the format of `bicep format`."


def _describe(finding: dict[str, Any], name: Path) -> str:
    line = finding["range"]["start"]["line"] + 1
    return f"{name}:{line}: {finding['level']} {finding['code']}: {finding['message']}"


def find_environment_problems() -> Iterator[str]:
    """Yield the problems of all descriptions."""
    for file in sorted(PARAMS.glob("*.json")):
        for problem in check_environment(file.stem).problems:
            yield f"params/{file.name}: {problem}"


def main() -> int:
    """Print all problems; 0 if there is none."""
    problems = list(find_environment_problems())
    cli = find_bicep()
    if cli is None:
        print(f"lint: {NOT_FOUND}; the templates are not checked.")
    else:
        try:
            with BicepServer(cli, TEST_VARIABLES) as server:
                problems += find_template_problems(server)
        except BicepError as error:
            problems.append(f"lint.py: {error}.")
    for problem in problems:
        print(f"infra/{problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
