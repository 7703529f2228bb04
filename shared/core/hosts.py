"""Host names in settings: their form, and which of them may be used for what."""

import re
from ipaddress import ip_address

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(
    rf"(?=.{{1,253}}(?::|\Z))({_LABEL}(?:\.{_LABEL})*)(?::([0-9]{{1,5}}))?"
)
_HTTPS_PORT = 443
_MAX_PORT = 65535
# Azure's and Azure Government's:
# https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure
_TRAFFIC_MANAGER_DOMAINS = ("trafficmanager.net", "usgovtrafficmanager.net")


def is_host(value: str) -> bool:
    """Tell whether ``value`` is ``host`` or ``host:port``."""
    match = _HOST.fullmatch(value)
    return match is not None and (match[2] is None or 1 <= int(match[2]) <= _MAX_PORT)


def host_identity(host: str) -> tuple[str, int]:
    """Return what two spellings of the same host have in common: name and port."""
    name, _, port = host.partition(":")
    return name.lower(), int(port or _HTTPS_PORT)


def is_local(host: str) -> bool:
    """Tell whether only this machine or its own network can reach ``host``.

    That is localhost, a loopback or private address, or a name without a dot. An
    address in another form, such as ``127.1``, counts as well: no public name ends in
    a number.
    """
    name, _port = host_identity(host)
    try:
        return not ip_address(name).is_global
    except ValueError:
        return (
            "." not in name
            or name.endswith(".localhost")
            or name.rpartition(".")[2].isdigit()
        )


def is_under_traffic_manager(host: str) -> bool:
    """Tell whether the name is Traffic Manager's, whatever the port."""
    name, _port = host_identity(host)
    return any(
        name == domain or name.endswith(f".{domain}")
        for domain in _TRAFFIC_MANAGER_DOMAINS
    )
