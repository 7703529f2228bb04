"""The sound and the words of a bot's prompts: ``prompts/`` beside the bot's file.

``main.wav`` is what ``https://cdn.contoso.com/menu/main.wav`` plays. ``texts.txt`` has
a line for each, such as ``main (en): For orders, press 1.``; the page shows the words,
and ``speak`` makes the wavs from them.
"""

import re
import wave
from pathlib import Path
from typing import NamedTuple

_LINE = re.compile(r"([\w.-]+) \((\w[\w-]*)\): (.+)")
TEXTS = "texts.txt"


class Prompt(NamedTuple):
    """What is known of a prompt.

    Attributes:
        seconds: how long its wav is; ``None``: there is none.
        text: what it says; empty where nobody has written it.
    """

    name: str
    seconds: float | None = None
    text: str = ""
    language: str = ""


class Prompts:
    """The prompts of a bot; what is on the disk now counts."""

    def __init__(self, bot: Path) -> None:
        """Look beside the file of the bot."""
        self.folder = bot.parent / "prompts"

    def all(self) -> dict[str, Prompt]:
        """Return what is known, by name."""
        found = read_texts(self.folder / TEXTS)
        for wav in sorted(self.folder.glob("*.wav")):
            known = found.get(wav.stem, Prompt(wav.stem))
            found[wav.stem] = known._replace(seconds=length_of(wav))
        return found

    def lengths(self) -> dict[str, float]:
        """Return how long those are that have a wav, by name."""
        found = self.all().values()
        return {p.name: p.seconds for p in found if p.seconds is not None}

    def wav(self, name: str) -> Path | None:
        """Return the wav of a prompt; ``None``: there is none."""
        listed = {wav.stem: wav for wav in self.folder.glob("*.wav")}
        return listed.get(name)


def read_texts(file: Path) -> dict[str, Prompt]:
    """Return the words of prompts, by name; empty where there is no such file."""
    if not file.is_file():
        return {}
    lines = map(_LINE.fullmatch, file.read_text("utf-8").splitlines())
    return {m[1]: Prompt(m[1], None, m[3], m[2]) for m in lines if m is not None}


def length_of(wav: Path) -> float | None:
    """Return the seconds of a wav; ``None``: it is none."""
    try:
        with wave.open(str(wav), "rb") as opened:
            return round(opened.getnframes() / opened.getframerate(), 2)
    except (OSError, EOFError, wave.Error, ZeroDivisionError):
        return None
