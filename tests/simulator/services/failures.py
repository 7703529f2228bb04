"""Names for failed connections: the same for probes and for the platform's POSTs."""

import ssl


class NameUnresolvedError(OSError):
    """The name has no address, or nobody answered."""


def name_of(failure: BaseException, *, is_connected: bool) -> str:
    """Name a failure by its causes.

    Args:
        failure: what was raised.
        is_connected: whether it came after the connection and TLS were set up.

    Returns:
        name-unresolved, connection-refused, connect-timeout, reply-timeout,
        tls-refused or connection-lost.
    """
    causes = _causes(failure)
    for kind, name in (
        (NameUnresolvedError, "name-unresolved"),
        (ConnectionRefusedError, "connection-refused"),
        (TimeoutError, "reply-timeout" if is_connected else "connect-timeout"),
        (ssl.SSLCertVerificationError, "tls-refused"),
    ):
        if any(isinstance(cause, kind) for cause in causes):
            return name
    return "connection-lost"


def _causes(failure: BaseException) -> list[BaseException]:
    found = [failure]
    for error in found:
        for cause in (*error.args, error.__cause__, error.__context__):
            if isinstance(cause, BaseException) and cause not in found:
                found.append(cause)
    return found
