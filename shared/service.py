"""The composition root: settings, rules and world put together once per process.

The path of a POST is ``receive``: decide, do what was decided, reply, log one line. No
exception leaves it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, override

from shared import wiring
from shared.bot_file import BotFile, load_bot
from shared.core import routes
from shared.core.context import LogFacts
from shared.core.decisions import decide, refuse_without_settings
from shared.core.errors import UnexpectedError, WebhookError
from shared.core.health import HealthReport
from shared.core.items import TakeItems, TakeJoining
from shared.core.replies import Outcome, reply_to
from shared.core.webhook import Correlation, WebhookReply, WebhookRequest
from shared.edge.build import read_build
from shared.edge.health_replies import HealthReplies
from shared.edge.telemetry import (
    RequestLog,
    log_defect,
    log_event,
    prepare_logging,
    write_events,
)
from shared.settings import Settings, SettingsReport, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.call_wiring import Calls
    from shared.core.answering_health import Answering
    from shared.core.bot import Bot
    from shared.core.health import KeyFreshness

_HEALTH_WAIT_SECONDS = 2.0
_WARM_UP_WAIT_SECONDS = 5.0


class Service(ABC):
    """The front door of this deployment, usable or not."""

    def __init__(self, report: SettingsReport) -> None:
        """Serve by ``report``."""
        self._report = report
        self._log = RequestLog()
        self._health_replies = HealthReplies()
        self._build = read_build()
        if report.problems:
            log_event(logging.ERROR, "settings.unusable", problems=report.problems)
        if report.warnings:
            log_event(logging.WARNING, "settings.warnings", warnings=report.warnings)

    async def receive(self, request: WebhookRequest) -> WebhookReply:
        """Handle a POST."""
        correlation = Correlation.of(request.headers)
        facts = LogFacts()
        outcome = await self._outcome_of(request, facts)
        reply = reply_to(outcome, correlation)
        fields = {
            "duration_ms": round((time.monotonic() - request.received_at) * 1000, 1),
            "region": self._report.region or None,
            "build": self._build,
            **self._log_fields(),
        }
        self._write_what_waits()
        self._log.write(request, correlation, facts, outcome, fields)
        return reply

    async def _outcome_of(self, request: WebhookRequest, facts: LogFacts) -> Outcome:
        """Return what the request ends with; nothing escapes."""
        try:
            return await self._handle(request, facts)
        except WebhookError as refusal:
            return refusal
        except Exception as defect:  # noqa: BLE001 - the host would answer 500
            return UnexpectedError.of(defect, is_anonymous=facts.tenant_id is None)

    @abstractmethod
    async def _handle(self, request: WebhookRequest, facts: LogFacts) -> Outcome:
        """Decide what to do with a POST, and do it.

        Raises:
            WebhookError: the POST is refused.
        """

    async def health(self, headers: Mapping[str, str]) -> WebhookReply:
        """Report health to a request with these ``headers``."""
        keys = await self._look_at_keys(headers)
        self._write_what_waits()
        state = keys, self._answering()
        return self._health_replies.reply(state, self._health_report)

    @abstractmethod
    async def _look_at_keys(self, headers: Mapping[str, str]) -> KeyFreshness:
        """Tell the state of the signing keys for a health report."""

    @abstractmethod
    async def warm_up(self) -> None:
        """Load before the first call what the first call would have to wait for."""

    @abstractmethod
    def close(self) -> None:
        """End threads, watches and sessions."""

    def _write_what_waits(self) -> None:
        """Log what had to wait for a request, whichever it is: new notices, too."""
        self._current_notices()
        write_events()
        self._log.write_refusals()

    def _log_fields(self) -> Mapping[str, object]:
        """Return what every line of the log says beside the request."""
        return {}

    def _answering(self) -> Answering:
        """Tell whether calls could be answered lately."""
        return "unknown"

    def _current_notices(self) -> Sequence[str]:
        """Return what will need attention soon."""
        return ()

    def _health_report(self, state: tuple[KeyFreshness, Answering]) -> HealthReport:
        keys, answering = state
        told = self._report.problems, self._report.warnings, self._current_notices()
        return HealthReport(self._report.region, keys, *told, answering, self._build)


class UnusableService(Service):
    """The front door while the settings have problems: every POST gets 503."""

    @override
    async def _handle(self, request: WebhookRequest, facts: LogFacts) -> NoReturn:
        refuse_without_settings(request)

    @override
    async def _look_at_keys(self, headers: Mapping[str, str]) -> KeyFreshness:
        return "none"

    @override
    async def warm_up(self) -> None:
        """There is nothing to load."""

    @override
    def close(self) -> None:
        """There is nothing to end."""


class UsableService(Service):
    """The front door with usable settings; opens nothing before it is asked.

    Attributes:
        keys: the signing keys.
        peers: the health of the other regions.
    """

    def __init__(self, report: SettingsReport, settings: Settings, bot: Bot) -> None:
        """Put rules, world and ``bot`` together as ``settings`` say."""
        super().__init__(report)
        self._settings = settings
        self._bot = bot
        provider = wiring.identity_provider(settings)
        self.keys = wiring.signing_keys(provider)
        self._notices = wiring.notices(settings, bot, provider)
        self.peers = wiring.peers(settings)
        self._context = wiring.rule_context(
            settings, bot, self.keys, self.peers, own_answering=self._answering
        )

    @cached_property
    def _calls(self) -> Calls:
        """What takes calls; the redirects of a new process do not wait for it."""
        from shared import call_wiring  # noqa: PLC0415 - a fifth of all imports

        return call_wiring.calls(self._settings, self._bot)

    @override
    async def _handle(self, request: WebhookRequest, facts: LogFacts) -> Outcome:
        decision = await decide(request, self._context, facts)
        if follow_ups := facts.follow_ups:
            self._calls.answering.note_follow_ups(facts.tenant_id or "", follow_ups)
        match decision:
            case TakeItems():
                return await self._calls.dispatcher.take(decision, request)
            case TakeJoining():
                return await self._calls.dispatcher.join(decision, request)
            case _:
                return decision

    @override
    async def _look_at_keys(self, headers: Mapping[str, str]) -> KeyFreshness:
        """Load the keys for the first probe, which waits for them a little."""
        if routes.REGION_HEADER.lower() not in headers:
            self.peers.keep_watch()
        try:
            await self.keys.load(timeout_seconds=_HEALTH_WAIT_SECONDS)
        except Exception as defect:  # noqa: BLE001 - the report must still go out
            log_defect("health.failed", defect)
        return self.keys.freshness()

    @override
    async def warm_up(self) -> None:
        self.peers.keep_watch()
        seconds = _WARM_UP_WAIT_SECONDS
        fetching = asyncio.create_task(self.keys.load(timeout_seconds=seconds))
        # It starts on a thread, before the imports of the rest hold the event loop.
        await asyncio.sleep(0)
        try:
            await asyncio.to_thread(self._calls.load)
        finally:
            await fetching

    @override
    def close(self) -> None:
        if "_calls" in self.__dict__:
            self._calls.close()
        self.peers.close()

    @override
    def _answering(self) -> Answering:
        return self._calls.answering_now()

    @override
    def _current_notices(self) -> Sequence[str]:
        return self._notices.current()

    @override
    def _log_fields(self) -> Mapping[str, object]:
        age = self.keys.age_seconds()
        return {"key_age_seconds": None if age is None else int(age)}


def build_service(report: SettingsReport, bot_file: BotFile) -> Service:
    """Build the service for what was read of the settings, and for the user's bot."""
    if bot_file.bot is None:
        log_event(logging.ERROR, "bot.unusable", traceback=bot_file.traceback or None)
        problems = (*report.problems, bot_file.problem)
        return UnusableService(report._replace(problems=problems))
    if report.settings is None:
        return UnusableService(report)
    return UsableService(report, report.settings, bot_file.bot)


