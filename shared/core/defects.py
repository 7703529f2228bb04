"""What the log may say about a defect of ours: where it is, never what it says.

The message of an exception and its source lines may hold tokens, names and numbers.
"""

from collections.abc import Mapping
from traceback import walk_tb


def describe_defect(error: BaseException) -> Mapping[str, object]:
    """Return type, file, line and function of the place where ``error`` was raised."""
    described: dict[str, object] = {"type": type(error).__name__}
    for frame, line in walk_tb(error.__traceback__):
        code = frame.f_code
        described |= {
            "file": code.co_filename,
            "line": line,
            "function": code.co_name,
        }
    return described
