"""The language of .funcignore as Core Tools read it: it is not gitignore's.

Patterns are anchored at the app's root, ``*`` does not cross ``/``, ``!`` takes in
again, and a name also matches what merely starts with it at a word boundary.
"""

import re
from collections.abc import Iterable

# Left out whatever the file says.
ALWAYS_LEFT_OUT = (
    ".git",
    ".vscode",
    ".funcignore",
    ".gitignore",
    "local.settings.json",
)


def is_published(path: str, lines: Iterable[str]) -> bool:
    """Tell whether a file at ``path`` (relative, ``/``) would be published."""
    if path.split("/", maxsplit=1)[0] in ALWAYS_LEFT_OUT:
        return False
    is_ignored = False
    for line in lines:
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        takes_in = pattern.startswith("!")
        if _compile(pattern.removeprefix("!")).match(path):
            is_ignored = not takes_in
    return not is_ignored


def _compile(pattern: str) -> re.Pattern[str]:
    parts = [re.escape(part).replace(r"\*", "[^/]*") for part in pattern.split("/")]
    return re.compile("/".join(part for part in parts if part) + r"(?:\b|(?=/)|$)")
