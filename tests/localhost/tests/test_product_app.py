"""function_app.py on the local host: what only the whole of both can show."""

from collections.abc import Iterator

import pytest

from tests.localhost.process import LocalHost
from tests.localhost.tests.conftest import ask_at


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
