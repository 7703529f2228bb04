"""The refusals: one class for each way in which a POST is refused.

Callers catch ``WebhookError`` only: whatever a caller of the webhook sends, the rules
raise nothing else.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Self

from shared.core import rules
from shared.core.defects import describe_defect
from shared.core.reasons import Reason


class WebhookError(Exception):
    """A POST that is refused.

    Attributes:
        rule: the rule that refuses; ``None`` for a defect of ours outside the rules.
        name: as the log calls this decision.
        status: of the reply.
        reason: the stable code for the log.
        retry_after_seconds: value of ``Retry-After``, if the reply carries one.
        is_anonymous: raised before the token was accepted: anybody can cause it.
    """

    rule: ClassVar[rules.Rule | None] = None
    name: ClassVar[str] = "refuse"
    status: ClassVar[HTTPStatus]
    retry_after_seconds: ClassVar[int | None] = None
    is_anonymous: bool = False
    reason: Reason

    def __init__(self, reason: Reason | None = None) -> None:
        """Refuse for ``reason``; without one, for the only reason of the class."""
        if reason is not None:
            self.reason = reason
        super().__init__(self.reason.value)

    @property
    def log_fields(self) -> Mapping[str, object]:
        """What the log line says beside the reason: where a defect of ours is."""
        if self.reason is Reason.UNEXPECTED_ERROR and self.__cause__ is not None:
            return describe_defect(self.__cause__)
        return {}


class BodyTooLargeError(WebhookError):
    """The body is over the limit."""

    rule = rules.SIZE
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    reason = Reason.BODY_TOO_LARGE
    is_anonymous = True


class SettingsUnusableError(WebhookError):
    """The app settings have problems: nothing can be decided."""

    rule = rules.SETTINGS
    status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = Reason.SETTINGS_UNUSABLE
    retry_after_seconds = 30
    is_anonymous = True


class TokenRefusedError(WebhookError):
    """The token is not acceptable. The reply is the same whatever the reason."""

    rule = rules.TOKEN
    status = HTTPStatus.UNAUTHORIZED
    is_anonymous = True


class KeysUnavailableError(WebhookError):
    """No signing keys are held, so no token can be judged: not the caller's fault."""

    rule = rules.TOKEN
    status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = Reason.SIGNING_KEYS_NONE
    retry_after_seconds = 1
    is_anonymous = True


class TenantRefusedError(WebhookError):
    """The tenant allow-list does not have the token's tenant."""

    rule = rules.SENDER
    status = HTTPStatus.FORBIDDEN
    reason = Reason.TENANT_REFUSED


class PartitionIllegalError(WebhookError):
    """The callback route names something that can be no partition."""

    rule = rules.SENDER
    status = HTTPStatus.NOT_FOUND
    reason = Reason.PARTITION_UNKNOWN


class BodyRefusedError(WebhookError):
    """The body cannot be understood; the reply names the reason, never the body."""

    rule = rules.BODY
    status = HTTPStatus.BAD_REQUEST


class LengthRequiredError(BodyRefusedError):
    """The body was sent with ``Transfer-Encoding`` and did not reach us."""

    status = HTTPStatus.LENGTH_REQUIRED
    reason = Reason.LENGTH_REQUIRED


class UnexpectedError(WebhookError):
    """A defect of ours, turned into a reply that makes the platform try again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = Reason.UNEXPECTED_ERROR
    retry_after_seconds = 1

    @classmethod
    def of(cls, defect: Exception, *, is_anonymous: bool = False) -> Self:
        """Refuse because of ``defect``, which the log will describe."""
        error = cls()
        error.__cause__ = defect
        error.is_anonymous = is_anonymous
        return error
