"""Reading single settings: each method takes a name and returns a value of its type.

What is wrong is noted as a problem, by name and never by value, and replaced by
something harmless, so that reading goes on and all problems are found together.
"""

import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm

from shared.core.clouds import CLOUDS, Cloud
from shared.core.guids import is_guid
from shared.core.hosts import is_host
from shared.core.strict_json import StrictJsonError, read_value

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_URL = re.compile(r"https://[\x21-\x7e]+")
# A container, below the name of its account where that is no part of the host:
# https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
_CONTAINER_PATH = re.compile(r"(?:/[a-z0-9][a-z0-9-]{2,62}){1,2}/?")
_DIGITS = re.compile(r"[0-9]{1,9}")
# What Functions leaves as the value where it could not get the secret:
# https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
_KEY_VAULT_REFERENCE = "@microsoft.keyvault("


class SettingReader:
    """Reads settings from a mapping and collects ``problems`` and ``warnings``."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read from ``environ``, usually ``os.environ``."""
        self._environ = environ
        self._unresolved: set[str] = set()
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def note(self, name: str, sentence: str) -> None:
        """Note a problem; ``sentence`` must not contain a value."""
        # What else is wrong with a reference says nothing about the value.
        if name not in self._unresolved:
            self.problems.append(f"{name}: {sentence}")

    def warn(self, name: str, sentence: str) -> None:
        """Note what looks wrong, but does not make the settings unusable."""
        self.warnings.append(f"{name}: {sentence}")

    def text(self, name: str) -> str:
        """Return the trimmed text; empty or blank counts as absent."""
        value = self._environ.get(name, "").strip()
        if value.lower().startswith(_KEY_VAULT_REFERENCE):
            self.note(name, "is a Key Vault reference that was not resolved.")
            self._unresolved.add(name)
        return value

    def choice(self, name: str, choices: Iterable[str], *, default: str) -> str:
        """Return one of ``choices``."""
        value = self.text(name) or default
        if value in choices:
            return value
        self.note(name, f"must be one of {', '.join(choices)}.")
        return default

    def cloud(self, name: str) -> Cloud:
        """Return the cloud, which gives other settings their defaults."""
        return CLOUDS[self.choice(name, tuple(CLOUDS), default="public")]

    def boolean(self, name: str, *, default: bool) -> bool:
        """Return ``true`` or ``false``, in any case."""
        value = self.text(name).lower()
        if value in {"", "true", "false"}:
            return default if not value else value == "true"
        self.note(name, "must be true or false.")
        return default

    def integer(self, name: str, *, default: int, allowed: range) -> int:
        """Return a whole number within ``allowed``."""
        value = self.text(name)
        if not value:
            return default
        if _DIGITS.fullmatch(value) and int(value) in allowed:
            return int(value)
        self.note(name, f"must be a whole number, {allowed.start} to {allowed[-1]}.")
        return default

    def code(self, name: str) -> str:
        """Return the code of a region; empty if absent."""
        value = self.text(name)
        if value and not is_region_code(value):
            self.note(name, "must be letters, digits and hyphens, 32 at most.")
            return ""
        return value

    def host(self, name: str) -> str:
        """Return ``host`` or ``host:port``; empty if absent."""
        value = self.text(name)
        if value and not is_host(value):
            self.note(name, "must be a host name, with or without a port.")
            return ""
        return value

    def guid(self, name: str) -> str:
        """Return a GUID in lower case, as GUIDs have no case; empty if absent."""
        value = self.text(name)
        if value and not is_guid(value):
            self.note(name, "must be a GUID.")
            return ""
        return value.lower()

    def required(self, name: str, why: str) -> str:
        """Return a text that must be there."""
        value = self.text(name)
        if not value:
            self.note(name, f"is required {why}.")
        return value

    def guids(self, name: str) -> list[str]:
        """Return comma-separated GUIDs in lower case."""
        values = self._items(name)
        if not all(map(is_guid, values)):
            self.note(name, "must be GUIDs separated by commas.")
            return []
        return [value.lower() for value in values]

    def url(self, name: str, default: str | None) -> str:
        """Return an https URL."""
        value = self.text(name) or default
        if value is None:
            self.note(name, "is required in this cloud.")
            return ""
        if not is_https_url(value):
            self.note(name, "must be an https URL.")
        return value

    def urls(self, name: str, default: Iterable[str]) -> list[str]:
        """Return comma-separated https URLs, as they are written."""
        values = self._items(name) or list(default)
        if not values:
            self.note(name, "is required in this cloud.")
        if not all(is_https_url(value) for value in values):
            self.note(name, "must be https URLs separated by commas.")
        return values

    def container_url(self, name: str) -> str:
        """Return the https URL of a blob container, without a slash at its end.

        It is empty if absent.
        """
        value = self.text(name)
        if value and not is_container_url(value):
            self.note(
                name,
                "must be the https URL of a blob container, without query, fragment "
                "or user info.",
            )
            return ""
        return value.removesuffix("/")

    def json[T: (dict[str, Any], list[Any])](
        self, name: str, kind: type[T], content: str
    ) -> T | None:
        """Return JSON of one kind, empty if absent; ``None`` if it is no such JSON.

        Args:
            name: of the setting.
            kind: of its JSON.
            content: says in the problem's sentence what is expected.
        """
        value = self.text(name)
        if not value:
            return kind()
        try:
            read = read_value(value.encode("utf-8", "surrogatepass"))
        except StrictJsonError:
            self.note(name, "must be JSON, without duplicate members.")
            return None
        if type(read) is kind:
            return read
        self.note(name, f"must be a JSON {content}.")
        return None

    def authorities_file(self, name: str) -> str:
        """Return the path of a PEM file of certificates; empty if absent."""
        self._pem_file(name, _load_authorities, "certificates")
        return self.text(name)

    def certificate_file(self, name: str) -> float | None:
        """Read a PEM file with a certificate and its private key.

        Returns:
            When the certificate ends, in epoch seconds; ``None`` if it is not usable.
        """
        # 25 ms that only bots with a certificate pay.
        from shared.bot_certificate import end_of_certificate  # noqa: PLC0415

        content = "a certificate and its private RSA key"
        return self._pem_file(name, end_of_certificate, content)

    def _pem_file[T](
        self, name: str, load: Callable[[bytes], T], content: str
    ) -> T | None:
        path = self.text(name)
        if not path:
            return None
        try:
            # pathlib alone would take a tenth of the app's import time.
            with open(path, "rb") as file:  # noqa: PTH123
                return load(file.read())
        except OSError:
            self.note(name, "names a file that cannot be read.")
        except (ValueError, TypeError, UnsupportedAlgorithm):
            self.note(name, f"must name a PEM file with {content}.")
        return None

    def _items(self, name: str) -> list[str]:
        value = self.text(name)
        return [item.strip() for item in value.split(",")] if value else []


def _load_authorities(content: bytes) -> None:
    """Load a PEM file of certificates, as the sessions that trust them do.

    Raises:
        ValueError: it is none.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            # Bundles carry the names of authorities as comments, not all in ASCII.
            cadata=content.decode("ascii", "backslashreplace")
        )
    # An SSLError is an OSError, which would read as if the file were not there.
    except ssl.SSLError as error:
        raise ValueError from error


def is_region_code(value: str) -> bool:
    """Tell whether ``value`` may be the code of a region."""
    return _CODE.fullmatch(value) is not None


def is_https_url(value: str) -> bool:
    """Tell whether ``value`` is an absolute https URL of a host, without odd parts."""
    if not _URL.fullmatch(value):
        return False
    try:
        url = urlsplit(value)
    except ValueError:
        return False
    # An empty query or fragment would swallow what is appended to the URL.
    return is_host(url.netloc) and not {"?", "#"} & set(value)


def is_container_url(value: str) -> bool:
    """Tell whether ``value`` is the https URL of a blob container, and no more."""
    if not is_https_url(value):
        return False
    return _CONTAINER_PATH.fullmatch(urlsplit(value).path) is not None
