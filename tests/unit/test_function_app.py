"""function_app: what it hands to the Functions library."""

import azure.functions as func
import pytest
from azure.functions.http import HttpResponseConverter

import function_app
from shared.core.decisions import Accept
from shared.core.errors import (
    BodyTooLargeError,
    LengthRequiredError,
    TokenRefusedError,
    UnexpectedError,
)
from shared.core.health import HealthReport
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.core.replies import health_reply, reply_to
from shared.core.webhook import Correlation, WebhookReply

IDS = Correlation("m", "s", "")
REDIRECT = reply_to(RedirectTo("eus2", "https://eus2.example", 302), IDS)


def test_a_reply_keeps_status_body_and_headers() -> None:
    response = function_app._to_response(REDIRECT._replace(body=b"{}"))

    assert isinstance(response, func.HttpResponse)
    assert (response.status_code, response.get_body()) == (302, b"{}")
    assert dict(response.headers) == REDIRECT.headers


@pytest.mark.parametrize(
    "reply",
    [
        reply_to(Accept(Reason.FOLLOW_UP), IDS),
        REDIRECT,
        reply_to(TokenRefusedError(Reason.TOKEN_MALFORMED), IDS),
        reply_to(BodyTooLargeError(), IDS),
        reply_to(LengthRequiredError(), IDS),
        reply_to(UnexpectedError(), IDS),
        health_reply(HealthReport("weu", "none", (), ())),
    ],
)
def test_the_library_sends_the_headers_of_every_reply_as_they_are(
    reply: WebhookReply,
) -> None:
    """The library adds no second Content-Type."""
    sent = HttpResponseConverter.encode(
        function_app._to_response(reply), expected_type=None
    )

    headers = {name: datum.value for name, datum in sent.value["headers"].items()}
    assert headers == reply.headers
    assert "Content-Type" in headers
