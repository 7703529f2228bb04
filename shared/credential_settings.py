"""The settings of the credential with which tokens for Graph are acquired."""

from enum import StrEnum
from typing import NamedTuple

from shared.core.clouds import Cloud
from shared.core.guids import is_guid
from shared.setting_reader import SettingReader


class CredentialKind(StrEnum):
    """How tokens for Graph are got."""

    MANAGED_IDENTITY = "managed-identity"
    CLIENT_SECRET = "client-secret"  # noqa: S105 - the name of a kind, no secret
    CERTIFICATE = "certificate"


class CredentialSettings(NamedTuple):
    """What the chosen kind of credential needs; the rest is empty.

    ``identity_client_id`` is there for every kind: the app's identity also stands for
    the app before what is not Graph, such as the state store.
    ``certificate_ends_at`` is in epoch seconds.
    """

    kind: CredentialKind
    app_id: str
    login_url: str
    federation_audience: str
    identity_client_id: str
    app_password: str = ""
    certificate_path: str = ""
    certificate_ends_at: float | None = None

    @property
    def is_bot_the_identity(self) -> bool:
        """Tell whether the managed identity is the bot: its type is UserAssignedMSI."""
        return (
            self.kind is CredentialKind.MANAGED_IDENTITY
            and self.identity_client_id == self.app_id
        )

    def __repr__(self) -> str:
        """Show the kind only: a secret must not reach a log by accident."""
        return f"CredentialSettings(kind={self.kind.value!r})"


def read_credential(
    reader: SettingReader, cloud: Cloud, *, is_needed: bool, is_identity_needed: bool
) -> CredentialSettings:
    """Read the credential, which is checked only where it is needed.

    Args:
        reader: of the settings.
        cloud: the defaults of its URLs.
        is_needed: calls are answered.
        is_identity_needed: the identity gets tokens for instances or the state store.
    """
    kind = CredentialKind.MANAGED_IDENTITY
    if is_needed:
        kinds = tuple(each.value for each in CredentialKind)
        chosen = reader.choice("CALLING_CREDENTIAL", kinds, default=kind)
        kind = CredentialKind(chosen)
    read_identity = reader.guid if is_needed or is_identity_needed else reader.text
    credential = CredentialSettings(
        kind=kind,
        app_id=reader.text("MicrosoftAppId").lower(),
        login_url=reader.url("CALLING_LOGIN_URL", cloud.login_url).rstrip("/"),
        federation_audience=cloud.federation_audience,
        identity_client_id=read_identity("CALLING_IDENTITY_CLIENT_ID").lower(),
    )
    return _read_proof(reader, credential) if is_needed else credential


def _read_proof(
    reader: SettingReader, credential: CredentialSettings
) -> CredentialSettings:
    """Read what the chosen kind of credential is made of."""
    # Told whichever kind is chosen: a vault that cannot be read, and a wrong value.
    secret = reader.text("MicrosoftAppPassword")
    reader.text("CALLING_CERTIFICATE_PATH")
    if is_guid(secret):
        reader.warn(
            "MicrosoftAppPassword",
            "looks like the ID of a secret; the secret's value is needed.",
        )
    why = f"for CALLING_CREDENTIAL {credential.kind.value}"
    match credential.kind:
        case CredentialKind.MANAGED_IDENTITY:
            return credential
        case CredentialKind.CLIENT_SECRET:
            secret = reader.required("MicrosoftAppPassword", why)
            return credential._replace(app_password=secret)
        case CredentialKind.CERTIFICATE:
            return credential._replace(
                certificate_path=reader.required("CALLING_CERTIFICATE_PATH", why),
                certificate_ends_at=reader.certificate_file("CALLING_CERTIFICATE_PATH"),
            )
