"""What the phone tells the journal of its calls, and of the bot's file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCalled:
    """A person calls; ``caller_kind`` is user, guest or phone."""

    call_id: str
    caller: str
    caller_kind: str
    caller_id: str
    country_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneChanged:
    """How the call is now.

    Attributes:
        state: ringing, connecting, up or over.
        is_subscribed: the bot is told of keys.
        is_recording: what the caller says is recorded, for ``longest_seconds`` at most.
        has_beeped: a beep said so.
        asked: people whose telephones ring; ``asked_for``: transfer or invite.
        joined: who came into the call.
        ended_by: caller, bot, transfer or platform.
        outcome, why: of a call that was not answered.
        sent_to: who has the call now, or to whom it was redirected.
    """

    call_id: str
    state: str
    is_subscribed: bool
    is_recording: bool
    has_beeped: bool
    longest_seconds: float
    asked: Sequence[str]
    asked_for: str | None
    joined: Sequence[str]
    ended_by: str | None
    outcome: str | None
    why: str | None
    sent_to: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptStarted:
    """The caller hears a prompt; ``prompt`` numbers those of the call."""

    call_id: str
    prompt: int
    name: str
    length_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptEnded:
    """The caller has heard it, or it was cut short."""

    call_id: str
    prompt: int
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed:
    """The caller pressed a key; ``is_told``: the bot is told, for it subscribed."""

    call_id: str
    key: str
    is_told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysHeard:
    """The bot pressed keys."""

    call_id: str
    keys: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSpoke:
    """The caller spoke for so long while the bot recorded."""

    call_id: str
    spoken_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReacted:
    """Somebody whom the bot called answers, refuses or does not answer."""

    call_id: str
    person: str
    reaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BotFileChanged:
    """The bot's file was saved: the regions restart with it, or it is unusable.

    Attributes:
        state: running, restarting, or broken: then the regions keep the code before.
        problem: type, message, file and line of what is wrong.
    """

    file: str
    state: str
    problem: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSwitched:
    """What the person has set for the calls.

    Attributes:
        state_place: memory or store: where the bot's states are.
        refusals: what Graph refuses, and how, by control.
    """

    state_place: str
    refusals: Mapping[str, str]
