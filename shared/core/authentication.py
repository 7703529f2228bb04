"""Rule 3: who sent a POST. The token is validated, or known from a moment ago.

The steps and their order are those of ``shared.core.tokens``. Whatever can be refused
without a key is refused before keys are asked for, so that it causes no fetch. A key
that is held waits only where the set is so old that the key may have been withdrawn;
one that is not held may cause a fetch, and waits for it.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.core.context import RuleContext
from shared.core.errors import TokenRefusedError, WebhookError
from shared.core.reasons import Reason
from shared.core.tokens import (
    Jws,
    TokenClaims,
    read_bearer,
    read_claims,
    read_jws,
    read_key_id,
    verify,
)
from shared.core.verified_tokens import digest_of
from shared.core.webhook import WebhookRequest


async def authenticate(request: WebhookRequest, context: RuleContext) -> TokenClaims:
    """Validate the token of a POST, or take its claims from the verified tokens.

    A token that waits for the first keys also has the other regions looked at.

    Raises:
        TokenRefusedError: the token is not acceptable.
        KeysUnavailableError: no signing keys are held.
    """
    token = _guarded(read_bearer, request.headers)
    digest = digest_of(token)
    known = _find_verified(digest, context)
    if known is not None:
        return known
    jws, key_id = _guarded(_read_unverified, token)
    if context.keys.current() is None:
        # A call needs both, so the other regions are looked at meanwhile.
        context.peers.keep_watch()
    key_set = await context.keys.find(key_id)
    claims = _guarded(_validate, jws, key_set.keys.get(key_id), context)
    context.verified_tokens.remember(digest, key_set, claims)
    return claims


def _find_verified(digest: bytes, context: RuleContext) -> TokenClaims | None:
    key_set = context.keys.current()
    if key_set is None:
        return None
    claims = context.verified_tokens.find(digest, key_set, now=context.clock())
    if claims is not None:
        context.keys.keep_fresh()
    return claims


def _guarded[**P, T](step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a step on a stranger's token: a defect of ours refuses it, and is logged."""
    try:
        return step(*args, **kwargs)
    except WebhookError:
        raise
    except Exception as error:
        raise TokenRefusedError(Reason.UNEXPECTED_ERROR) from error


def _read_unverified(token: bytes) -> tuple[Jws, str]:
    jws = read_jws(token)
    return jws, read_key_id(jws)


def _validate(jws: Jws, key: RSAPublicKey | None, context: RuleContext) -> TokenClaims:
    if key is None:
        raise TokenRefusedError(Reason.SIGNING_KEY_UNKNOWN)
    payload = verify(jws, key)
    return read_claims(payload, context.token_policy, now=context.clock())
