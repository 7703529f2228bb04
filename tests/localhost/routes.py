"""Routing as the Functions host does it: indexed functions and host.json to handlers.

A wrong method is a 404, paths ignore case and one trailing slash, dot segments are
resolved first, an encoded slash stays encoded.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from tests.localhost.worker import IndexedFunction

_PARAMETER = re.compile(r"\{\*?([A-Za-z_][A-Za-z0-9_]*)[^}]*\}")
# What stays as it is when a path is written again (RFC 3986 pchar).
_PATH_CHARACTERS = "/!$&'()*+,;=:@%-._~"


@dataclass(frozen=True, slots=True)
class HostConfiguration:
    """The part of host.json that HTTP depends on; ``is_usable`` is false if broken."""

    is_usable: bool
    route_prefix: str = "api"
    custom_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """One function's route: path segments in lower case, parameters by position."""

    function: IndexedFunction
    methods: frozenset[str]
    segments: tuple[str | None, ...]
    parameters: tuple[str, ...]
    is_anonymous: bool


def read_host_configuration(app_directory: Path) -> HostConfiguration:
    """Read host.json; without a ``version`` the host does not run."""
    try:
        host = json.loads((app_directory / "host.json").read_text("utf-8"))
        http = host.get("extensions", {}).get("http", {})
        return HostConfiguration(
            is_usable="version" in host,
            route_prefix=str(http.get("routePrefix", "api")),
            custom_headers=dict(http.get("customHeaders", {})),
        )
    except (OSError, ValueError, AttributeError):
        return HostConfiguration(is_usable=False)


def build_routes(
    functions: Iterable[IndexedFunction], configuration: HostConfiguration
) -> list[Route]:
    """Build the routes of all HTTP functions, those with more literals first."""
    routes = [
        _build_route(function, trigger, configuration.route_prefix)
        for function in functions
        if (trigger := function.trigger("httpTrigger")) is not None
    ]
    return sorted(routes, key=lambda route: len(route.parameters))


def find_route(
    routes: Iterable[Route], method: str, path: str
) -> tuple[Route, dict[str, str]] | None:
    """Find the route of a request and its parameters."""
    segments = path.removeprefix("/").split("/")
    if len(segments) > 1 and not segments[-1]:
        segments.pop()
    for route in routes:
        if method in route.methods and _fits(route, segments):
            values = (
                _decode_segment(segment)
                for segment, literal in zip(segments, route.segments, strict=True)
                if literal is None
            )
            return route, dict(zip(route.parameters, values, strict=True))
    return None


def normalize_path(raw_path: str) -> str:
    """Resolve dot segments and write the path anew, as it appears in ``req.url``."""
    resolved: list[str] = []
    for segment in raw_path.split("/")[1:]:
        plain = unquote_to_bytes(segment)
        if plain == b"..":
            del resolved[-1:]
        elif plain != b".":
            resolved.append(segment)
    if raw_path.endswith(("/.", "/..")):
        resolved.append("")
    return quote("/" + "/".join(resolved), safe=_PATH_CHARACTERS)


def read_query(raw_query: str) -> dict[str, str]:
    """Read the query as the host does: empty values dropped, repeated ones joined."""
    query: dict[str, str] = {}
    spelling: dict[str, str] = {}
    for name, value in parse_qsl(raw_query, keep_blank_values=False):
        known = spelling.setdefault(name.lower(), name)
        query[known] = f"{query[known]},{value}" if known in query else value
    return query


def _build_route(
    function: IndexedFunction, trigger: Mapping[str, Any], prefix: str
) -> Route:
    path = trigger.get("route") or function.name
    full = "/".join(part for part in (prefix, str(path)) if part)
    segments = tuple(
        None if _PARAMETER.fullmatch(segment) else segment.lower()
        for segment in full.split("/")
    )
    methods = trigger.get("methods") or ["GET", "POST", "PUT", "DELETE", "PATCH"]
    return Route(
        function=function,
        methods=frozenset(str(method).upper() for method in methods),
        segments=segments,
        parameters=tuple(_PARAMETER.findall(full)),
        is_anonymous=str(trigger.get("authLevel", "")).upper() == "ANONYMOUS",
    )


def _fits(route: Route, segments: list[str]) -> bool:
    if len(segments) != len(route.segments):
        return False
    return all(
        bool(segment)
        if literal is None
        else _decode_segment(segment).lower() == literal
        for segment, literal in zip(segments, route.segments, strict=True)
    )


def _decode_segment(segment: str) -> str:
    """Decode percent encoding but for a slash; what is no UTF-8 stays as it is."""
    parts = re.split("(%2[fF])", segment)
    try:
        return "".join(
            part if part.upper() == "%2F" else unquote_to_bytes(part).decode()
            for part in parts
        )
    except UnicodeDecodeError:
        return segment