_building = threading.Lock()
_service: Service | None = None


def get_service() -> Service:
    """Return the service of this process, built on the first request."""
    global _service  # noqa: PLW0603 - one service for each process
    if _service is None:
        with _building:
            if _service is None:
                prepare_logging()
                _service = build_service(read_settings(os.environ), load_bot())
    return _service


async def receive(request: WebhookRequest) -> WebhookReply:
    """Handle a POST with the service of this process; nothing escapes."""
    try:
        return await get_service().receive(request)
    except Exception as defect:  # noqa: BLE001 - the host would answer 500
        log_defect("request.failed", defect)
        return reply_to(UnexpectedError(), Correlation.of(request.headers))


async def health(headers: Mapping[str, str]) -> WebhookReply:
    """Report the health of this process to a request with these ``headers``.

    Args:
        headers: names in lower case, or a mapping that ignores case.
    """
    try:
        return await get_service().health(headers)
    except Exception as defect:  # noqa: BLE001 - the host would answer 500
        log_defect("health.failed", defect)
        return reply_to(UnexpectedError(), Correlation("", "", ""))


async def warm_up() -> None:
    """Warm this process up; an error here must not keep calls out."""
    try:
        await get_service().warm_up()
    except Exception as defect:  # noqa: BLE001 - the first call loads the rest
        log_defect("warm-up.failed", defect)
    write_events()
