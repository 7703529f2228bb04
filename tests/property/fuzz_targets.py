"""Targets of fuzzing: what each does with an input, and what must then hold.

Each returns a name for what came of the input, by which the corpus knows it, and raises
where the product broke a promise. The last target is in ``fuzz_worker``.
"""

import json
import logging
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from shared.core.context import LogFacts
from shared.core.decisions import Accept, Decision, decide
from shared.core.errors import WebhookError
from shared.core.event_types import Call, Event, Incoming, Result, Tone
from shared.core.events import TONES, claim_of, event_type, read_event, read_joining
from shared.core.health import HealthReport
from shared.core.hosts import is_host
from shared.core.items import TakeItems
from shared.core.notifications import read_notification
from shared.core.redirects import RedirectTo
from shared.core.replies import health_reply
from shared.core.strict_json import StrictJsonError, read_value
from shared.core.webhook import WebhookRequest
from shared.credential_settings import CredentialKind
from shared.service import build_service
from shared.settings import NAMES, read_settings
from tests.property.fuzz_inputs import (
    GOOD_TOKEN,
    JOINING,
    KEY_ID,
    NOW,
    Recipe,
    body_bytes,
)
from tests.property.mutation import edited
from tests.simulator.services.signing import APP_ID, ISSUER, TENANT_ID
from tests.support.internals import decide_by, log_every_refusal
from tests.support.rules import HOSTS, KEY, build_deployment
from tests.support.service import NO_HANDLERS

# Region weu, with a clock that stands at ``NOW``.
DEPLOYMENT = build_deployment(
    rules=(
        {"countryCode": ["SG"], "regions": ["sea"]},
        {"callerRegion": ["apac"], "regions": ["sea", "weu"]},
        {"mediaHostedRegion": ["USEA"], "regions": ["neu"]},
    ),
    clock=lambda: float(NOW),
    partitions=("p0",),
)
STATUSES = {202, 204, 302, 400, 401, 404, 411, 503}
_CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_LOCATIONS = {f"https://{host}/api/calls?hop=1" for host in HOSTS.values()}
_UNAUTHORIZED = {"cache-control", "connection", "content-type", "www-authenticate"}
# A problem may hold a short word that is somebody's value, too.
_TELLING = 12


@lru_cache(maxsize=4096)
def _sign(header: str, claims: str) -> str:
    parts = (text.encode("utf-8", "surrogatepass") for text in (header, claims))
    return KEY.sign(*parts)


def token_of(recipe: Recipe, sign: Callable[[str, str], str] = _sign) -> str:
    """Make the token of a recipe: signed, then edited."""
    token = sign(recipe["header"], recipe["claims"])
    return edited(token, [(kind, at, noise) for kind, at, noise in recipe["edits"]])


