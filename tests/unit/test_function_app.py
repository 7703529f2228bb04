"""function_app: what it hands to the Functions library."""

import azure.functions as func
import pytest
from azure.functions.http import HttpResponseConverter

import function_app
from shared.core.errors import (
    BodyTooLargeError,
    LengthRequiredError,
    TokenRefusedError,
    UnexpectedError,
)
from shared.core.reasons import Reason
from shared.core.transport import Correlation, WebhookReply, refusal_of, reply_to
from shared.edge.health import health_reply
from shared.settings import read_settings

IDS = Correlation("m", "s", "")


@pytest.fixture
def reply() -> WebhookReply:
    """Return a redirect."""
    return reply_to(IDS, 302, {"Location": "https://eus2.example"})


def test_a_reply_keeps_status_body_and_headers(reply: WebhookReply) -> None:
    """They go out as the rules made them."""
    response = function_app._Response(reply._replace(body=b"{}"))

    assert isinstance(response, func.HttpResponse)
    assert (response.status_code, response.get_body()) == (302, b"{}")
    assert dict(response.headers) == reply.headers
    assert len(response.headers) == len(reply.headers)


@pytest.mark.parametrize("name", ["Location", "location", "LOCATION"])
def test_headers_are_found_whatever_their_case(reply: WebhookReply, name: str) -> None:
    """As in the library's own responses."""
    headers = function_app._Response(reply).headers

    assert name in headers
    assert headers[name] == headers.get(name) == "https://eus2.example"


def test_an_absent_header_is_absent(reply: WebhookReply) -> None:
    """In every way of asking."""
    headers = function_app._Response(reply).headers

    assert "Set-Cookie" not in headers
    assert headers.get("Set-Cookie") is None
    assert headers.get("Set-Cookie", "") == ""
    with pytest.raises(KeyError):
        headers["Set-Cookie"]


@pytest.mark.parametrize(
    "reply",
    [
        reply_to(IDS, 202),
        reply_to(IDS, 302, {"Location": "https://eus2.example"}),
        refusal_of(IDS, TokenRefusedError(Reason.TOKEN_MALFORMED)),
        refusal_of(IDS, BodyTooLargeError()),
        refusal_of(IDS, LengthRequiredError()),
        refusal_of(IDS, UnexpectedError()),
        health_reply(read_settings({}), "none"),
    ],
)
def test_the_library_sends_the_headers_of_every_reply_as_they_are(
    reply: WebhookReply,
) -> None:
    """It adds no second Content-Type."""
    response = function_app._Response(reply)

    sent = HttpResponseConverter.encode(response, expected_type=None)

    headers = {name: datum.value for name, datum in sent.value["headers"].items()}
    assert headers == reply.headers
    assert "Content-Type" in headers
