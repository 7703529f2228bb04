"""Members of actions' bodies: how arguments become them, and what Graph takes.

Writers turn what a bot gives into Graph's shape and leave what they cannot read as it
is. A ``Member`` then judges the shape, so that one rule holds however it was made.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from shared.core.call_ids import is_call_id
from shared.core.events import TONES
from shared.core.hosts import is_host
from shared.core.people import is_person, write_person
from shared.core.strict_json import JsonObject

_MAX_CONTEXT = 256
_MAX_INT32 = 2**31 - 1
_URL = re.compile(r"https://[!-~]+", re.ASCII | re.IGNORECASE)
_GRAPH_TONES = {*TONES.values(), "flash"}
_PEOPLE = "made by user(), application(), application_instance() or phone()"


class Member(NamedTuple):
    """What Graph takes as one member of a body.

    Attributes:
        argument: of the function that a bot calls, for the sentence of an error.
        must_be: the end of that sentence.
        is_right: judges a value.
        is_required: Graph refuses a body without it.
    """

    argument: str
    must_be: str
    is_right: Callable[[object], bool]
    is_required: bool = False


def text(argument: str, most: int = _MAX_CONTEXT) -> Member:
    """Take a text of bounded length."""
    return Member(
        argument,
        f"a text of at most {most} characters",
        lambda value: isinstance(value, str) and len(value) <= most,
    )


def boolean(argument: str) -> Member:
    """Take true or false."""
    return Member(argument, "True or False", lambda value: type(value) is bool)


def whole_number(argument: str, least: int, most: int = _MAX_INT32) -> Member:
    """Take an Int32 within bounds."""
    return Member(
        argument,
        f"a whole number from {least} to {most}",
        lambda value: type(value) is int and least <= value <= most,
    )


def one_of(argument: str, *words: str, is_required: bool = False) -> Member:
    """Take one of Graph's words."""
    listed = ", ".join(repr(word) for word in words)
    return Member(
        argument,
        f"one of {listed}" if len(words) > 1 else listed,
        lambda value: isinstance(value, str) and value in words,
        is_required,
    )


def url(argument: str, *, is_required: bool = False) -> Member:
    """Take an absolute https URL."""
    return Member(argument, "an absolute https URL", is_https_url, is_required)


def some(
    argument: str,
    what: str,
    is_right: Callable[[object], bool],
    most: int,
    *,
    is_required: bool = False,
) -> Member:
    """Take a list of 1 to ``most``."""
    return Member(
        argument,
        f"1 to {most} {what}" if most > 1 else f"one of {what}",
        lambda value: (
            isinstance(value, list)
            and 1 <= len(value) <= most
            and all(is_right(each) for each in value)
        ),
        is_required,
    )


def prompts(argument: str, most: int, *, is_required: bool = False) -> Member:
    """Take what ``write_prompts`` writes."""
    what = "absolute https URLs"
    return some(argument, what, _is_prompt, most, is_required=is_required)


def people(argument: str, most: int) -> Member:
    """Take what ``write_invited`` writes."""
    what = f"people {_PEOPLE}, with replaces_call_id the id of a call"
    return some(argument, what, _is_invited, most, is_required=True)


def person(argument: str, *, is_required: bool = False) -> Member:
    """Take one of them."""
    what = f"a person {_PEOPLE}, with replaces_call_id the id of a call"
    return Member(argument, what, _is_invited, is_required)


def tones(argument: str) -> Member:
    """Take what ``write_tones`` writes."""
    return Member(
        argument, f"telephone keys: {''.join(TONES)}", _is_tones, is_required=True
    )


def keys(argument: str) -> Member:
    """Take telephone keys as such."""
    return Member(
        argument,
        f"telephone keys: {''.join(TONES)}",
        lambda value: (
            isinstance(value, list)
            and bool(value)
            and all(isinstance(key, str) and key in TONES for key in value)
        ),
    )


