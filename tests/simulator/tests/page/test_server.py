"""The page's server: what it serves, and what it refuses."""

import json
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
import requests

from tests.simulator.page.app import STATIC
from tests.simulator.page.feed import HISTORY_EVENTS, MAX_EVENTS, Feed
from tests.simulator.page.guard import REPLY_HEADERS
from tests.simulator.page.server import PageServer
from tests.simulator.tests.page.explained_world import ExplainedWorld

CALL = {"caller": "frankfurt"}


class Client:
    """Sends what a browser would send to a page; it ignores the machine's proxies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.origin = url.rstrip("/")
        self.port = int(self.origin.rpartition(":")[2])
        self._session = requests.Session()
        self._session.trust_env = False
        self.close = self._session.close

    def send(
        self, method: str, path: str, *, is_stream: bool = False, **parts: Any
    ) -> requests.Response:
        url = f"{self.url}{path}"
        return self._session.request(method, url, stream=is_stream, timeout=30, **parts)

    def get(self, path: str = "", **headers: str) -> requests.Response:
        """GET; ``_`` in a header's name stands for a hyphen."""
        return self.send("GET", path, headers=hyphenated(headers))

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        """POST as the page does, apart from ``headers``."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {"Origin": self.origin, "Content-Type": "application/json"}
        return self.send("POST", path, data=data, headers=own | hyphenated(headers))

    def stream(self, query: str, **headers: str) -> Iterator[list[dict[str, Any]]]:
        """Yield batches of events as they arrive."""
        sent = hyphenated(headers)
        path = f"api/events{query}"
        with self.send("GET", path, is_stream=True, headers=sent) as reply:
            assert reply.headers["Content-Type"].startswith("text/event-stream")
            for line in reply.iter_lines():
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))

    def events_until(
        self, last: int, query: str, **headers: str
    ) -> list[dict[str, Any]]:
        """Return all events up to a number, however many batches that takes."""
        events: list[dict[str, Any]] = []
        for batch in self.stream(query, **headers):
            events += batch
            if events[-1]["number"] >= last:
                break
        return events


def hyphenated(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def client(server: PageServer) -> Iterator[Client]:
    with closing(Client(server.url)) as client:
        yield client


def test_only_127_0_0_1_is_listened_on(client: Client) -> None:
    assert client.url.startswith("http://127.0.0.1:")
    with socket.socket() as other:
        other.bind(("127.0.1.1", client.port))


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""]
)
def test_a_foreign_host_is_refused(client: Client, host: str) -> None:
    """Even for public files: a rebound DNS name must not serve this page."""
    for path in ("", "api/world", "static/main.js"):
        reply = client.get(path, Host=host.format(port=client.port))
        assert reply.status_code == 403


def test_localhost_is_the_same_page_as_127_0_0_1(client: Client) -> None:
    assert client.get(Host=f"localhost:{client.port}").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
    ],
)
def test_another_site_cannot_do_anything(
    client: Client, world: ExplainedWorld, headers: dict[str, str]
) -> None:
    before = len(world.journal.entries())
    fault = {"fault": "region-killed", "region": "sea", "is_on": True}
    actions = {"api/faults": fault, "api/calls": CALL, "api/heal-all": {}}

    for path, body in actions.items():
        assert client.post(path, body, **headers).status_code == 403

    assert len(world.journal.entries()) == before


def test_a_post_without_origin_is_refused(client: Client) -> None:
    """Browsers always send Origin with a POST."""
    assert client.send("POST", "api/calls", json=CALL).status_code == 403


def test_another_site_cannot_read_but_may_link(client: Client) -> None:
    world = client.get("api/world", Sec_Fetch_Site="cross-site")
    page = client.get(Sec_Fetch_Site="cross-site")

    assert (world.status_code, page.status_code) == (403, 200)


def test_every_reply_forbids_what_the_page_does_not_need(client: Client) -> None:
    for path in ("", "api/world", "static/base.css", "favicon.ico", "nowhere"):
        reply = client.get(path)
        for name, value in REPLY_HEADERS.items():
            assert reply.headers[name] == value
    refused = client.get(Host="x")
    assert refused.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_page_has_no_script_or_style_in_its_markup() -> None:
    """The content policy would block it. No file names another host, either."""
    markup = (STATIC / "index.html").read_text("utf-8")

    for forbidden in ("<style", " style=", " onclick="):
        assert forbidden not in markup
    assert markup.count("<script") == 1
    for file in STATIC.iterdir():
        text = file.read_text("utf-8")
        assert "innerHTML" not in text
        assert "https://" not in text.replace('"https://"', ""), file.name


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("api/calls", b"[]", "not a JSON object"),
        ("api/calls", b'{"caller": "a", "caller": "b"}', "not a JSON object"),
        ("api/calls", {"caller": "mars"}, "caller must be one of"),
        ("api/calls", {**CALL, "count": 501}, "count must be a number from 0 to 500"),
        ("api/calls", {**CALL, "count": True}, "count must be a number"),
        ("api/calls", {**CALL, "starts_legacy": 1}, "must be true or false"),
        ("api/calls", {**CALL, "media_hosted_region": "x" * 65}, "is too long"),
        ("api/traffic", {"calls_per_second": -1}, "from 0 to 50"),
        ("api/faults", {"fault": "meteor"}, "fault must be one of"),
        ("api/faults", {"fault": "region-killed"}, "needs a region"),
        ("api/faults", {"fault": "graph-slow", "region": "sea"}, "takes no region"),
        ("api/faults", {"fault": "region-killed", "region": "x"}, "region must be"),
        ("api/rules", {"rules": 7}, "rules must be"),
        ("api/rules", {"rules": "{}"}, "Must be a JSON list of rules."),
        ("api/rules", {"rules": '[{"regions": ["x"]}]'}, "without a host"),
        ("api/calls", b" " * 300_000, "too large"),
    ],
)
def test_impossible_actions_are_refused_with_a_sentence(
    client: Client, world: ExplainedWorld, path: str, body: Any, sentence: str
) -> None:
    before = len(world.journal.entries())

    reply = client.post(path, body)

    assert reply.status_code == 400
    assert sentence in " ".join(reply.json()["problems"])
    assert len(world.journal.entries()) == before


def test_a_call_that_is_not_known_is_a_404(client: Client) -> None:
    looked = client.get("api/calls/none")
    explained = client.post("api/calls/none/explain", {"rules": "[]", "step": 0})

    assert (looked.status_code, explained.status_code) == (404, 404)


def test_events_go_on_where_a_page_left_off(
    client: Client, world: ExplainedWorld
) -> None:
    """Browsers reconnect with both; Last-Event-ID takes precedence over ``since``."""
    world.place_call("johannesburg")
    numbers = [entry.number for entry in world.journal.entries()]
    middle = numbers[len(numbers) // 2]

    events = client.events_until(numbers[-1], "?since=0", Last_Event_ID=str(middle - 1))

    assert events[0]["number"] >= middle
    assert events[-1]["number"] == numbers[-1]


def test_pages_get_events_without_payloads(
    client: Client, world: ExplainedWorld
) -> None:
    call_id = world.place_call("johannesburg").result().call_id

    events = client.events_until(world.journal.entries()[-1].number, "?since=0")
    detail = client.get(f"api/calls/{call_id}").json()

    kinds = {event["kind"] for event in events}
    assert {"call-placed", "step-started", "step-ended", "call-ended"} <= kinds
    assert not any("notification" in event or "headers" in event for event in events)
    redirect = next(event for event in events if event.get("status") == 302)
    assert redirect["redirect_region"] == "weu"
    started = [one for one in detail["entries"] if one["kind"] == "step-started"]
    assert started[0]["notification"]["value"]
    assert "Bearer" not in json.dumps(detail)


def test_the_feed_is_bounded_and_says_when_events_are_gone() -> None:
    with ExplainedWorld() as world:
        feed = Feed(world.journal, region_of_host={}, name_of_client={})
        for _ in range(MAX_EVENTS + 10):
            world.probe("weu", 200)
        call_id = world.place_call("singapore").result().call_id
        with feed:
            pass  # it reads everything before it stops

    last = world.journal.entries()[-1].number
    found, is_gone = feed.after(0)
    state = feed.look(dict)
    assert (len(found), is_gone) == (MAX_EVENTS, True)
    assert feed.after(last)[1] is False
    assert state["since"] == state["number"] - HISTORY_EVENTS
    assert state["totals"]["answered"] == 1
    assert feed.call(call_id)


def test_streams_end_with_the_server(world: ExplainedWorld) -> None:
    """If the stream did not end, this test would time out."""
    with PageServer(world) as server, closing(Client(server.url)) as client:
        events = client.stream("?since=0")
        assert next(events)
        server.close()
        with suppress(requests.exceptions.ChunkedEncodingError):
            deque(events, maxlen=0)
