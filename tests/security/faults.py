"""What an identity provider may do wrong, each as a change of a ``Front``."""

from collections.abc import Callable
from typing import Any

from tests.security.front import Front
from tests.simulator.services.signing import SigningKey
from tests.support.servers import (
    Script,
    drip_body,
    drip_headers,
    enormous,
    hang,
    hang_up,
    json_reply,
    reply,
    status,
)

type Fault = Callable[[Front], None]


def _configuration(script: Script) -> Fault:
    def put(front: Front) -> None:
        front.provider.configuration_script = script

    return put


def _key_set(script: Script) -> Fault:
    def put(front: Front) -> None:
        front.provider.key_set_script = script

    return put


def _members(**members: str) -> Fault:
    def put(front: Front) -> None:
        front.provider.members = members

    return put


def _two_keys_under_one_id(front: Front) -> None:
    front.provider.keys = [front.key, SigningKey(front.key.key_id)]


SLOW_FAULTS: dict[str, Fault] = {
    "never answers": _configuration(hang),
    "drips the body": _configuration(drip_body),
    "drips the headers": _configuration(drip_headers),
    "never answers for the key set": _key_set(hang),
    "drips the key set": _key_set(drip_body),
}
QUICK_FAULTS: dict[str, Fault] = {
    "256 MiB": _key_set(enormous),
    "500": _configuration(status(500)),
    "404": _key_set(status(404)),
    "HTML": _configuration(lambda *_: reply(200, b"<html>Sign in</html>")),
    "garbage": _key_set(lambda *_: reply(200, b"\x00\xff\xfe{")),
    "hangs up": _configuration(hang_up),
    "empty set": _key_set(lambda *_: json_reply({"keys": []})),
    "wrong issuer": _members(issuer="https://evil.example"),
    "foreign jwks_uri": _members(jwks_uri="https://evil.example/v1/keys"),
    "plain-http jwks_uri": _members(jwks_uri="http://{host}/v1/keys"),
    "redirect": _configuration(status(302, Location="https://127.0.0.1:1/elsewhere")),
    "two keys under one id": _two_keys_under_one_id,
}

BAD_MEMBERS: dict[str, Any] = {
    "a shared secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "bad"},
    "no modulus": {"kty": "RSA", "e": "AQAB", "kid": "bad"},
    "for encryption": {**SigningKey("bad").jwk(), "use": "enc"},
    "another algorithm": {**SigningKey("bad").jwk(), "alg": "RS512"},
    "no object": "bad",
}
