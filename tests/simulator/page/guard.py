"""Who may talk to the page: a browser on this machine that has the page itself open.

The page listens on loopback only, but other sites in the same browser can reach
loopback too. A request with a foreign Host is refused (DNS rebinding), and so is one
from another site: the browser names the site in Origin or Sec-Fetch-Site. The headers
of every reply forbid the page to load anything from elsewhere.
"""

from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_NAMES = ("127.0.0.1", "localhost")
_SAFE_METHODS = ("GET", "HEAD")
_JSON = "application/json"
# Where bodies are something else, which no form of another site can send.
_BODIES = {"/api/phone/voice": "audio/wav"}
_PAGE_PATHS = ("/", "/favicon.ico")
REPLY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """ASGI middleware: refuses other sites and sets the headers of every reply."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it with 403."""
        if scope["type"] != "http":
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(REPLY_HEADERS)
            await send(message)

        refusal = _refuse(scope)
        app = self._app if refusal is None else PlainTextResponse(refusal, 403)
        await app(scope, receive, send_guarded)


def _refuse(scope: Scope) -> str | None:
    """Return why a request is refused; None if it is not."""
    headers = Headers(scope=scope)
    # The port of the socket; the client could claim any.
    port = scope["server"][1]
    hosts = {f"{name}:{port}" for name in _NAMES}
    host = headers.get("host", "")
    if host not in hosts:
        return "This page is only served under its own loopback address.\n"
    if scope["method"] not in _SAFE_METHODS:
        # Every browser sends Origin with a POST.
        if headers.get("origin") != f"http://{host}":
            return "Only the page itself may do this.\n"
        kind = headers.get("content-type", "").partition(";")[0]
        if kind != _BODIES.get(scope["path"], _JSON):
            return "The body must be JSON.\n"
    site = headers.get("sec-fetch-site", "none")
    if site not in {"none", "same-origin"} and scope["path"] not in _PAGE_PATHS:
        return "Another site may not read this.\n"
    return None
