"""A bot for tests of the phone: short prompts, and a key for everything."""

import math
import wave
from array import array
from pathlib import Path

_RATE = 16_000
TARGET = "550fae72-d251-43ec-868c-373732c2704f"
TEXT = f"""
from shared import calls
from shared.calls import Bot

URL = "https://cdn.contoso.com/quick/{{}}.wav"
TARGET = calls.user("{TARGET}")
bot = Bot()


def ask(state, prompt="ask"):
    state["turn"] = state.get("turn", 0) + 1
    if state["turn"] > 3:
        return calls.hang_up()
    urls = (URL.format(prompt), URL.format("silence-1s"))
    return calls.play_prompt(*urls, client_context=str(state["turn"]))


@bot.established
def start(event, state):
    return [calls.subscribe_to_tone(), ask(state)]


@bot.tone("1")
def transfer(event, state):
    state["turn"] = 9
    return [calls.cancel_media_processing(), calls.transfer(TARGET)]


@bot.tone("2")
def record(event, state):
    state["turn"] = 9
    stop = calls.cancel_media_processing()
    return [stop, calls.record_response(max_record_duration_in_seconds=60)]


@bot.tone("3")
def fail(event, state):
    raise KeyError("nothing")


@bot.tone
def wrong(event, state):
    return [calls.cancel_media_processing(), ask(state, "wrong")]


@bot.operation_completed("playPrompt", client_context="bye")
@bot.operation_completed("record")
def end(event):
    return None if event.is_cancelled else calls.hang_up()


@bot.operation_completed("playPrompt")
def silent(event, state):
    if event.is_cancelled or event.client_context != str(state.get("turn")):
        return None
    return ask(state)


@bot.transfer_failed
@bot.failed
def apologise(event):
    return calls.play_prompt(URL.format("sorry"), client_context="bye")
"""
WORDS = {"ask": "Press a key.", "wrong": "That was wrong.", "sorry": "Sorry."}


def write_bot(folder: Path) -> Path:
    """Write the bot and its prompts, each a tone; return its file."""
    (folder / "prompts").mkdir()
    for name in WORDS:
        # The question is so long that a slow machine can answer before its end.
        seconds = 3.0 if name == "ask" else 0.7
        write_tone(folder / "prompts" / f"{name}.wav", seconds)
    lines = [f"{name} (en): {text}" for name, text in WORDS.items()]
    (folder / "prompts" / "texts.txt").write_text("\n".join(lines))
    file = folder / "quick.py"
    file.write_text(TEXT)
    return file


def write_tone(path: Path, seconds: float) -> Path:
    """Write a wav of a tone."""
    count = int(_RATE * seconds)
    samples = (round(8000 * math.sin(at / 8)) for at in range(count))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(array("h", samples).tobytes())
    return path
