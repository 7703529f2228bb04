"""The settings of the credential with which tokens for Graph are acquired."""

from enum import StrEnum
from typing import NamedTuple

from shared.core.clouds import Cloud
from shared.setting_reader import SettingReader


class CredentialKind(StrEnum):
    """How tokens for Graph are got."""

    MANAGED_IDENTITY = "managed-identity"
    CLIENT_SECRET = "client-secret"  # noqa: S105 - the name of a kind, no secret
    CERTIFICATE = "certificate"


class CredentialSettings(NamedTuple):
    """What the chosen kind of credential needs; the rest may be empty."""

    kind: CredentialKind
    app_id: str
    login_url: str
    federation_audience: str
    identity_client_id: str
    app_password: str
    certificate_path: str

    def __repr__(self) -> str:
        """Show the kind only: a secret must not reach a log by accident."""
        return f"CredentialSettings(kind={self.kind.value!r})"


def read_credential(
    reader: SettingReader, cloud: Cloud, *, is_needed: bool
) -> CredentialSettings:
    """Read the credential; what it needs is checked only if calls are answered."""
    kinds = tuple(kind.value for kind in CredentialKind)
    kind = CredentialKind(
        reader.choice(
            "CALLING_CREDENTIAL", kinds, default=CredentialKind.MANAGED_IDENTITY
        )
    )
    credential = CredentialSettings(
        kind=kind,
        app_id=reader.text("MicrosoftAppId"),
        login_url=reader.url("CALLING_LOGIN_URL", cloud.login_url).rstrip("/"),
        federation_audience=cloud.federation_audience,
        identity_client_id=reader.text("CALLING_IDENTITY_CLIENT_ID"),
        app_password=reader.text("MicrosoftAppPassword"),
        certificate_path=reader.text("CALLING_CERTIFICATE_PATH"),
    )
    if is_needed:
        _check_credential(reader, kind)
    return credential


def _check_credential(reader: SettingReader, kind: CredentialKind) -> None:
    why = f"for CALLING_CREDENTIAL {kind.value}"
    match kind:
        case CredentialKind.MANAGED_IDENTITY:
            reader.guid("CALLING_IDENTITY_CLIENT_ID")
        case CredentialKind.CLIENT_SECRET:
            reader.required("MicrosoftAppPassword", why)
        case CredentialKind.CERTIFICATE:
            reader.required("CALLING_CERTIFICATE_PATH", why)
            reader.certificate_file("CALLING_CERTIFICATE_PATH")
