"""Which message of the platform is being handled."""

from contextvars import ContextVar

# The platform's header; tasks and threads of an invocation inherit the variable.
HEADER = "x-microsoft-skype-message-id"
MESSAGE_ID: ContextVar[str | None] = ContextVar("message_id", default=None)
