"""A caller's script in a file: what ``call.BotCall`` does, one step a line.

    # Somebody wants to talk to sales, who refuses.
    person 550fae72-d251-43ec-868c-373732c2704f refuses
    prompt menu lasts 10

    hears menu
    presses 1
    comes back from 550fae72-d251-43ec-868c-373732c2704f
    hears goodbye
    is hung up

A JSON file holds the same lines as a list of texts.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.simulator.caller.call import BotCall
from tests.simulator.platform.effects import REACTIONS

_WORDS = (
    "hears",
    "starts to hear",
    "hears keys",
    "presses",
    "says",
    "waits",
    "hangs up",
    "is answered",
    "is rejected",
    "is redirected to",
    "is transferred to",
    "comes back from",
    "is joined by",
    "is hung up",
)
_NUMBERS = {"says", "waits"}
_ALONE = {"hangs up", "is answered", "is rejected", "is hung up"}
# They take several words.
_LISTS = {"hears", "is redirected to"}


class ScriptFileError(Exception):
    """The file is no script; the message names the line."""


class Step(NamedTuple):
    """One line: a method of ``BotCall`` and its arguments."""

    line: str
    method: str
    arguments: tuple[Any, ...]

    def play(self, call: BotCall) -> None:
        """Take the step."""
        getattr(call, self.method)(*self.arguments)


@dataclass(slots=True)
class Script:
    """A script: its steps, and how the call goes.

    Attributes:
        people, lengths, members: of ``CallPlan``, and other members of the call.
    """

    steps: list[Step] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, float] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Script":
        """Read a file.

        Raises:
            ScriptFileError: it cannot be read.
        """
        try:
            return cls.parse(_lines_of(file))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            message = f"{file}: cannot be read: {error}"
            raise ScriptFileError(message) from error
        except ScriptFileError as error:
            message = f"{file}: {error}"
            raise ScriptFileError(message) from None

    @classmethod
    def parse(cls, lines: list[str]) -> "Script":
        """Read lines.

        Raises:
            ScriptFileError: one of them is no step.
        """
        script = cls()
        for number, line in enumerate(lines, start=1):
            # A key may be #: a comment is a line of its own.
            text = "" if line.lstrip().startswith("#") else " ".join(line.split())
            if text and not script._take(text):
                message = f"line {number}: {text!r} is no step"
                raise ScriptFileError(message)
        return script

    def _take(self, text: str) -> bool:
        """Add a line; tell whether it could be read."""
        return self._take_fact(text.split()) or self._take_step(text)

    def _take_fact(self, words: list[str]) -> bool:
        match words:
            case ["person", person, *reaction] if " ".join(reaction) in REACTIONS:
                self.people[person] = " ".join(reaction)
            case ["prompt", name, "lasts", seconds] if _is_number(seconds):
                self.lengths[name] = float(seconds)
            case ["caller", "is", "guest", caller_id]:
                self.members |= {"caller_id": caller_id, "caller_kind": "guest"}
            case ["caller", "is", caller_id]:
                self.members["caller_id"] = caller_id
            case ["caller", "calls", "from", country]:
                self.members["country_code"] = country
            case _:
                return False
        return True

    def _take_step(self, text: str) -> bool:
        fitting = [word for word in _WORDS if f"{text} ".startswith(f"{word} ")]
        if not fitting:
            return False
        word = max(fitting, key=len)
        rest = text[len(word) :].split()
        most = 0 if word in _ALONE else 25 if word in _LISTS else 1
        if not min(most, 1) <= len(rest) <= most:
            return False
        if word in _NUMBERS and not _is_number(rest[0]):
            return False
        arguments = tuple(map(float, rest)) if word in _NUMBERS else tuple(rest)
        self.steps.append(Step(text, word.replace(" ", "_"), arguments))
        return True


def _lines_of(file: Path) -> list[str]:
    text = file.read_text("utf-8")
    if file.suffix != ".json":
        return text.splitlines()
    lines = json.loads(text)
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        message = "the JSON must be a list of texts"
        raise ScriptFileError(message)
    return lines


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()
