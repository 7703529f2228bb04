"""tests.architecture.funcignore: the rules by which Core Tools choose files."""

import pytest

from tests.architecture.funcignore import is_published


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        (["tests"], "tests/a.py", False),
        (["tests"], "tests-old/a.py", False),
        (["tests"], "testsuite/a.py", True),
        (["tests"], "shared/tests/a.py", True),
        (["*.pfx"], "a.pfx", False),
        (["*.pfx"], "certs/a.pfx", True),
        (["**.pfx"], "certs/a.pfx", False),
        (["!shared", "*"], "shared/a.py", True),
        (["*", "!shared/*.py"], "shared/core/a.py", False),
        (["/docs", "# docs"], "docs/a.md", False),
        (["*"], "---", True),
        ([], "local.settings.json", False),
        ([], ".git/config", False),
        ([], "shared/.vscode/a.json", False),
    ],
)
def test_core_tools_rules_are_not_those_of_git(
    lines: list[str], path: str, *, expected: bool
) -> None:
    """The rows are derived from their parser."""
    assert is_published(path, lines) is expected
