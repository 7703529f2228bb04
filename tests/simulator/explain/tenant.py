"""The tenant that is assumed, and what can be said of a recorded token."""

import re
from dataclasses import dataclass
from typing import Any

from shared.core.errors import TokenRefusedError
from shared.core.strict_json import StrictJsonError, read_object
from shared.core.tokens import read_bearer, read_jws, read_key_id
from tests.simulator.explain.recording import Recording

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class AssumedTenant:
    """The tenant of the assumed token.

    Attributes:
        tenant_id: lower case; empty: unknown, which no rule's condition matches.
        source: where it is from.
        token: a sentence about the recorded token; empty: nothing was recorded.
    """

    tenant_id: str
    source: str
    token: str = ""


def find_tenant(recording: Recording, given: str | None) -> AssumedTenant:
    """Find the tenant: as given, of the recorded token, or of the notification."""
    token, claimed = _read_token(recording)
    if given is not None:
        return AssumedTenant(given.lower(), "as given", token)
    if claimed is not None:
        return AssumedTenant(claimed, "of the recorded token", token)
    noted = _read_tenant(recording.body)
    if noted is not None:
        return AssumedTenant(noted, "as the notification says", token)
    return AssumedTenant("", "not recorded", token)


def is_tenant_id(text: str) -> bool:
    """Tell whether ``text`` has the form of a tenant ID."""
    return _GUID.fullmatch(text) is not None


def _read_token(recording: Recording) -> tuple[str, str | None]:
    """Judge a recorded token by what needs no key; return its tenant if it has one."""
    if not recording.has_head:
        return "", None
    if recording.is_token_redacted:
        return "The recorded one was redacted.", None
    try:
        jws = read_jws(read_bearer(recording.headers))
        read_key_id(jws)
    except TokenRefusedError as error:
        sentence = (
            f"As recorded it would be refused: 401, {error.reason.value}. "
            f"{error.reason.cause}"
        )
        return sentence, None
    try:
        tenant = _guid(read_object(jws.payload).get("tid"))
    except StrictJsonError:
        tenant = None
    sentence = (
        "The recorded one is well formed; its signature and times are not judged."
    )
    return sentence, tenant


def _read_tenant(body: bytes) -> str | None:
    """Return the first tenantId of the body, of either protocol."""
    try:
        members = read_object(body)
    except StrictJsonError:
        return None
    items = members.get("value")
    found: list[dict[str, Any]] = [members]
    for item in items if type(items) is list else []:
        data = item.get("resourceData") if type(item) is dict else None
        found += [data] if type(data) is dict else []
    return next(
        (tenant for data in found if (tenant := _guid(data.get("tenantId")))), None
    )


def _guid(value: object) -> str | None:
    return value.lower() if type(value) is str and is_tenant_id(value) else None
