"""The language of .funcignore as Core Tools read it: it is not gitignore's.

Patterns begin at the app's root. ``*`` does not cross ``/``, ``**`` does, and both
stand for at least one character. A pattern matches whatever begins with it and goes on
at a word boundary. An exception (``!``) counts wherever it stands, also before a
pattern.
https://github.com/Azure/azure-functions-core-tools (``GitIgnoreParser``)
"""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

# Left out whatever the file says, in every folder.
_FOLDERS = {".git", ".vscode"}
_FILES = {".funcignore", ".gitignore", "local.settings.json", "project.lock.json"}


def is_published(path: str, lines: Iterable[str]) -> bool:
    """Tell whether a file at ``path`` (relative, ``/``) would be published."""
    *folders, name = PurePosixPath(path).parts
    if name in _FILES or _FOLDERS & {*folders}:
        return False
    stripped = [line.strip() for line in lines]
    patterns = [line for line in stripped if line and not line.startswith("#")]
    ignored = [each for each in patterns if not each.startswith("!")]
    taken_in = [each.removeprefix("!") for each in patterns if each.startswith("!")]
    return _matches(path, taken_in) or not _matches(path, ignored)


def _matches(path: str, patterns: Iterable[str]) -> bool:
    # Names are told from other characters as ECMAScript does: in ASCII.
    return any(
        re.match(rf"{_compile(each.removeprefix('/'))}\b", path, re.ASCII)
        for each in patterns
    )


def _compile(pattern: str) -> str:
    escaped = re.escape(pattern).replace(r"\*\*", "(.+)")
    return escaped.replace(r"\*", "([^/]+)")