def finish[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing; far quicker than an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waited for something")


def _decide(request: WebhookRequest, trail: LogFacts) -> Decision | WebhookError:
    try:
        return finish(decide(request, DEPLOYMENT, trail))
    except WebhookError as error:
        return error


def _name(decided: Decision | WebhookError) -> str:
    match decided:
        case WebhookError():
            return f"{decided.status} {decided.reason}"
        case Accept():
            return f"202 {decided.reason}"
        case _:
            return type(decided).__name__


def _post(body: bytes, token: str, **headers: str) -> WebhookRequest:
    sent = {"authorization": f"Bearer {token}", **headers}
    url = "https://weu.example.org/api/calls"
    return WebhookRequest(url, sent, body, received_at=0.0)


# --- token -> claims ------------------------------------------------------------------


def judge_token(recipe: Recipe) -> str:
    """A token: accepted only if a second, slow reader finds nothing wrong either."""
    token = token_of(recipe)
    decided = _decide(_post(b'{"value":[]}', token), LogFacts())
    if isinstance(decided, WebhookError):
        assert decided.status == 401
    else:
        assert token == _sign(recipe["header"], recipe["claims"])
        assert _is_acceptable(recipe["header"], recipe["claims"])
    return _name(decided)


def _is_acceptable(header_text: str, claims_text: str) -> bool:
    header, claims = json.loads(header_text), json.loads(claims_text)
    times = [claims[name] for name in ("nbf", "exp", "iat") if name in claims]
    return (
        header["alg"] == "RS256"
        and header["kid"] == KEY_ID
        and not {"crit", "b64", "zip", "enc"} & header.keys()
        and header.get("typ", "JWT").lower() == "jwt"
        and claims["iss"] == ISSUER
        and str(claims["aud"]).lower() == APP_ID
        and _GUID.fullmatch(claims["tid"].lower()) is not None
        and all(type(time) is int for time in times)
        and claims["nbf"] < claims["exp"] <= claims["nbf"] + 86_400
        and claims["exp"] > NOW - 300
        and max(claims["nbf"], claims.get("iat", 0)) <= NOW + 300
    )


# --- body -> decision -----------------------------------------------------------------


def judge_body(body: Recipe) -> str:
    """A body with a good token: decided, or refused as a body."""
    trail = LogFacts()
    decided = _decide(_post(body_bytes(body), token_of(GOOD_TOKEN)), trail)
    match decided:
        case WebhookError():
            assert decided.status == 400
        case RedirectTo():
            assert decided.location in _LOCATIONS
            assert decided.region != DEPLOYMENT.own_region
        case TakeItems():
            assert decided.calls
            assert decided.tenant_id == TENANT_ID
    assert all(_CALL_ID.fullmatch(call_id) for call_id in trail.call_ids)
    notes = "".join(f" +{note}" for note in sorted(trail.notes))
    return f"{_name(decided)}{notes}"


# --- item -> event --------------------------------------------------------------------

_EVENTS = (Event, *Event.__subclasses__(), *Result.__subclasses__())
_HINTS = {kind: get_type_hints(kind) for kind in _EVENTS}


def judge_event(recipe: Recipe) -> str:
    """An item: one event or none, whose fields are what their types say."""
    try:
        item = read_value(recipe["text"].encode("utf-8", "surrogatepass"))
    except StrictJsonError:
        return "no JSON"
    event = _event_of(item, takes_incoming=recipe["takes_incoming"])
    if event is None:
        return "none"
    assert event.raw is item
    for field in fields(event):
        value = getattr(event, field.name)
        assert _is_of(_HINTS[type(event)][field.name], value), field.name
    assert recipe["takes_incoming"] or type(event) is not Incoming
    assert type(event) is not Tone or event.key in {*TONES, ""}
    return f"{event.name}{' once' if claim_of(event) else ''}"


def _event_of(item: object, *, takes_incoming: bool) -> Event | None:
    if type(item) is dict and item.get("@odata.type") == JOINING:
        return read_joining(item, Call())
    found = read_notification(item)
    if found is None or type(item) is not dict:
        return None
    event = read_event(item, found, Call(), takes_incoming=takes_incoming)
    assert type(event) is event_type(item, found, takes_incoming=takes_incoming)
    return event


def _is_of(hint: Any, value: object) -> bool:
    """Tell whether a value is of a field's type; here True is no number."""
    hint = getattr(hint, "__value__", hint)
    kind = get_origin(hint) or hint
    if kind in (Union, UnionType):
        return any(_is_of(each, value) for each in get_args(hint))
    if type(value) is list and kind is list:
        [inner] = get_args(hint)
        return all(_is_of(inner, each) for each in value)
    return type(value) is kind


# --- headers -> request ---------------------------------------------------------------


class Lines(logging.Handler):
    """Keeps the lines of the product's log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def logged_lines() -> Iterator[list[str]]:
    """Collect what the product logs."""
    logger, handler = logging.getLogger("calling"), Lines()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


# The real service over our deployment: only its keys and its clock are ours.
_SERVICE = build_service(
    read_settings(
        {
            "MicrosoftAppId": APP_ID,
            "CALLING_ANSWER": "false",
            "CALLING_REGION": "weu",
            "CALLING_REGION_HOSTS": json.dumps(HOSTS),
        }
    ),
    NO_HANDLERS,
)
decide_by(_SERVICE, DEPLOYMENT)
log_every_refusal(_SERVICE)


def judge_headers(post: Recipe) -> str:
    """Headers, query and partition: nothing of them escapes into reply or log."""
    token = token_of(GOOD_TOKEN)
    headers = {n: v.replace("{token}", token) for n, v in post["headers"].items()}
    request = WebhookRequest(
        url=f"https://weu.example.org/api/calls?{post['query']}",
        headers=headers,
        body=body_bytes(post["body"]),
        partition=post["partition"],
        received_at=0.0,
    )
    with logged_lines() as lines:
        reply = finish(_SERVICE.receive(request))
    is_good = headers["authorization"].lower() == f"bearer {token}".lower()
    assert (reply.status != 401) is is_good
    assert reply.status != 404 or post["partition"] is not None
    body, query = reply.body or b"", post["query"]
    require_documented_reply(reply.status, reply.headers, body, query)
    require_safe_lines(lines, token)
    echoes = reply.headers.keys() & {"Client-Request-Id", "Scenario-Id"}
    return " +".join([str(reply.status), *sorted(echoes)])


def require_documented_reply(
    status: int, headers: Mapping[str, str], body: bytes, query: str
) -> None:
    """Check what docs/behaviour.md section 2 says of any reply to a POST."""
    sent = {name.lower(): value for name, value in headers.items()}
    assert status in STATUSES
    assert sent["connection"] == "close"
    assert sent["cache-control"] == "no-store"
    for value in headers.values():
        assert value.isascii()
        assert value.isprintable()
    assert ("location" in sent) is (status == 302)
    if status == 302:
        assert sent["location"] in _LOCATIONS
        assert "hop" not in re.split("[&=]", query.lower())
    if status == 401:
        assert sent["www-authenticate"] == "Bearer"
        assert sent.keys() == _UNAUTHORIZED
    assert ("retry-after" in sent) is (status == 503)
    assert bool(body) is (status in {400, 411})


def require_safe_lines(lines: list[str], token: str) -> None:
    """One line of JSON in ASCII, bounded, without a token."""
    (line,) = lines
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 4096
    assert len(token) < _TELLING or token not in line
    assert json.loads(line)["event"] == "notification.handled"


# --- settings -> Settings -------------------------------------------------------------


def judge_settings(environ: Recipe) -> str:
    """Settings: usable, or problems by name, never by value."""
    report = read_settings(environ)
    assert (report.settings is None) is bool(report.problems)
    sentences = [*report.problems, *report.warnings]
    for sentence in sentences:
        assert sentence.split(":")[0] in {*NAMES, "WEBSITE_HOSTNAME", "CALLING_REGOIN"}
    for value in environ.values():
        if len(value) > _TELLING and value not in set(CredentialKind):
            assert not any(value in sentence for sentence in sentences)
    health = health_reply(
        HealthReport(report.region, "fresh", report.problems, report.warnings)
    )
    assert health.status == (503 if report.problems else 200)
    assert json.loads(health.body or b"")["problems"] == list(report.problems)
    if report.settings is None:
        return report.problems[0]
    settings = report.settings
    assert 0 <= settings.token_leeway_seconds <= 300
    assert settings.redirect_status in {302, 307}
    assert bool(settings.callback_host) or not settings.answer
    for host in settings.region_hosts.values():
        assert is_host(host)
        assert "trafficmanager.net" not in host.lower().rstrip(".")[-18:]
    reply = finish(build_service(report, NO_HANDLERS).receive(_post(b"{}", "x")))
    assert reply.status == 401
    return "usable"


OUTCOMES: dict[str, Callable[[Recipe], str]] = {
    "token": judge_token,
    "body": judge_body,
    "headers": judge_headers,
    "settings": judge_settings,
    "event": judge_event,
}
