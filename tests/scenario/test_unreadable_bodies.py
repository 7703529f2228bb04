"""Bodies that cannot be taken: too large, chunked, no JSON, no notification."""

import json

import pytest
import requests

from tests.simulator.deployments import Deployments


def test_a_body_over_one_mebibyte_is_413(app: Deployments) -> None:
    """Also without a token."""
    reply = app.post(b" " * (1024 * 1024 + 1), token="none")

    assert reply.status == 413
    assert reply.body == b""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body-empty"),
        (b"{", "body-not-json"),
        (b'{"value":[],"value":[]}', "body-not-json"),
        (b"\xff\xfe", "body-not-json"),
        (b"[]", "body-not-object"),
        (b'"x"', "body-not-object"),
        (b"{}", "protocol-unknown"),
        (b'{"value":{}}', "protocol-unknown"),
        (b'{"value":null}', "protocol-unknown"),
        (b'{"value":[' + b"{}," * 100 + b"{}]}", "too-many-items"),
    ],
)
def test_a_body_that_cannot_be_understood_is_400(
    app: Deployments, body: bytes, code: str
) -> None:
    """The reply has the reason and never an echo."""
    reply = app.post(body)

    assert reply.status == 400
    assert reply.headers["Content-Type"] == "application/json"
    error = json.loads(reply.body)["error"]
    assert set(error) == {"code", "message"}
    assert error["code"] == code


def test_a_chunked_body_is_411(app: Deployments) -> None:
    """The host hands it over empty."""
    reply = requests.post(
        app.webhook("weu"),
        data=iter([b'{"value":[]}']),
        headers={"Authorization": f"Bearer {app.tokens.mint()}"},
        verify=str(app.authority.bundle),
        timeout=10,
    )

    assert reply.status_code == 411
    assert reply.json()["error"]["code"] == "length-required"
