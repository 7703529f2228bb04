"""Inputs for fuzzing, near to the real ones: good shapes with a few things changed.

Every input is plain JSON, so that the corpus can keep it, and is made by a source of
randomness: hypothesis's own in tests, which shrinks, and a quick one in the long run.
``{token}`` in a header stands for a token; the clock stands at ``NOW``.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st

from shared.settings import NAMES
from tests.property.mutation import Json, any_edits, any_text, mutated
from tests.simulator.platform.notifications import (
    Call,
    batch,
    established,
    incoming,
    item,
    legacy_incoming,
    roster,
    terminated,
)
from tests.simulator.services.signing import APP_ID, ISSUER, TENANT_ID
from tests.support.rules import KEY, TOKENS

type Recipe = dict[str, Any]
type Make[T] = Callable[[Random], T]

NOW = 1_900_000_000
CALL_ID = "8a934f51-f25b-4ee1-9613-d4049491857b"
KEY_ID = KEY.key_id
JOINING = "#microsoft.graph.participantJoiningNotification"

# --- tokens ---------------------------------------------------------------------------

_HEADER: Json = TOKENS.header()
_CLAIMS: Json = {**TOKENS.claims(), "nbf": NOW, "exp": NOW + 300}
_ENDED = {**_CLAIMS, "nbf": NOW - 900, "exp": NOW - 600}
_FUTURE = {**_CLAIMS, "nbf": NOW + 600, "exp": NOW + 900}
_WITH_MORE = {**_CLAIMS, "iat": NOW, "deep": [{}]}
_SHORT = {"alg": "RS256", "kid": KEY_ID}
_HEADERS = tuple(map(json.dumps, (_HEADER, _SHORT, {**_HEADER, "crit": ["exp"]})))
_CLAIM_SETS = tuple(map(json.dumps, (_CLAIMS, _CLAIMS, _ENDED, _FUTURE, _WITH_MORE)))
_LIKELY_IN_HEADERS = (
    "RS256", "rs256", "HS256", "RS512", "JWT", "jwt", "JWE", "other-key", KEY_ID,
)  # fmt: skip
_LIKELY_CLAIMS = (
    NOW, NOW - 1, NOW + 299, NOW + 300, NOW + 301, NOW - 300, NOW - 301, NOW - 601,
    NOW + 86_400, NOW + 86_401, float(NOW), str(NOW), ISSUER, f"{ISSUER}/", APP_ID,
    APP_ID.upper(), TENANT_ID.upper(), [APP_ID], [ISSUER], f"{{{TENANT_ID}}}",
    "https://sts.windows.net/x/", "https://graph.microsoft.com",
)  # fmt: skip
GOOD_TOKEN: Recipe = {"header": _HEADERS[0], "claims": _CLAIM_SETS[0], "edits": []}


def token_recipe(random: Random) -> Recipe:
    """Make a token: edited after it was signed, or signed with something odd in it."""
    match random.randrange(4):
        case 0 | 1:
            return {**GOOD_TOKEN, "edits": any_edits(random)}
        case 2:
            header = mutated(random, _HEADERS, _LIKELY_IN_HEADERS)
            return {**GOOD_TOKEN, "header": header}
        case _:
            claims = mutated(random, _CLAIM_SETS, _LIKELY_CLAIMS)
            return {**GOOD_TOKEN, "claims": claims}


# --- bodies ---------------------------------------------------------------------------

_CALL = Call(tenant_id=TENANT_ID, call_id=CALL_ID)
_RECORDED = Call(tenant_id=TENANT_ID, call_id=CALL_ID, is_policy_recording=True)
_WEBHOOK = "https://weu.example.org/api/calls"
_INCOMING = incoming(_CALL, _WEBHOOK)
_BODIES: tuple[Json, ...] = (
    _INCOMING,
    incoming(_RECORDED, _WEBHOOK),
    batch(*_INCOMING["value"], item(_CALL, "updated", "established")),
    batch(*_INCOMING["value"], *_INCOMING["value"]),
    established(_CALL, is_audio_active=True),
    terminated(_CALL),
    roster(_CALL),
    batch(),
    legacy_incoming(_CALL),
    {"@odata.type": JOINING, "call": {"id": CALL_ID}},
)
_BODY_TEXTS = tuple(map(json.dumps, _BODIES))
_LIKELY_IN_BODIES: tuple[Json, ...] = (
    "incoming", "Incoming", "created", "updated", "DE", "SG", "sg", "apac", TENANT_ID,
    "#microsoft.graph.call", "#microsoft.graph.participant", JOINING, CALL_ID,
    f"/app/calls/{CALL_ID}", f"/communications/calls/{CALL_ID}/participants",
    f"https://graph.microsoft.com/beta/app/calls/{CALL_ID}?x=1#y",
    "/app/calls/\u017f", "/app/calls/..%2f..", "/app/calls/a/../b", "//e/app/calls/a",
    "/app/calls/" + "a" * 129, "/APP/CALLS/A\n", {"observedParticipantId": 1},
)  # fmt: skip


def body_recipe(random: Random) -> Recipe:
    """Make a body: JSON near to a real one, or any bytes (as Latin-1)."""
    if random.random() < 0.03:
        return {"latin-1": random.randbytes(random.randrange(64)).decode("latin-1")}
    return {"text": mutated(random, _BODY_TEXTS, _LIKELY_IN_BODIES)}


def body_bytes(body: Recipe) -> bytes:
    """Return what is sent for a body."""
    if "text" in body:
        return str(body["text"]).encode("utf-8", "surrogatepass")
    return str(body["latin-1"]).encode("latin-1")


# --- items ----------------------------------------------------------------------------

_OPERATION = {
    "@odata.type": "#microsoft.graph.recordOperation",
    "id": "0fe0623f-d628-42ed-b4bd-8ac290072cc5",
    "clientContext": "ask 1",
    "status": "completed",
    "completionReason": "operationCanceled",
    "resultInfo": {"code": 200, "subcode": 8508},
    "recordingLocation": "https://file.example/1",
    "recordingAccessToken": "x",
}
_URL = f"/communications/calls/{CALL_ID}"
_ITEMS: tuple[Json, ...] = (
    *(each for body in _BODIES[:7] for each in body["value"]),
    item(
        _CALL,
        "updated",
        "established",
        {"toneInfo": {"sequenceId": 1, "tone": "tone1"}},
    ),
    item(
        _CALL, "updated", "established", {"resultInfo": {"code": 500, "subcode": 7000}}
    ),
    {
        "changeType": "deleted",
        "resourceUrl": f"{_URL}/operations/{_OPERATION['id']}",
        "resourceData": _OPERATION,
    },
    {
        "resourceUrl": f"{_URL}/participants",
        "resourceData": {
            "@odata.type": "#microsoft.graph.deltaParticipants",
            "participants": [{"id": "p", "info": {"identity": {"user": {"id": "u"}}}}],
        },
    },
    _BODIES[-1],
)
_ITEM_TEXTS = tuple(map(json.dumps, _ITEMS))
_LIKELY_IN_ITEMS: tuple[Json, ...] = (
    "incoming", "created", "updated", "deleted", "established", "Terminated", "active",
    "star", "pound", "D", "flash", "tone0", "1", "-7", "500", 399, 400, 8508, [], [{}],
    "completed", "Failed", "mediaOperationCanceled", f"{_URL}/operations/participants",
    f"{_URL}/operations/", f"{_URL}/Participants", f"{_URL}/x", _URL, JOINING,
    "#microsoft.graph.call", "#microsoft.graph.Operation", {"phone": {"id": "+1"}},
)  # fmt: skip


def event_recipe(random: Random) -> Recipe:
    """Make an item, or the body of a joining participant."""
    return {
        "text": mutated(random, _ITEM_TEXTS, _LIKELY_IN_ITEMS),
        "takes_incoming": random.random() < 0.5,
    }


# --- headers, queries, partitions -----------------------------------------------------

_HEADER_NAMES = (
    "transfer-encoding", "content-length", "scenario-id", "host", "ms-teams-region",
    "x-microsoft-skype-message-id", "x-microsoft-skype-chain-id", "x-forwarded-host",
    "x-microsoft-skype-caller-region", "x-ms-client-principal",
)  # fmt: skip
_BEARERS = (
    "bearer {token}", "BEARER {token}", "Bearer  {token}", "{token}", "Bearer {token} ",
    "Bearer {token},Bearer {token}", "Bearer\t{token}", "Basic {token}", "Bearer",
    "Bearer {token}=", ",Bearer {token}", "Bearer {token}\n",
)  # fmt: skip
_QUERIES = (
    "", "hop", "hop=1", "HOP=", "%68op=1", "a=b&hop", "hop;x", "xhop=1", "a=%ff&b",
    "&&",
)  # fmt: skip
_PARTITIONS = ("default", "p0", "P0", "p0\n", "..", "", "p\uff10")


def _sent(text: str) -> str:
    """Leave out what Kestrel does not let through: control characters, surrogates."""
    return "".join(c for c in text if c.isprintable() and not "\ud800" <= c <= "\udfff")


def _headers(random: Random, text: Make[str]) -> dict[str, str]:
    likely = ("apac", "chunked", CALL_ID, "x" * 256)
    others = {
        random.choice(_HEADER_NAMES): random.choice(likely)
        if random.random() < 0.4
        else text(random)
        for _ in range(random.randrange(6))
    }
    bearer = "Bearer {token}" if random.random() < 0.8 else random.choice(_BEARERS)
    return {"authorization": bearer, **others}


def _post(random: Random, text: Make[str]) -> Recipe:
    query = (
        random.choice(_QUERIES) if random.random() < 0.8 else _sent(any_text(random))
    )
    partition = None
    if random.random() < 0.4:
        partition = (
            random.choice(_PARTITIONS) if random.random() < 0.6 else text(random)
        )
    return {"headers": _headers(random, text), "query": query, "partition": partition}


def headers_recipe(random: Random) -> Recipe:
    """Make headers, query and partition of a POST whose body is a real one."""
    return {**_post(random, any_text), "body": {"text": random.choice(_BODY_TEXTS)}}


def request_recipe(random: Random) -> Recipe:
    """Make a whole request, as far as Kestrel would let it through."""
    is_good = random.random() < 0.7
    return {
        **_post(random, lambda source: _sent(any_text(source))),
        "body": body_recipe(random),
        "token": GOOD_TOKEN if is_good else token_recipe(random),
    }


# --- settings -------------------------------------------------------------------------

_SETTINGS: tuple[dict[str, str], ...] = (
    {"MicrosoftAppId": APP_ID, "CALLING_ANSWER": "false"},
    {
        "MicrosoftAppId": APP_ID,
        "CALLING_CREDENTIAL": "client-secret",
        "MicrosoftAppPassword": "a-very-secret-password",
        "CALLING_REGION": "weu",
        "CALLING_REGION_HOSTS": '{"weu": "weu.example", "sea": "sea.example:8443"}',
        "CALLING_REGION_RULES": '[{"countryCode": ["SG"], "regions": ["sea", "weu"]}]',
        "CALLING_GLOBAL_HOST": "calls.example.org",
        "CALLING_PARTITIONS": '["p0", "p1"]',
        "CALLING_STATE_URL": "https://calls.blob.example/bot-state/",
        "CALLING_TENANTS": TENANT_ID,
    },
    {
        "MicrosoftAppId": APP_ID,
        "CALLING_CREDENTIAL": "managed-identity",
        "WEBSITE_HOSTNAME": "calls.azurewebsites.net",
        "CALLING_CLOUD": "gcc-high",
        "CALLING_TOKEN_LEEWAY_SECONDS": "0",
        "CALLING_REDIRECT_STATUS": "307",
    },
    {
        "MicrosoftAppId": APP_ID,
        "CALLING_ANSWER": "false",
        "WEBSITE_HOSTNAME": "calls.azurewebsites.net",
        "CALLING_PARTITIONS": '{"p0": "https://a.example/calling"}',
        "CALLING_DELIVERY": "direct",
    },
)
_SETTING_NAMES = (*NAMES, "WEBSITE_HOSTNAME", "CALLING_REGOIN")
_LIKELY_SETTINGS = (
    "true", "FALSE", "302", "307", "weu", "sea", "public", "dod", "certificate",
    "https://a.example", "https://a.example?x", "http://a.example", "https://a@b",
    "https://\uff41.example", "x.trafficmanager.net", "a.example:0", "300", "301",
    "a.example.", "[::1]:443", "direct", APP_ID.upper(), f"{APP_ID},{APP_ID}", "/",
    "tests", "README.md", "\x00", '{"a": "X.TrafficManager.NET"}',
    '{"a": "b", "c": "B:443"}',
    '{"weu": "calls.example.org"}', "[{}]", '[{"regions": []}]', '["p0", "p0"]',
)  # fmt: skip
_JSON_SETTINGS = (
    '{"weu": "weu.example.org", "sea": "sea.example.org:8443"}',
    '[{"countryCode": ["SG"], "regions": ["sea", "weu"]}, {"regions": ["weu"]}]',
    '["p0", "p1", "p-2"]',
    '{"p0": "https://[::1]:443/x", "p1": {"url": "https://a:1", "draining": true}}',
)


def settings_recipe(random: Random) -> Recipe:
    """Make settings: usable ones with a few others, and now and then one less."""
    settings = dict(random.choice(_SETTINGS))
    for _ in range(random.randrange(4)):
        settings[random.choice(_SETTING_NAMES)] = _setting(random)
    if random.random() < 0.1:
        settings.pop(random.choice(_SETTING_NAMES), None)
    return settings


def _setting(random: Random) -> str:
    match random.randrange(3):
        case 0:
            return random.choice(_LIKELY_SETTINGS)
        case 1:
            return mutated(random, _JSON_SETTINGS, ("weu", "x", "SG", "p0"))
        case _:
            return any_text(random)


MAKERS: dict[str, Make[Recipe]] = {
    "token": token_recipe,
    "body": body_recipe,
    "headers": headers_recipe,
    "settings": settings_recipe,
    "event": event_recipe,
    "request": request_recipe,
}


def inputs(target: str) -> st.SearchStrategy[Recipe]:
    """Return the inputs of a target, for a test that shrinks them."""
    return st.builds(MAKERS[target], st.randoms(use_true_random=False))
