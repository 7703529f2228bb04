"""The conditions of region rules: the name, and where the value of a call comes from.

Microsoft's words: "Redirects for region affinity",
https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from shared.core.notifications import CallNotification


class Origin(NamedTuple):
    """Where a call comes from: all that a condition may look at.

    Attributes:
        tenant_id: of the token, not of the payload.
        headers: of the POST.
    """

    call: CallNotification
    tenant_id: str
    headers: Mapping[str, str]


class Condition(NamedTuple):
    """One condition.

    Attributes:
        name: in CALLING_REGION_RULES.
        source: of its values, in the words of docs/behaviour.md.
        read: returns the values; none where the call does not say.
    """

    name: str
    source: str
    read: Callable[[Origin], tuple[str, ...]]


type Facts = Mapping[str, tuple[str, ...]]


def _single(
    read: Callable[[Origin], str | None],
) -> Callable[[Origin], tuple[str, ...]]:
    """Read a fact that has one value at most."""

    def read_values(origin: Origin) -> tuple[str, ...]:
        value = read(origin)
        return (value,) if value else ()

    return read_values


CONDITIONS = (
    Condition("tenant", "tid of the token", _single(lambda origin: origin.tenant_id)),
    Condition(
        "countryCode",
        "resourceData.source.countryCode",
        _single(lambda origin: origin.call.country_code),
    ),
    Condition(
        "sourceRegion",
        "resourceData.source.region",
        _single(lambda origin: origin.call.source_region),
    ),
    Condition(
        "mediaHostedRegion",
        "resourceData.applicationMetadata.botData.mediaHostedRegion",
        _single(lambda origin: origin.call.media_hosted_region),
    ),
    Condition(
        "callerRegion",
        "header X-Microsoft-Skype-Caller-Region",
        _single(lambda origin: origin.headers.get("x-microsoft-skype-caller-region")),
    ),
    Condition(
        "teamsRegion",
        "header MS-Teams-Region",
        _single(lambda origin: origin.headers.get("ms-teams-region")),
    ),
    Condition(
        "clientLocation",
        "clientLocation in resourceData.applicationMetadata.botData: of user, "
        "otherwise of otherSideUser, otherwise its own",
        _single(lambda origin: origin.call.client_location),
    ),
    Condition(
        "callee",
        "id (of a phone: the number) of each user, application, applicationInstance "
        "and phone in resourceData.targets",
        lambda origin: origin.call.callees,
    ),
)
CONDITION_NAMES = tuple(condition.name for condition in CONDITIONS)


def read_facts(origin: Origin, conditions: Iterable[Condition] = CONDITIONS) -> Facts:
    """Return the values that ``conditions`` look at, by their names."""
    return {condition.name: condition.read(origin) for condition in conditions}
