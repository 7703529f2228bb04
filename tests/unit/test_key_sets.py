"""Vetting of signing keys: odd members cost nobody but themselves."""

import json
from typing import Any

import pytest

from shared.core.key_sets import read_key_set, read_signing_key
from shared.core.strict_json import StrictJsonError
from tests.simulator.services.signing import SigningKey, base64url
from tests.support.rules import KEY

OTHER = SigningKey("other-key")


def key_ids_of(*members: Any) -> list[str]:
    """Return the ids of the keys that are read from a set with these members."""
    return [*read_key_set(json.dumps({"keys": members}).encode()).keys]


@pytest.mark.requirement("R9")
@pytest.mark.parametrize(
    "change",
    [
        {"kty": "EC"}, {"kty": "oct", "k": "c2VjcmV0"}, {"kty": None}, {"alg": "RS512"},
        {"alg": "HS256"}, {"alg": None}, {"use": "enc"}, {"use": 1},
        {"key_ops": ["encrypt"]}, {"key_ops": []}, {"key_ops": "verify"}, {"e": "AQ"},
        {"e": "Ag"}, {"e": "AAAA"}, {"e": "AQAAAAAB"}, {"e": 65537}, {"n": "AQAB"},
        {"n": ""}, {"n": "!!!"}, {"n": None}, {"n": "a" * 3_000}, {"d": "AQAB"},
        {"kid": ""}, {"kid": None}, {"kid": 7}, {"kid": "a" * 257},
        {"kid": "line\nbreak"}, {"kid": "é"},
    ],
)  # fmt: skip
def test_an_odd_member_is_left_out_and_costs_the_others_nothing(
    change: dict[str, Any],
) -> None:
    """Each of these once broke somebody's whole key set."""
    assert key_ids_of({**OTHER.jwk(), **change}, KEY.jwk()) == [KEY.key_id]


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("member", [None, 1, "key", [], {}])
def test_a_member_that_is_no_key_is_left_out(member: Any) -> None:
    assert key_ids_of(member, KEY.jwk()) == [KEY.key_id]


@pytest.mark.requirement("R9")
def test_small_and_even_moduli_are_left_out() -> None:
    """A modulus has at least 2048 bits and is odd."""
    small = SigningKey("small", bits=1024).jwk()
    even = {**OTHER.jwk(), "n": base64url(b"\xff" * 255 + b"\xfe")}

    assert read_signing_key(small) is None
    assert read_signing_key(even) is None


@pytest.mark.requirement("R9")
def test_two_keys_under_one_id_cost_each_other() -> None:
    """Nobody can tell which of the two is meant."""
    twin = {**OTHER.jwk(), "kid": KEY.key_id}

    assert key_ids_of(KEY.jwk(), twin, OTHER.jwk()) == [OTHER.key_id]


def test_the_same_key_twice_is_one_key() -> None:
    assert key_ids_of(KEY.jwk(), KEY.jwk()) == [KEY.key_id]


@pytest.mark.parametrize(
    "change", [{"use": "sig"}, {"alg": "RS256"}, {"key_ops": ["verify", "wrapKey"]}]
)
def test_a_key_that_says_what_it_is_for_is_used(change: dict[str, Any]) -> None:
    """The platform's keys have ``use``, and sometimes ``alg``."""
    assert read_signing_key({**KEY.jwk(), **change}) is not None


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":null}', b"<html>"]
)
def test_a_document_without_a_list_of_keys_is_refused(document: bytes) -> None:
    with pytest.raises(StrictJsonError):
        read_key_set(document)


def test_an_empty_list_of_keys_is_read() -> None:
    """Its caller refuses it."""
    assert key_ids_of() == []
