"""Ids of calls: the only form that may become part of a URL or a blob's path."""

import re

CALL_ID = "[A-Za-z0-9_-]{1,128}"

_CALL_ID = re.compile(CALL_ID, re.ASCII)


def is_call_id(value: str) -> bool:
    """Tell whether ``value`` is the id of a call, in any case."""
    return _CALL_ID.fullmatch(value) is not None
