"""People of a call: who calls, who is called, who takes part, and how Graph says it.

https://learn.microsoft.com/graph/api/resources/participantinfo. Read tolerantly: what
an item does not say, or says in another type, is ``None``.
"""

import re
from dataclasses import dataclass, field

from shared.core.guids import is_guid
from shared.core.strict_json import JsonObject

# Identities that calls can be sent to. An identity set may hold several; the first of
# these names the person.
_KINDS = ("user", "application", "applicationInstance", "phone")
_PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person, a bot or a telephone.

    Attributes:
        kind: ``user``, ``application`` (a bot), ``applicationInstance`` (a resource
            account), ``phone``; also others of Graph's, such as ``encrypted``, where
            the app has no permission to know who calls.
        id: an object ID of Entra; of a phone, its number.
        display_name: as Teams shows it.
        tenant_id: of the identity.
        country_code: where the person probably is, such as ``DE`` (ISO 3166-1).
        region: where the person is at home, such as ``emea``.
        language_id: such as ``en-US``.
    """

    kind: str | None = None
    id: str | None = None
    display_name: str | None = None
    tenant_id: str | None = None
    country_code: str | None = None
    region: str | None = None
    language_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Participant(Person):
    """One of those in a call.

    Attributes:
        participant_id: within this call.
        is_in_lobby: waits to be let in.
        is_muted: is muted.
        raw: the whole participant, as Graph sent it.
    """

    participant_id: str | None = None
    is_in_lobby: bool = False
    is_muted: bool = False
    raw: JsonObject = field(default_factory=dict, repr=False)


def user(id: str) -> Person:  # noqa: A002 - Graph's word
    """Name a user of Teams by the object ID, a GUID.

    Raises:
        ValueError: it is no GUID.
    """
    return _person("user", id)


def application(id: str) -> Person:  # noqa: A002 - Graph's word
    """Name a bot by its application (client) ID, a GUID.

    Raises:
        ValueError: it is no GUID.
    """
    return _person("application", id)


def application_instance(id: str) -> Person:  # noqa: A002 - Graph's word
    """Name a resource account, such as a call queue's, by its object ID, a GUID.

    Raises:
        ValueError: it is no GUID.
    """
    return _person("applicationInstance", id)


def phone(number: str) -> Person:
    """Name a telephone by its number in the form of E.164, such as ``+12065550100``.

    Raises:
        ValueError: it has another form.
    """
    return _person("phone", number)


def _person(kind: str, value: str) -> Person:
    if not _is_reachable(kind, value):
        what = "a number such as +12065550100" if kind == "phone" else "a GUID"
        message = f"The id of kind {kind} must be {what}."
        raise ValueError(message)
    return Person(kind=kind, id=value)


def _is_reachable(kind: object, value: object) -> bool:
    if type(value) is not str or kind not in _KINDS:
        return False
    return bool(_PHONE_NUMBER.fullmatch(value)) if kind == "phone" else is_guid(value)


def write_person(person: object, graph_type: str) -> object:
    """Return a person as Graph takes it: a ``participantInfo`` or a type made from it.

    Anything but a person is returned as it is, for ``is_person`` to refuse.
    """
    if not isinstance(person, Person):
        return person
    identity = {"@odata.type": "#microsoft.graph.identity", "id": person.id}
    info: JsonObject = {
        "@odata.type": f"#microsoft.graph.{graph_type}",
        "identity": {
            "@odata.type": "#microsoft.graph.identitySet",
            str(person.kind): identity,
        },
    }
    if isinstance(person, Participant) and person.participant_id:
        info["participantId"] = person.participant_id
    return info


def is_person(info: object) -> bool:
    """Tell whether Graph can send a call to what ``write_person`` returned."""
    person = read_person(info)
    return _is_reachable(person.kind, person.id)


def read_person(info: object) -> Person:
    """Read a ``participantInfo``, whatever it is."""
    return Person(**_read_members(info))


def read_participants(data: object) -> list[Participant]:
    """Read a roster: a list, a ``deltaParticipants``, or one participant.

    https://learn.microsoft.com/graph/api/resources/deltaparticipants
    """
    if type(data) is dict:
        data = data.get("participants", [data])
    if type(data) is not list:
        return []
    return [
        Participant(
            **_read_members(member.get("info")),
            participant_id=text(member.get("id")),
            is_in_lobby=member.get("isInLobby") is True,
            is_muted=member.get("isMuted") is True,
            raw=member,
        )
        for member in data
        if type(member) is dict
    ]


def _read_members(info: object) -> dict[str, str | None]:
    members = info if type(info) is dict else {}
    kind, identity = _read_identity(members.get("identity"))
    return {
        "kind": kind,
        "id": text(identity.get("id")),
        "display_name": text(identity.get("displayName")),
        "tenant_id": text(identity.get("tenantId")),
        "country_code": text(members.get("countryCode")),
        "region": text(members.get("region")),
        "language_id": text(members.get("languageId")),
    }


def _read_identity(identity_set: object) -> tuple[str | None, JsonObject]:
    """Return kind and identity; Graph writes ``null`` for kinds that do not apply."""
    members = identity_set if type(identity_set) is dict else {}
    for kind in (*_KINDS, *members):
        identity = members.get(kind)
        if type(identity) is dict:
            return kind, identity
    return None, {}


def text(value: object) -> str | None:
    """Return a text that is not empty; anything else counts as missing."""
    return value if type(value) is str and value else None
