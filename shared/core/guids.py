"""GUIDs: ids of tenants, applications and identities."""

import re

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_guid(value: str) -> bool:
    """Tell whether ``value`` is a GUID, in any case, without braces."""
    return _GUID.fullmatch(value) is not None
