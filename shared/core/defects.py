"""What the log may say about a defect of ours: where it is, never what it says.

The message of an exception and its source lines may hold tokens, names and numbers.
"""

import inspect
from collections.abc import Mapping
from traceback import walk_tb


def describe_defect(
    error: BaseException, *, within: object = None
) -> Mapping[str, object]:
    """Return type, file, line and function of the place where ``error`` was raised.

    Args:
        error: with its traceback.
        within: a file: the innermost place in it, if it is there at all.
    """
    described: dict[str, object] = {"type": type(error).__name__}
    places = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    for code, line in [at for at in places if at[0].co_filename == within] or places:
        described |= {
            "file": code.co_filename,
            "line": line,
            "function": code.co_name,
        }
    return described


def describe_place(function: object) -> Mapping[str, object]:
    """Return file, line and name of a function, as far as it has them."""
    code = getattr(inspect.unwrap(function), "__code__", None)  # type: ignore[arg-type]
    if code is None:
        return {"function": getattr(function, "__name__", type(function).__name__)}
    return {
        "file": code.co_filename,
        "line": code.co_firstlineno,
        "function": code.co_name,
    }
