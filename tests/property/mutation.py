"""Good shapes with a few things changed: the mutations that fuzzing is made of.

Everything is drawn from a ``Random``: hypothesis's own in tests, which shrinks.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from random import Random
from typing import Any

type Json = Any
type Edit = tuple[str, int, str]

_TRICKY = (
    "", " ", "\x00", "\n", "\r\nX: y", "\t", "\u2028", "\u202e", "\x1b[2J", "\ud800",
    "\ufeff", "\u017f", "\u212a", "\u0130", "\u0131", "\xdf", "\uff0f", "\uff0e", "%00",
    "%2f..", "../..", "//evil.example", "/", "?", "#", "@", ":", ",", ";", "=", "==",
    "&hop=1", "hop", ".", "..", '"', "'", "\\", "{}", "[]", "{", "[[[[", '{"a":', "NaN",
    "-0", "1e400", "null", "true", "$(id)", "' OR 1=1", "<script>", "None", "a" * 65,
    "a" * 257, "9" * 5000, "none", "Bearer ", "eyJhbGciOiJub25lIn0", "AAAA", "_", "-",
)  # fmt: skip
_ODD: tuple[Json, ...] = (
    None, True, False, 0, 1, -1, 0.0, 1.5, 2**31, 2**40, 2**63, 10**400, float("inf"),
    float("nan"), [], {}, [[]], [{}], {"": None}, [None], {"a": {"a": {"a": 1}}},
)  # fmt: skip
_ALPHABETS = (range(0x20, 0x7F), range(0x100), range(0x2000), range(0x110000))
_PLACES = 2**16


def any_text(random: Random) -> str:
    """Make a tricky text, or any."""
    if random.random() < 0.7:
        return random.choice(_TRICKY)
    alphabet = random.choice(_ALPHABETS)
    return "".join(chr(random.choice(alphabet)) for _ in range(random.randrange(12)))


def any_value(random: Random, likely: Sequence[Json]) -> Json:
    """Make a value: one that is likely to matter, an odd one, or a text."""
    match random.randrange(4):
        case 0 | 1:
            return deepcopy(random.choice(likely))
        case 2:
            return deepcopy(random.choice(_ODD))
        case _:
            return any_text(random)


def any_edits(random: Random) -> list[Edit]:
    """Make a few edits of a text."""
    kinds = ("replace", "insert", "delete", "repeat", "swap case", "cut")
    noises = 'AQgw.-_=0aZ{}[]",: '
    return [
        (
            random.choice(kinds),
            random.randrange(_PLACES),
            any_text(random) if random.random() < 0.5 else random.choice(noises),
        )
        for _ in range(random.randrange(1, 4))
    ]


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Apply edits to a text, each at its position modulo the length."""
    for kind, position, noise in edits:
        at = position % (len(text) + 1)
        match kind:
            case "replace":
                text = text[:at] + noise + text[at + len(noise) :]
            case "insert":
                text = text[:at] + noise + text[at:]
            case "delete":
                text = text[:at] + text[at + max(len(noise), 1) :]
            case "repeat":
                text = text[:at] + text[at // 2 :]
            case "swap case":
                text = text[:at] + text[at : at + 1].swapcase() + text[at + 1 :]
            case _:
                text = text[:at]
    return text


def _places(document: Json) -> list[tuple[Json, Any]]:
    """List every place in a document as its container and key."""
    found: list[tuple[Json, Any]] = []
    pending = [document]
    while pending:
        container = pending.pop()
        for key in container if isinstance(container, dict) else range(len(container)):
            found.append((container, key))
            if isinstance(container[key], dict | list):
                pending.append(container[key])
    return found


def _change(random: Random, document: Json, likely: Sequence[Json]) -> None:
    """Change one place: another value, gone, renamed, wrapped, copied."""
    places = _places(document)
    if not places:
        return
    container, key = random.choice(places)
    match random.randrange(8):
        case 0:
            del container[key]
        case 1:
            container[key] = [container[key]]
        case 2 if isinstance(container, dict):
            container[any_text(random)] = container.pop(key)
        case 3 if isinstance(container, list):
            container.append(deepcopy(container[key]))
        case _:
            container[key] = any_value(random, likely)


def mutated(random: Random, documents: Sequence[str], likely: Sequence[Json]) -> str:
    """Make a JSON text: a document changed in its tree, sometimes in its text, too."""
    document = json.loads(random.choice(documents))
    for _ in range(random.randrange(4)):
        _change(random, document, likely)
    text = json.dumps(document, ensure_ascii=random.random() < 0.5)
    return edited(text, any_edits(random)) if random.random() < 0.15 else text
