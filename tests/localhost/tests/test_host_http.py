"""HTTP at the local host: the rows observed at the real Functions host."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.localhost.tests.conftest import Ask

type Raw = Callable[[bytes], bytes]


def _reply(ask: Ask, **wanted: Any) -> Any:
    return ask("POST", "/api/reply", json.dumps(wanted).encode())


# --- responses ---


def test_a_text_is_chunked_plain_text(ask: Ask) -> None:
    """One byte is enough."""
    reply = _reply(ask, body="x")

    assert (reply.status, reply.body) == (200, b"x")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["Transfer-Encoding"] == "chunked"
    assert reply.headers["Server"] == "Kestrel"
    assert "Date" in reply.headers


def test_a_mimetype_becomes_the_content_type(ask: Ask) -> None:
    """No charset is added."""
    reply = _reply(ask, body="{}", mimetype="application/json")

    assert reply.headers["Content-Type"] == "application/json"


def test_a_content_type_header_wins(ask: Ask) -> None:
    headers = {"Content-Type": "application/x-own"}
    reply = _reply(ask, body="{}", mimetype="application/json", headers=headers)

    assert reply.headers["Content-Type"] == "application/x-own"


@pytest.mark.parametrize("status", [200, 202, 302, 401, 404, 503])
def test_an_empty_reply_has_length_zero(ask: Ask, status: int) -> None:
    """It is still plain text."""
    reply = _reply(ask, status_code=status)

    assert (reply.status, reply.body) == (status, b"")
    assert reply.headers["Content-Length"] == "0"
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Transfer-Encoding" not in reply.headers


def test_204_has_a_content_type_and_no_length(ask: Ask) -> None:
    reply = _reply(ask, status_code=204)

    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Content-Length" not in reply.headers
    assert "Transfer-Encoding" not in reply.headers


def test_204_with_a_body_loses_it_and_the_connection(ask: Ask) -> None:
    reply = _reply(ask, status_code=204, body="x")

    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["Connection"] == "close"


def test_location_and_other_headers_are_verbatim(ask: Ask) -> None:
    location = "https://h.example:8443/api/calls?hop=1"
    headers = {"Location": location, "X-oWn": "v", "X-Empty": ""}
    reply = _reply(ask, status_code=302, headers=headers)

    assert reply.headers["Location"] == location
    assert reply.headers["X-oWn"] == "v"
    assert reply.headers["X-Empty"] == ""


def test_a_right_content_length_is_honoured(ask: Ask) -> None:
    reply = _reply(ask, body="four", headers={"Content-Length": "4"})

    assert reply.headers["Content-Length"] == "4"
    assert "Transfer-Encoding" not in reply.headers


@pytest.mark.parametrize("value", ["é", "a\r\nX: y", "a\nb"])
def test_an_illegal_header_value_is_a_500(ask: Ask, value: str) -> None:
    reply = _reply(ask, headers={"X-Own": value})

    assert (reply.status, reply.body) == (500, b"")


def test_server_and_date_can_be_set(ask: Ask) -> None:
    reply = _reply(ask, headers={"Server": "own", "Date": "then"})

    assert (reply.headers["Server"], reply.headers["Date"]) == ("own", "then")


def test_a_close_of_the_handler_closes(raw: Raw) -> None:
    body = json.dumps({"headers": {"Connection": "close"}}).encode()
    head = b"POST /api/reply HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"

    assert raw(head % len(body) + body).count(b"Connection: close") == 1


def test_a_clients_close_is_obeyed_and_http_1_0_ends(raw: Raw) -> None:
    """If not, these requests would wait for ever."""
    close = raw(b"GET /api/sync HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    old = raw(b"GET /api/sync HTTP/1.0\r\nHost: h\r\n\r\n")

    assert b"connection: close" in close.lower()
    assert b"connection: close" in old.lower()


def test_requests_on_one_connection_are_answered_in_order(raw: Raw) -> None:
    """The second is sent before the first is answered."""
    first = b"GET /api/text HTTP/1.1\r\nHost: h\r\n\r\n"
    last = b"GET /api/sync HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

    received = raw(first + last)

    assert received.count(b"HTTP/1.1 200") == 2
    assert received.index(b"text\r\n0") < received.index(b"sync\r\n0")


# --- request headers ---


def _echo(ask: Ask, *arguments: Any, **more: Any) -> dict[str, Any]:
    reply = ask(*arguments, **more)
    assert reply.status == 200
    found: dict[str, Any] = json.loads(reply.body)
    return found


def test_header_names_are_lower_case_and_values_trimmed(ask: Ask) -> None:
    """An empty header is kept."""
    headers = {"X-OWN": "  v  ", "X-Empty": "", "X-MS-CLIENT-PRINCIPAL": "p"}
    found = _echo(ask, "GET", "/api/echo", headers=headers)["headers"]

    assert found["x-own"] == "v"
    assert found["x-empty"] == ""
    assert found["x-ms-client-principal"] == "p"


def test_repeated_headers_are_joined_by_a_bare_comma(raw: Raw) -> None:
    """This includes Authorization."""
    received = raw(
        b"GET /api/echo HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a\r\n"
        b"Authorization: Bearer b\r\nConnection: close\r\n\r\n"
    )

    assert b'"Bearer a,Bearer b"' in received


def test_header_values_are_utf_8(raw: Raw) -> None:
    good = raw(
        b"GET /api/echo HTTP/1.1\r\nHost: h\r\nX-A: \xc3\xa9\r\n"
        b"Connection: close\r\n\r\n"
    )

    assert b"\\u00e9" in good


@pytest.mark.parametrize(
    "head",
    [
        b"X-A: a", b"Host: h\r\nX-A: \xff", b"Host: h\r\nX-A: a\x00b",
        b"Host: h\r\nX-A: a\r\n folded", b"Host: h\r\nX A: a", b"Host: h\r\nX-A : a",
        b"Host: h\r\nno colon", b"Host: h\r\nHost: h", b"Host: h/evil", b"Host: h h",
        b"Host: h\r\nContent-Length: x", b"Host: h\r\nContent-Length: -1",
        b"Host: h\r\nContent-Length: 1\r\nContent-Length: 1",
    ],
)  # fmt: skip
def test_a_malformed_head_is_a_400_and_the_end(raw: Raw, head: bytes) -> None:
    """No function sees such a request."""
    received = raw(b"GET /api/echo HTTP/1.1\r\n" + head + b"\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in received.lower()


def test_too_many_or_too_large_headers_are_a_431(raw: Raw) -> None:
    """The limits are 32 KiB and 100 headers."""
    many = b"".join(b"X-%d: a\r\n" % number for number in range(101))
    large = b"X-A: " + b"a" * 33_000 + b"\r\n"
    for headers in (many, large):
        received = raw(b"GET /api/echo HTTP/1.1\r\nHost: h\r\n" + headers + b"\r\n")
        assert received.startswith(b"HTTP/1.1 431 ")
        assert b"content-length: 0" in received.lower()


def test_a_request_line_over_8_kib_is_a_414(raw: Raw) -> None:
    received = raw(b"GET /api/echo?" + b"a" * 8_200 + b" HTTP/1.1\r\nHost: h\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 414 ")


# --- bodies ---


def test_a_body_arrives_as_it_is(ask: Ask) -> None:
    body = bytes(range(256)) * 4096
    found = _echo(ask, "POST", "/api/echo", body, {"Content-Encoding": "gzip"})

    assert found["length"] == 1024 * 1024
    assert found["body"][:256] == bytes(range(256)).decode("latin-1")


def test_a_chunked_body_arrives_empty(raw: Raw) -> None:
    """The host copies only bodies with a length; the header is visible."""
    received = raw(
        b"POST /api/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
    )

    assert b'"length": 0' in received
    assert b'"transfer-encoding": "chunked"' in received


def test_a_request_without_a_length_has_an_empty_body(ask: Ask) -> None:
    assert _echo(ask, "POST", "/api/echo", b"")["length"] == 0
    assert _echo(ask, "GET", "/api/echo")["length"] == 0


def test_a_body_beyond_the_limit_is_a_500(raw: Raw) -> None:
    """The real host answers 500, not 413, and does not read the body."""
    received = raw(
        b"POST /api/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 104857601\r\n\r\n"
    )

    assert received.startswith(b"HTTP/1.1 500 ")
    assert b"content-length: 0" in received.lower()


def test_expect_100_is_answered_before_the_body(raw: Raw) -> None:
    received = raw(
        b"POST /api/echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\nab"
    )

    assert received.startswith(b"HTTP/1.1 ")
    assert b"HTTP/1.1 200" in received


# --- url, parameters, query ---


def test_the_url_is_scheme_host_path_and_raw_query(ask: Ask) -> None:
    """Forwarded headers do not matter."""
    headers = {"Host": "bot.example:81", "X-Forwarded-Host": "evil.example"}
    found = _echo(ask, "GET", "/api/echo?a=%41&hop", headers=headers)

    assert found["url"] == "http://bot.example:81/api/echo?a=%41&hop"


def test_the_query_drops_empty_values_and_joins_repeated_ones(ask: Ask) -> None:
    """For this reason the product looks for hop in the raw query."""
    found = _echo(ask, "GET", "/api/echo?a=1&A=2&b=&hop&c=x+y")

    assert found["params"] == {"a": "1,2", "c": "x y"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/named/Ab", "Ab"),
        ("/api/named/a%20b", "a b"),
        ("/api/named/a%2Fb", "a%2Fb"),
    ],
)
def test_route_parameters_are_decoded_but_for_a_slash(
    ask: Ask, path: str, name: str
) -> None:
    """Bytes that cannot be decoded stay as they are."""
    assert _echo(ask, "GET", path)["route"] == {"name": name}
    assert _echo(ask, "GET", "/api/named/%ff")["route"] == {"name": "%ff"}
