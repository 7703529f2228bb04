"""The refusals: one tree, each error with its reason code and the reply's status.

Callers catch ``WebhookError`` only; whatever a caller of the webhook sends, the
rules raise nothing else.
"""

from http import HTTPStatus
from typing import ClassVar

from shared.core.reasons import Reason


class WebhookError(Exception):
    """A request that is refused.

    Attributes:
        reason: the stable code for the log.
        status: the reply's status.
        retry_after_seconds: value of ``Retry-After``, if the reply carries one.
    """

    status: ClassVar[HTTPStatus]
    retry_after_seconds: ClassVar[int | None] = None

    def __init__(self, reason: Reason) -> None:
        """Refuse for ``reason``."""
        super().__init__(reason.value)
        self.reason = reason


class BodyTooLargeError(WebhookError):
    """The body is over the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __init__(self) -> None:
        """There is one reason only."""
        super().__init__(Reason.BODY_TOO_LARGE)


class SettingsUnusableError(WebhookError):
    """The app settings have problems: nothing can be decided."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after_seconds = 30

    def __init__(self) -> None:
        """There is one reason only."""
        super().__init__(Reason.SETTINGS_UNUSABLE)


class TokenRefusedError(WebhookError):
    """The token is not acceptable. The reply is the same whatever the reason."""

    status = HTTPStatus.UNAUTHORIZED


class KeysUnavailableError(WebhookError):
    """No signing keys are held, so no token can be judged: not the caller's fault."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after_seconds = 1

    def __init__(self) -> None:
        """There is one reason only."""
        super().__init__(Reason.SIGNING_KEYS_NONE)


class TenantRefusedError(WebhookError):
    """The tenant allow-list does not have the token's tenant."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self) -> None:
        """There is one reason only."""
        super().__init__(Reason.TENANT_REFUSED)


class PartitionUnknownError(WebhookError):
    """The callback route names something that can be no partition."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        """There is one reason only."""
        super().__init__(Reason.PARTITION_UNKNOWN)


class BodyRefusedError(WebhookError):
    """The body cannot be understood; the reply names the reason, never the body."""

    status = HTTPStatus.BAD_REQUEST


class LengthRequiredError(BodyRefusedError):
    """The body was sent with ``Transfer-Encoding`` and did not reach us."""

    status = HTTPStatus.LENGTH_REQUIRED

    def __init__(self) -> None:
        """There is one reason only."""
        super().__init__(Reason.LENGTH_REQUIRED)


class UnexpectedError(WebhookError):
    """A defect of ours, turned into a reply that makes the platform try again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after_seconds = 1

    def __init__(self) -> None:
        """There is one reason only."""
        super().__init__(Reason.UNEXPECTED_ERROR)
