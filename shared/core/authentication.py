"""Rule 3: who sent a POST. The token is validated, or known from a moment ago.

The steps and their order are those of ``shared.core.tokens``. A key that is held never
waits; one that is not may cause a fetch, and waits for it.
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

    Raises:
        TokenRefusedError: the token is not acceptable.
        KeysUnavailableError: no signing keys are held.
    """
    token = read_bearer(request.headers)
    digest = digest_of(token)
    held = context.keys.current()
    if held is not None:
        known = context.verified_tokens.find(digest, held, now=context.clock())
        if known is not None:
            return known
    jws, key_id = _guarded(_read_unverified, token)
    key_set = held if held and key_id in held.keys else await context.keys.find(key_id)
    claims = _guarded(_validate, jws, key_set.keys.get(key_id), context)
    context.verified_tokens.remember(digest, key_set, claims)
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
