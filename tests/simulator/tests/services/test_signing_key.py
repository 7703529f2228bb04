"""tests.simulator.services.signing: a signing key that several commands share."""

from pathlib import Path

from shared.core.tokens import read_jws, verify
from tests.simulator.services.signing import SigningKey, TokenFactory


def test_a_kept_key_is_the_same_in_every_process(tmp_path: Path) -> None:
    """One command's provider vouches for tokens that another command mints."""
    file = tmp_path / "key.pem"
    first, second = SigningKey.kept_in(file), SigningKey.kept_in(file)

    token = TokenFactory(first, audience="a", tenant_id="t").mint()

    assert first.key_id == second.key_id
    assert verify(read_jws(token.encode()), second.private.public_key())


def test_a_kept_key_is_nobody_elses(tmp_path: Path) -> None:
    """Only its owner can read the file; another file holds another key."""
    file = tmp_path / "key.pem"
    key = SigningKey.kept_in(file)

    assert file.stat().st_mode & 0o077 == 0
    assert SigningKey.kept_in(tmp_path / "other.pem").key_id != key.key_id
