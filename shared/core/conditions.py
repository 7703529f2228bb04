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
        source: of its value, in the words of docs/behaviour.md.
        read: returns the value; ``None`` where the call has none.
    """

    name: str
    source: str
    read: Callable[[Origin], str | None]


CONDITIONS = (
    Condition("tenant", "tid of the token", lambda origin: origin.tenant_id),
    Condition(
        "countryCode",
        "resourceData.source.countryCode",
        lambda origin: origin.call.country_code,
    ),
    Condition(
        "sourceRegion",
        "resourceData.source.region",
        lambda origin: origin.call.source_region,
    ),
    Condition(
        "mediaHostedRegion",
        "resourceData.applicationMetadata.botData.mediaHostedRegion",
        lambda origin: origin.call.media_hosted_region,
    ),
    Condition(
        "callerRegion",
        "header X-Microsoft-Skype-Caller-Region",
        lambda origin: origin.headers.get("x-microsoft-skype-caller-region"),
    ),
    Condition(
        "teamsRegion",
        "header MS-Teams-Region",
        lambda origin: origin.headers.get("ms-teams-region"),
    ),
)
CONDITION_NAMES = tuple(condition.name for condition in CONDITIONS)


def read_facts(
    origin: Origin, conditions: Iterable[Condition] = CONDITIONS
) -> dict[str, str | None]:
    """Return what ``conditions`` look at, by their names."""
    return {condition.name: condition.read(origin) for condition in conditions}
