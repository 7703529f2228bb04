"""function_app.py on the local host: what only the whole of both can show."""

import json
from collections.abc import Iterator

import pytest

from tests.localhost.process import LocalHost
from tests.localhost.settings import max_body_bytes
from tests.localhost.tests.conftest import ask_at
from tests.support.checkout import CHECKOUT

SAMPLE = json.loads((CHECKOUT / "local.settings.sample.json").read_text("utf-8"))
LIMIT = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"


@pytest.fixture(scope="module")
def product() -> Iterator[LocalHost]:
    """A local host that serves the product, without a setting."""
    with LocalHost({}) as host:
        yield host


def test_health_answers_head_as_it_answers_get_without_the_body(
    product: LocalHost,
) -> None:
    """Through the worker library, which has to know the method."""
    got, head = (ask_at(product)(method, "/api/health") for method in ("GET", "HEAD"))

    assert head.status == got.status == 503
    assert (head.body, bool(got.body)) == (b"", True)
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


def test_the_host_refuses_by_itself_what_is_over_its_limit_of_bodies() -> None:
    """The limit of the sample leaves our own 413 to bodies a little over 1 MiB."""
    limit = int(SAMPLE["Values"][LIMIT])
    with LocalHost({LIMIT: str(limit)}) as host:
        ask = ask_at(host)
        taken = ask("POST", "/api/calls", bytes(limit))
        # The host does not read it, so the head alone is sent.
        over = {"Content-Length": str(limit + 1)}
        refused = ask("POST", "/api/calls", headers=over)

    assert limit == 1_114_112
    assert taken.status == 413
    assert (refused.status, refused.body) == (500, b"")
    assert refused.headers["Connection"] == "close"


@pytest.mark.parametrize("value", ["", "1 MiB"])
def test_the_host_ignores_a_limit_of_bodies_that_is_no_number(value: str) -> None:
    assert max_body_bytes({LIMIT: value}) == max_body_bytes({}) == 104_857_600
