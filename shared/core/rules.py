"""The rules for a POST, in their order, with the replies that end it.

Decisions and refusals carry the rule that made them. The flow chart in README.md is
generated from this table. Model: the numbered checks of python-tuf's
``trusted_metadata_set.py``.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Rule(NamedTuple):
    """One step of the order of work.

    Attributes:
        number: its place, from 1.
        name: one word for it.
        ends: when it ends the request, in a few words, by the status of the reply.
    """

    number: int
    name: str
    ends: Mapping[int, str]


SIZE = Rule(1, "size", {413: "the body is over 1 MiB"})
SETTINGS = Rule(2, "settings", {503: "the settings are unusable"})
TOKEN = Rule(
    3, "token", {401: "the token is not acceptable", 503: "no signing keys are held"}
)
SENDER = Rule(
    4,
    "sender",
    {403: "the tenant is not allowed", 404: "the partition's name is illegal"},
)
BODY = Rule(
    5,
    "body",
    {
        400: "the body is not strict JSON of a known shape",
        411: "the host handed over an empty body for Transfer-Encoding",
    },
)
LEGACY = Rule(6, "legacy", {204: "it is in the legacy protocol: send it in Graph's"})
REDIRECT = Rule(7, "redirect", {302: "its calls all belong to one other region"})
ANSWER = Rule(
    8,
    "answer",
    {
        202: "it is an incoming call that is taken here",
        503: "Graph cannot be asked, or a strict rule bars this region",
    },
)
ACCEPT = Rule(
    9,
    "accept",
    {
        200: "the bot or its instance replies to a participant who joins",
        202: "it is any other notification",
        503: "its instance did not take it",
    },
)

RULES = (SIZE, SETTINGS, TOKEN, SENDER, BODY, LEGACY, REDIRECT, ANSWER, ACCEPT)
