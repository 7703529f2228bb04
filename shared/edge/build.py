"""Which build of the app this is: the one line of ``build_id.txt``.

``infra/package.sh`` writes that file beside function_app.py. A checkout has none.
"""

from pathlib import Path

FILE = "build_id.txt"
NO_BUILD = "dev"

_APP = Path(__file__).resolve().parents[2]
_MAX_CHARACTERS = 200


def read_build(app: Path = _APP) -> str:
    """Return the build id of the ``app`` folder; ``dev`` where there is none.

    It raises nothing, because an app that cannot tell its build can still take calls.
    """
    try:
        text = (app / FILE).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return NO_BUILD
    lines = text.strip().splitlines()
    return lines[0][:_MAX_CHARACTERS] if lines else NO_BUILD
