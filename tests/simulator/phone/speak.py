"""``python -m tests.simulator.phone.speak FOLDER``: wavs of the prompts in texts.txt.

espeak-ng (Debian: apt-get install espeak-ng) speaks; the wavs are what Graph takes:
mono, 16 bit, 16 kHz.
"""

import io
import shutil
import subprocess
import sys
import wave
from array import array
from pathlib import Path

from tests.simulator.phone.prompts import TEXTS, Prompt, read_texts

_RATE = 16_000
_WORDS_PER_MINUTE = "185"
# Quieter than this is no speech.
_QUIET = 250


def speak(prompt: Prompt, folder: Path) -> Path:
    """Write the wav of a prompt; return its path."""
    finished = subprocess.run(
        ["espeak-ng", "-v", prompt.language, "-s", _WORDS_PER_MINUTE, "--stdout"],  # noqa: S607 - of the system
        input=prompt.text.encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    path = folder / f"{prompt.name}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(_resampled(finished.stdout).tobytes())
    return path


def _resampled(wav: bytes) -> array[int]:
    """Return the samples at 16 kHz, without the silence at both ends."""
    with wave.open(io.BytesIO(_with_length(wav)), "rb") as spoken:
        rate = spoken.getframerate()
        samples = array("h", spoken.readframes(spoken.getnframes()))
    loud = [at for at, sample in enumerate(samples) if abs(sample) > _QUIET]
    samples = samples[loud[0] : loud[-1] + rate // 20] if loud else samples
    step = rate / _RATE
    places = (number * step for number in range(int((len(samples) - 1) / step)))
    return array("h", (_between(samples, place) for place in places))


def _between(samples: array[int], place: float) -> int:
    at = int(place)
    return round(samples[at] + (samples[at + 1] - samples[at]) * (place - at))


def _with_length(wav: bytes) -> bytes:
    """Put in how long it is: who writes to a pipe does not know that at the start."""
    riff = (len(wav) - 8).to_bytes(4, "little")
    data = (len(wav) - 44).to_bytes(4, "little")
    return wav[:4] + riff + wav[8:40] + data + wav[44:]


def main() -> int:
    """Make the wavs of the folders that the command line names."""
    if shutil.which("espeak-ng") is None:
        print("speak: espeak-ng is not installed.", file=sys.stderr)
        return 2
    for folder in map(Path, sys.argv[1:]):
        for prompt in read_texts(folder / TEXTS).values():
            print(speak(prompt, folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
