"""The routes of the phone: what the person on the page does with it."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.simulator.page.actions import ActionError, RequestFields
from tests.simulator.page.feed import Feed
from tests.simulator.page.port import ShownEnvironment
from tests.simulator.phone.live_call import LiveCall
from tests.simulator.phone.phone import (
    KINDS,
    MEMORY,
    REFUSABLE,
    REFUSALS,
    STORE,
    Phone,
)
from tests.simulator.phone.script_text import script_of
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.consequences import KEYS
from tests.simulator.platform.effects import REACTIONS

type _PhoneAction = Callable[["PhoneRoutes", RequestFields], Any]
type MakeHandler = Callable[[Callable[[ShownEnvironment, RequestFields], Any]], Any]

# Two minutes, the longest recording, and a little.
_MAX_VOICE_BYTES = 5 * 1024 * 1024
_MAX_COPIES = 2
_MAX_LATE_SECONDS = 60
_MAX_SPOKEN_SECONDS = 120


class PhoneRoutes:
    """The handlers of the phone."""

    def __init__(self, phone: Phone, feed: Feed) -> None:
        """Use ``phone``; ``feed`` knows what was sent in its calls."""
        self.phone = phone
        self._feed = feed

    def routes(self, make_handler: MakeHandler) -> list[Route]:
        """Return the routes; ``make_handler`` makes the handler of an action."""
        actions: dict[str, _PhoneAction] = {
            "call": PhoneRoutes.call,
            "press": PhoneRoutes.press,
            "hang-up": PhoneRoutes.hang_up,
            "react": PhoneRoutes.react,
            "speak": PhoneRoutes.speak,
            "again": PhoneRoutes.send_again,
            "refuse": PhoneRoutes.refuse,
            "state": PhoneRoutes.keep_state,
        }
        posts = [
            Route(f"/api/phone/{name}", make_handler(self._bind(act)), methods=["POST"])
            for name, act in actions.items()
        ]
        return [
            *posts,
            Route("/api/phone/voice", self._voice, methods=["POST"]),
            Route("/api/phone", self._snapshot),
            Route("/api/phone/prompts/{name}", self._prompt),
            Route("/api/phone/calls/{call_id}/script", self._script),
        ]

    def _bind(
        self, act: _PhoneAction
    ) -> Callable[[ShownEnvironment, RequestFields], Any]:
        return lambda _environment, fields: act(self, fields)

    def call(self, fields: RequestFields) -> dict[str, str]:
        """Call the bot."""
        call = self.phone.call(
            fields.text("caller", allowed=list(CALLERS)),
            kind=fields.text("kind", allowed=KINDS),
            is_rough=fields.flag("is_rough"),
        )
        return {"call_id": call.call.call_id}

    def press(self, fields: RequestFields) -> None:
        """Press a key."""
        key = fields.text("key", allowed=sorted(KEYS))
        self._find(fields).press(key)

    def hang_up(self, fields: RequestFields) -> None:
        """Hang up."""
        self._find(fields).hang_up()

    def react(self, fields: RequestFields) -> None:
        """React as those whom the bot calls."""
        reaction = fields.text("reaction", allowed=REACTIONS)
        if not self._find(fields).react(reaction):
            raise ActionError("Nobody is called now.")

    def speak(self, fields: RequestFields) -> None:
        """Begin to speak into the microphone."""
        if not self._find(fields).speak(None):
            raise ActionError("The bot does not record now.")

    def send_again(self, fields: RequestFields) -> None:
        """Send a notification of a call once more."""
        call = self._find(fields)
        step = fields.number("step", default=0, most=1_000_000)
        entries = self._feed.call(call.call.call_id) or []
        sent = [e for e in entries if e["kind"] == "step-started" and e["step"] == step]
        if not sent:
            raise ActionError("This event is no longer known.")
        call.send_again(
            sent[0]["what"],
            sent[0]["notification"],
            sent[0]["url"],
            copies=max(1, int(fields.number("copies", default=1, most=_MAX_COPIES))),
            after_seconds=fields.number(
                "after_seconds", default=0, most=_MAX_LATE_SECONDS
            ),
        )

    def refuse(self, fields: RequestFields) -> None:
        """Let Graph refuse an action, or no longer."""
        control = fields.text("control", allowed=REFUSABLE)
        self.phone.refuse(control, fields.optional_text("how", allowed=list(REFUSALS)))

    def keep_state(self, fields: RequestFields) -> None:
        """Keep states elsewhere."""
        self.phone.keep_state_in(fields.text("place", allowed=(MEMORY, STORE)))

    def _find(self, fields: RequestFields) -> LiveCall:
        call = self.phone.find(fields.text("call_id"))
        if call is None:
            raise ActionError("This call is no longer known.")
        return call

    async def _voice(self, request: Request) -> Response:
        """Take what the person said: a wav, which was spoken already, or a file."""
        wav = b""
        async for chunk in request.stream():
            wav += chunk
            if len(wav) > _MAX_VOICE_BYTES:
                return _problem("The recording is too long.")
        query = request.query_params
        call = self.phone.find(query.get("call_id", ""))
        seconds = _seconds(query.get("seconds", ""))
        if call is None or seconds is None or not wav.startswith(b"RIFF"):
            return _problem("This is no recording of a call.")
        is_over = query.get("is_spoken") == "true"
        if not await asyncio.to_thread(call.speak, 0.0 if is_over else seconds, wav):
            return _problem("The bot does not record now.")
        call.spoke(seconds)
        return JSONResponse({})

    async def _snapshot(self, _request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self.phone.snapshot))

    async def _prompt(self, request: Request) -> Response:
        name = request.path_params["name"].removesuffix(".wav")
        wav = await asyncio.to_thread(self.phone.prompts.wav, name)
        if wav is None:
            return PlainTextResponse("There is no such prompt.\n", 404)
        return FileResponse(wav, media_type="audio/wav")

    async def _script(self, request: Request) -> Response:
        entries = self._feed.call(request.path_params["call_id"])
        if entries is None:
            return _problem("This call is no longer known.", 404)
        text = script_of(entries, bot=self.phone.watch.last.file)
        return JSONResponse({"script": text})


def _problem(sentence: str, status: int = 400) -> Response:
    return JSONResponse({"problems": [sentence]}, status)


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _MAX_SPOKEN_SECONDS else None
