"""The settings of partitions and their instances, and of how to deliver to them."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from shared.core.guids import is_guid
from shared.core.hosts import host_identity, is_host, is_local
from shared.core.instances import Instance, is_service_bus
from shared.core.partitions import is_partition_name
from shared.setting_reader import SettingReader, is_https_url

_PARTITIONS = "CALLING_PARTITIONS"
_DELIVERY = "CALLING_DELIVERY"
_AUDIENCE = "CALLING_DELIVERY_AUDIENCE"
_INSTANCE_MEMBERS = {"url", "draining"}
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+")


class DeliverySettings(NamedTuple):
    """Which partitions there are, and how their notifications reach them.

    Attributes:
        partitions: their names.
        instances: by partition; empty where handlers of the bot take their place.
        is_direct: the platform posts to the instances itself.
        audience: of the token for them; empty: the platform's own goes on.
    """

    partitions: tuple[str, ...] = ()
    instances: Mapping[str, Instance] = MappingProxyType({})
    is_direct: bool = False
    audience: str = ""


def read_delivery(reader: SettingReader, own_hosts: list[str]) -> DeliverySettings:
    """Read the partitions and their instances, which are on none of ``own_hosts``."""
    instances: Mapping[str, Instance] = {}
    if reader.text(_PARTITIONS).startswith("{"):
        instances = _read_instances(reader, own_hosts)
        partitions = tuple(instances)
    else:
        partitions = _read_names(reader)
    way = reader.choice(_DELIVERY, ("forward", "direct"), default="forward")
    audience = _read_audience(reader)
    is_direct = way == "direct"
    if is_direct and not instances:
        reader.note(_DELIVERY, "is direct, but no partition has a URL.")
    if is_direct and audience:
        reader.note(_AUDIENCE, "is of no use while CALLING_DELIVERY is direct.")
    if not audience and any(is_service_bus(each.url) for each in instances.values()):
        reader.note(_AUDIENCE, "is required to deliver to Service Bus.")
    hosts = [urlsplit(each.url).netloc for each in instances.values() if each.url]
    if is_direct and any(map(is_local, hosts)):
        reader.warn(_PARTITIONS, "names a host that the platform cannot reach.")
    return DeliverySettings(partitions, instances, is_direct, audience)


def _read_names(reader: SettingReader) -> tuple[str, ...]:
    what = "list of names or object of names and URLs"
    names = reader.json(_PARTITIONS, list, what) or []
    texts = [text for text in names if type(text) is str]
    if not all(map(is_partition_name, texts)) or len(texts) < len(names):
        reader.note(_PARTITIONS, "has an ill-formed name.")
    if len(set(texts)) < len(texts):
        reader.note(_PARTITIONS, "has a name twice.")
    return tuple(texts)


def _read_instances(
    reader: SettingReader, own_hosts: list[str]
) -> Mapping[str, Instance]:
    what = "list of names or object of names and URLs"
    entries = reader.json(_PARTITIONS, dict, what) or {}
    if not all(map(is_partition_name, entries)):
        reader.note(_PARTITIONS, "has an ill-formed name.")
    own = {host_identity(host) for host in own_hosts if is_host(host)}
    read: dict[str, Instance] = {}
    for position, (name, entry) in enumerate(entries.items(), start=1):
        instance = _instance_of(entry)
        problems = [*_instance_problems(instance, own)]
        for problem in problems:
            reader.note(_PARTITIONS, f"entry {position} {problem}.")
        read[name] = instance or Instance("")
        if problems:
            # What is no URL may not even be taken apart.
            read[name] = read[name]._replace(url="")
    if read and all(instance.is_draining for instance in read.values()):
        reader.note(_PARTITIONS, "leaves no partition for new calls: all are draining.")
    return read


def _instance_of(entry: Any) -> Instance | None:  # noqa: ANN401 - any JSON
    """Read a URL, or an object with one; ``None`` if it is neither."""
    if type(entry) is str:
        return Instance(entry)
    if type(entry) is not dict or not entry.keys() <= _INSTANCE_MEMBERS:
        return None
    url, is_draining = entry.get("url"), entry.get("draining", False)
    if type(url) is not str or type(is_draining) is not bool:
        return None
    return Instance(url, is_draining)


def _instance_problems(
    instance: Instance | None, own_hosts: set[tuple[str, int]]
) -> Iterator[str]:
    if instance is None:
        yield "must be a URL, or an object with url and draining"
    elif not is_https_url(instance.url):
        yield "must be an https URL without user info, query and fragment"
    elif host_identity(urlsplit(instance.url).netloc) in own_hosts:
        yield "is on a host of this product itself"


def _read_audience(reader: SettingReader) -> str:
    audience = reader.text(_AUDIENCE)
    if audience and not (is_guid(audience) or _ABSOLUTE_URI.fullmatch(audience)):
        reader.note(_AUDIENCE, "must be an absolute URI or a GUID.")
        return ""
    return audience
