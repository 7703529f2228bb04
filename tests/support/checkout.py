"""The checkout: where it is, and what its files say."""

import json
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]


def read_text(name: str) -> str:
    """Return the text of a file of the checkout."""
    return (CHECKOUT / name).read_text("utf-8")


def read_json(name: str) -> Any:
    """Return what a JSON file of the checkout says."""
    return json.loads(read_text(name))
