"""What a person did on the phone, as a script of ``tests.simulator.caller``.

The script plays the call again in virtual time, and expects what was heard and how the
call ended. So it is a test of the bot, green until the bot is changed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.simulator.platform.effects import ANSWERS
from tests.simulator.platform.media import NOTICE_SECONDS, usual_length

type Entries = Sequence[Mapping[str, Any]]

# Shorter pauses mean nothing: nobody presses a key at once.
_PAUSE_SECONDS = 0.5


def script_of(entries: Entries, *, bot: str) -> str:
    """Write a script from the entries of a call in the journal.

    Args:
        entries: as JSON, in order, with those of ``phone.events``.
        bot: the file that was called.
    """
    writer = _Writer()
    for entry in entries:
        writer.take(entry)
    head = [
        f"# A call to {bot}, as somebody made it. Save this as call.txt, and play it:",
        f"# .venv/bin/python -m tests.simulator call --bot {bot} --script call.txt",
    ]
    return "\n".join([*head, *writer.facts, "", *writer.steps, ""])


class _Writer:
    """Takes the entries one by one.

    Attributes:
        facts, steps: the lines so far.
    """

    def __init__(self) -> None:
        self.facts: list[str] = []
        self.steps: list[str] = []
        self._reactions: dict[str, str] = {}
        self._asked_for: str | None = None
        self._has_begun = False
        self._joined = 0
        # When the script and the call were last at the same place.
        self._here_seconds = 0.0
        self._prompt: Mapping[str, Any] | None = None

    def take(self, entry: Mapping[str, Any]) -> None:
        """Write what an entry tells."""
        takers: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "phone-called": self._call,
            "phone-changed": self._change,
            "prompt-started": self._start_prompt,
            "prompt-ended": self._end_prompt,
            "key-pressed": lambda at: self._act(at, f"presses {at['key']}"),
            "keys-heard": lambda at: self._see(at, f"hears keys {at['keys']}"),
            "caller-spoke": lambda at: self._see(
                at, f"says {_number(at['spoken_seconds'])}"
            ),
            "person-reacted": self._react,
        }
        if (taker := takers.get(entry["kind"])) is not None:
            taker(entry)

    def _call(self, entry: Mapping[str, Any]) -> None:
        if entry["caller_kind"] != "user":
            word = "guest " if entry["caller_kind"] == "guest" else ""
            self.facts.append(f"caller is {word}{entry['caller_id']}")
        if entry["country_code"]:
            self.facts.append(f"caller calls from {entry['country_code']}")

    def _start_prompt(self, entry: Mapping[str, Any]) -> None:
        name, length = entry["name"], entry["length_seconds"]
        fact = f"prompt {name} lasts {_number(length)}"
        if length != usual_length(name) and fact not in self.facts:
            self.facts.append(fact)
        self._prompt = None if name.startswith("silence") else entry

    def _end_prompt(self, entry: Mapping[str, Any]) -> None:
        if entry["is_cut"]:
            self._begin_to_hear(entry["seconds"])
        elif self._prompt is not None:
            self.steps.append(f"hears {self._prompt['name']}")
            self._here_seconds = entry["seconds"]
        self._prompt = None

    def _begin_to_hear(
        self, now_seconds: float, *, is_surely_heard: bool = False
    ) -> None:
        """Write that the prompt is heard which plays, if that is not written yet."""
        prompt, self._prompt = self._prompt, None
        if prompt is None:
            return
        noticed_at = prompt["seconds"] + min(
            NOTICE_SECONDS, prompt["length_seconds"] / 2
        )
        if now_seconds < noticed_at and not is_surely_heard:
            self._prompt = prompt
            return
        self.steps.append(f"starts to hear {prompt['name']}")
        self._here_seconds = noticed_at

    def _see(self, entry: Mapping[str, Any], step: str) -> None:
        """Write what the caller sees or hears."""
        self._begin_to_hear(entry["seconds"])
        self.steps.append(step)
        self._here_seconds = entry["seconds"]

    def _act(self, entry: Mapping[str, Any], step: str) -> None:
        """Write what the caller does, and how long they waited."""
        # Whoever acts has heard what plays.
        self._begin_to_hear(entry["seconds"], is_surely_heard=True)
        pause = int((entry["seconds"] - self._here_seconds) * 10) / 10
        if pause >= _PAUSE_SECONDS:
            self.steps.append(f"waits {_number(pause)}")
        self._see(entry, step)

    def _react(self, entry: Mapping[str, Any]) -> None:
        person, reaction = entry["person"], entry["reaction"]
        known = self._reactions.setdefault(person, reaction)
        fact = f"person {person} {reaction}"
        if known != reaction:
            self.facts.append(f"# Later: {fact}. A script has one reaction a person.")
        elif reaction != ANSWERS and fact not in self.facts:
            self.facts.append(fact)
        if reaction != ANSWERS and self._asked_for == "transfer":
            self._see(entry, f"comes back from {person}")

    def _change(self, entry: Mapping[str, Any]) -> None:
        self._asked_for = entry["asked_for"] or self._asked_for
        if entry["state"] == "up" and not self._has_begun:
            self._has_begun = True
            self._see(entry, "is answered")
        for person in entry["joined"][self._joined :]:
            self._joined += 1
            self._see(entry, f"is joined by {person}")
        if entry["state"] == "over":
            self._end(entry)

    def _end(self, entry: Mapping[str, Any]) -> None:
        people = " ".join(entry["sent_to"])
        ends = {
            "bot": "is hung up",
            "transfer": f"is transferred to {people}",
            "rejected": "is rejected",
            "redirected": f"is redirected to {people}",
        }
        how = entry["outcome"] or entry["ended_by"]
        if entry["ended_by"] == "caller":
            how = "caller"
            if "hangs up" not in self.steps:
                self._act(entry, "hangs up")
        elif ends.get(how) not in {None, *self.steps}:
            self._see(entry, ends[how])
        if how in {"lost", "refused", "platform"}:
            self.steps.append(f"# The call ended otherwise: {how}.")


def _number(seconds: float) -> str:
    return f"{seconds:.2f}".rstrip("0").rstrip(".")