def modalities(argument: str) -> Member:
    """Take what Graph may send of a call."""
    words = ("audio", "video", "videoBasedScreenSharing")
    return some(argument, f"of {words}", words.__contains__, 3, is_required=True)


def media_config(argument: str) -> Member:
    """Take what ``write_media_config`` writes; app-hosted media, too, from others."""
    return Member(argument, "absolute https URLs", _is_media_config, is_required=True)


def is_https_url(value: object) -> bool:
    """Tell whether it is an absolute https URL, which may have a query."""
    if not isinstance(value, str) or not _URL.fullmatch(value):
        return False
    try:
        return is_host(urlsplit(value).netloc)
    except ValueError:
        return False


def write_list(values: object) -> object:
    """Return any collection as a list; a text is none."""
    is_collection = isinstance(values, Iterable) and not isinstance(values, str)
    return [*values] if is_collection else values  # type: ignore[misc]


def write_media(urls: object) -> object:
    """Return ``mediaInfo`` of each URL, with an id that is always the same for it.

    https://learn.microsoft.com/graph/api/resources/mediainfo
    """
    listed = write_list(urls)
    return [_media(each) for each in listed] if isinstance(listed, list) else listed


def write_media_config(urls: object) -> JsonObject:
    """Return the only media that is not tied to .NET: Microsoft plays and records.

    https://learn.microsoft.com/graph/api/resources/servicehostedmediaconfig
    """
    return {
        "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
        "preFetchMedia": write_media(urls),
    }


def write_prompts(urls: Sequence[str]) -> list[JsonObject] | None:
    """Return prompts; ``None`` without any.

    https://learn.microsoft.com/graph/api/resources/mediaprompt
    """
    return [
        {
            "@odata.type": "#microsoft.graph.mediaPrompt",
            "mediaInfo": {"@odata.type": "#microsoft.graph.mediaInfo", **_media(each)},
        }
        for each in urls
    ] or None


def write_invited(who: object, replaces_call_id: str | None = None) -> object:
    """Return whom a call is to reach.

    https://learn.microsoft.com/graph/api/resources/invitationparticipantinfo
    """
    info = write_person(who, "invitationParticipantInfo")
    if isinstance(info, dict) and replaces_call_id is not None:
        return {**info, "replacesCallId": replaces_call_id}
    return info


def write_keys(pressed: object) -> object:
    """Return keys one by one, letters as on a telephone."""
    listed = [*pressed] if isinstance(pressed, str) else write_list(pressed)
    if not isinstance(listed, list):
        return listed
    return [key.upper() if isinstance(key, str) else key for key in listed]


def write_tones(pressed: object) -> object:
    """Return Graph's words for keys; ``None`` for what is no key."""
    listed = write_keys(pressed)
    if not isinstance(listed, list):
        return listed
    return [TONES.get(key) if isinstance(key, str) else None for key in listed]


def _media(address: object) -> JsonObject:
    if not isinstance(address, str):
        return {"uri": address}
    return {"uri": address, "resourceId": str(uuid5(NAMESPACE_URL, address))}


def is_object(value: object) -> bool:
    """Tell whether it is an object of JSON."""
    return isinstance(value, dict)


def _is_media(value: object) -> bool:
    return isinstance(value, dict) and is_https_url(value.get("uri"))


def _is_prompt(value: object) -> bool:
    return isinstance(value, dict) and _is_media(value.get("mediaInfo"))


def _is_media_config(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    fetched = value.get("preFetchMedia", [])
    return isinstance(fetched, list) and all(_is_media(each) for each in fetched)


def _is_invited(value: object) -> bool:
    if not isinstance(value, dict) or not is_person(value):
        return False
    replaced = value.get("replacesCallId")
    return replaced is None or (isinstance(replaced, str) and is_call_id(replaced))


def _is_tones(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(tone, str) and tone in _GRAPH_TONES for tone in value)
    )
