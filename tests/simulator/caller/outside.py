"""The services that the example bots ask: PINs are checked, messages are kept."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulator.caller.bot_service import BotService
from tests.simulator.caller.stories import BOTS, SECOND, BotStory
from tests.simulator.services.web import WebServer

# In the files of the bots, where this server stands in.
HOSTS = ("https://pins.contoso.com", "https://voice-mail.contoso.com")
RIGHT_PIN = "4711"


class Outside(WebServer):
    """Both services; each takes a request with the same ``Idempotency-Key`` once.

    Attributes:
        messages: what was left, by key.
        tries: the PINs that were tried, by key.
        adviser: who gets a caller with the right PIN.
    """

    def __init__(self, certificate: tuple[Path, Path], adviser: str) -> None:
        """Send callers with ``RIGHT_PIN`` to ``adviser``."""
        routes = [
            Route("/check", self._check, methods=["POST"]),
            Route("/messages", self._keep, methods=["POST"]),
        ]
        super().__init__(Starlette(routes=routes), certificate)
        self.adviser = adviser
        self.messages: dict[str, Any] = {}
        self.tries: dict[str, str] = {}

    def replace_in(self, bot: str) -> str:
        """Return the text of a bot with this server in the place of the real ones."""
        for host in HOSTS:
            bot = bot.replace(host, self.url)
        return bot

    async def _check(self, request: Request) -> Response:
        body = await request.json()
        self.tries[request.headers["idempotency-key"]] = body["pin"]
        if body["pin"] != RIGHT_PIN or not body["caller"]:
            return Response(status_code=403)
        return JSONResponse({"adviser": self.adviser})

    async def _keep(self, request: Request) -> Response:
        key = request.headers["idempotency-key"]
        self.messages.setdefault(key, await request.json())
        return Response(status_code=202)


class ExampleService(BotService):
    """A deployment of the bot of a story, with the services that it asks.

    Attributes:
        outside: those services.
    """

    def __init__(self, story: BotStory, folder: Path, *, processes: int = 1) -> None:
        """Run the story's bot from a file in ``folder``, changed as the story says."""
        self._file = folder / f"{story.bot}.py"
        super().__init__(self._file, processes=processes)
        self._story = story
        self.outside = Outside(self.authority.certificate, SECOND)
        self._changes = {"REQUESTS_CA_BUNDLE": str(self.authority.bundle)}

    def start(self, stack: ExitStack) -> None:
        """Start the services, write the file, and start the deployment."""
        stack.enter_context(self.outside)
        text = (BOTS / self._file.name).read_text("utf-8")
        for real, other in self._story.changes.items():
            if real not in text:
                message = f"{self._file.name} has no {real}"
                raise ValueError(message)
            text = text.replace(real, other)
        self._file.write_text(self.outside.replace_in(text), "utf-8")
        super().start(stack)
