"""Partitions: which one a call belongs to, and the ``callbackUri`` that says so.

Graph posts all later notifications of an answered call to the ``callbackUri`` of the
answer: https://learn.microsoft.com/graph/api/call-answer. It goes to this region's own
host, never through Traffic Manager, and stays routable for the life of the call.
"""

import re
from collections.abc import Sequence
from hashlib import sha256

from shared.core.routes import callback_path

DEFAULT_PARTITION = "default"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def is_partition_name(name: str) -> bool:
    """Tell whether ``name`` may stand in a callbackUri (case-sensitive)."""
    return _NAME.fullmatch(name) is not None


def is_listed(name: str, partitions: Sequence[str]) -> bool:
    """Tell whether ``name`` is one of ours; without partitions it is ``default``."""
    return name in (partitions or (DEFAULT_PARTITION,))


def choose_partition(call_id: str, partitions: Sequence[str]) -> str:
    """Choose by rendezvous hashing, so that everybody chooses the same partition.

    The order of ``partitions`` does not matter, and removing one moves only its own
    calls (Thaler and Ravishankar, 1998). Without partitions: ``default``.
    """
    if not partitions:
        return DEFAULT_PARTITION
    return max(partitions, key=lambda name: (_score(name, call_id), name))


def build_callback_uri(host: str, partition: str) -> str:
    """Build the absolute callbackUri on ``host`` (``host`` or ``host:port``)."""
    return f"https://{host}{callback_path(partition)}"


def _score(partition: str, call_id: str) -> bytes:
    # A partition name has no slash: the pair is unambiguous. The platform's ids are
    # GUIDs in small letters; one in capitals is the same call.
    return sha256(f"{partition}/{call_id.lower()}".encode()).digest()
