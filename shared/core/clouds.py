"""The clouds in which Teams calling exists, and the addresses of each.

https://learn.microsoft.com/graph/deployments; answering a call is documented for
the global service, US Government L4 (GCC High) and L5 (DoD), not for China.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Cloud(NamedTuple):
    """The defaults of one cloud; ``None`` or empty: there is none, it must be set.

    Attributes:
        openid_configuration_url: OpenID configuration of the calling platform.
        metadata_issuer: the ``issuer`` that this document must name.
        issuers: accepted ``iss`` claims.
        login_url: Microsoft Entra authority.
        graph_url: Microsoft Graph with its version.
        federation_audience: what a federated credential expects as audience, see
            https://learn.microsoft.com/graph/api/resources/federatedidentitycredentials-overview
    """

    openid_configuration_url: str | None
    metadata_issuer: str | None
    issuers: tuple[str, ...]
    login_url: str
    graph_url: str
    federation_audience: str


CLOUDS: Mapping[str, Cloud] = MappingProxyType(
    {
        "public": Cloud(
            openid_configuration_url=(
                "https://api.aps.skype.com/v1/.well-known/OpenIdConfiguration"
            ),
            metadata_issuer="https://api.botframework.com",
            issuers=("https://api.botframework.com", "https://graph.microsoft.com"),
            login_url="https://login.microsoftonline.com",
            graph_url="https://graph.microsoft.com/v1.0",
            federation_audience="api://AzureADTokenExchange",
        ),
        # Reported, not verified; tokens had a trailing slash in their issuer:
        # https://github.com/microsoftgraph/microsoft-graph-comms-samples/issues/865
        "gcc-high": Cloud(
            openid_configuration_url=(
                "https://apigcch.botframework.azure.us/v1/.well-known/OpenIdConfiguration"
            ),
            metadata_issuer="https://api.botframework.us",
            issuers=(
                "https://api.botframework.us",
                "https://api.botframework.com",
                "https://api.botframework.com/",
                "https://graph.microsoft.us",
            ),
            login_url="https://login.microsoftonline.us",
            graph_url="https://graph.microsoft.us/v1.0",
            federation_audience="api://AzureADTokenExchangeUSGov",
        ),
        "dod": Cloud(
            openid_configuration_url=None,
            metadata_issuer=None,
            issuers=(),
            login_url="https://login.microsoftonline.us",
            graph_url="https://dod-graph.microsoft.us/v1.0",
            federation_audience="api://AzureADTokenExchangeUSGov",
        ),
    }
)

# Where instance discovery makes sense: Microsoft's own login hosts.
# https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
MICROSOFT_LOGIN_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.microsoft.com",
        "login.windows.net",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
    }
)
