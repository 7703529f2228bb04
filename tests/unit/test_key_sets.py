"""Vetting of signing keys: odd members cost nobody but themselves."""

import json
from typing import Any

import pytest

from shared.core.key_sets import read_key_set, read_signing_key
from shared.core.strict_json import StrictJsonError
from tests.simulator.services.signing import SigningKey, base64url

_OTHER = SigningKey("other-key")


def _document(*members: Any) -> bytes:
    return json.dumps({"keys": members}).encode()


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
    signing_key: SigningKey, change: dict[str, Any]
) -> None:
    """Each of these once broke somebody's whole key set."""
    odd = {**_OTHER.jwk(), **change}

    keys = read_key_set(_document(odd, signing_key.jwk())).keys

    assert list(keys) == [signing_key.key_id]


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("member", [None, 1, "key", [], {}])
def test_a_member_that_is_no_key_is_left_out(
    signing_key: SigningKey, member: Any
) -> None:
    keys = read_key_set(_document(member, signing_key.jwk())).keys

    assert list(keys) == [signing_key.key_id]


@pytest.mark.requirement("R9")
def test_small_and_even_moduli_are_left_out() -> None:
    """A modulus has at least 2048 bits and is odd."""
    small = SigningKey("small", bits=1024).jwk()
    even = {**_OTHER.jwk(), "n": base64url(b"\xff" * 255 + b"\xfe")}

    assert read_signing_key(small) is None
    assert read_signing_key(even) is None


@pytest.mark.requirement("R9")
def test_two_keys_under_one_id_cost_each_other(signing_key: SigningKey) -> None:
    """Nobody can tell which of the two is meant."""
    twin = {**_OTHER.jwk(), "kid": signing_key.key_id}

    keys = read_key_set(_document(signing_key.jwk(), twin, _OTHER.jwk())).keys

    assert list(keys) == [_OTHER.key_id]


def test_the_same_key_twice_is_one_key(signing_key: SigningKey) -> None:
    keys = read_key_set(_document(signing_key.jwk(), signing_key.jwk())).keys

    assert list(keys) == [signing_key.key_id]


@pytest.mark.parametrize(
    "change", [{"use": "sig"}, {"alg": "RS256"}, {"key_ops": ["verify", "wrapKey"]}]
)
def test_a_key_that_says_what_it_is_for_is_used(
    signing_key: SigningKey, change: dict[str, Any]
) -> None:
    """The platform's keys have ``use``, and sometimes ``alg``."""
    assert read_signing_key({**signing_key.jwk(), **change}) is not None


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":null}', b"<html>"]
)
def test_a_document_without_a_list_of_keys_is_refused(document: bytes) -> None:
    """An empty list is different: the caller refuses that."""
    with pytest.raises(StrictJsonError):
        read_key_set(document)


def test_an_empty_list_of_keys_is_read() -> None:
    assert read_key_set(_document()).keys == {}
