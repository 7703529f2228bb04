"""docs/instances.md: the Python that validates the platform's token does so."""

import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.signing import VARIANTS
from tests.support.checkout import read_text

REAL = "https://api.aps.skype.com/v1/.well-known/OpenIdConfiguration"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def neighbours() -> Iterator[Neighbours]:
    with Neighbours() as neighbours:
        yield neighbours


@pytest.fixture
def tenant_of(
    neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """The function of the page, which asks the simulated platform for its keys."""
    [program] = _BLOCK.findall(read_text("docs/instances.md"))
    program = program.replace(REAL, neighbours.provider.configuration_url)
    program = program.replace("the application ID of the bot", neighbours.app_id)
    monkeypatch.setenv("SSL_CERT_FILE", str(neighbours.authority.bundle))
    # The opener of before remembers whom it trusts.
    monkeypatch.setattr(urllib.request, "_opener", None)
    members: dict[str, Any] = {}
    exec(program, members)  # noqa: S102 - a page of ours
    found: Callable[[str], str] = members["tenant_of"]
    return found


def test_a_genuine_token_tells_its_tenant(
    neighbours: Neighbours, tenant_of: Callable[[str], str]
) -> None:
    token = f"Bearer {neighbours.tokens.mint()}"
    assert tenant_of(token) == neighbours.tenant_id


@pytest.mark.parametrize("variant", sorted(set(VARIANTS) - {"good"}))
def test_any_other_is_refused(
    neighbours: Neighbours, tenant_of: Callable[[str], str], variant: str
) -> None:
    with pytest.raises(jwt.PyJWTError):
        tenant_of(f"Bearer {neighbours.tokens.variant(variant)}")
