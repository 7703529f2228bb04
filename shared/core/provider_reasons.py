"""Why the signing keys could not be obtained: codes of ``keys.refresh-failed``."""

from shared.core.explained import ExplainedCode


class ProviderReason(ExplainedCode):
    """Why the identity provider's signing keys could not be obtained."""

    UNREACHABLE = (
        "provider-unreachable",
        "The identity provider could not be reached, or not with trusted TLS.",
        "Check DNS, outgoing connections and CALLING_CA_BUNDLE.",
    )
    TIMEOUT = (
        "provider-timeout",
        "The identity provider did not deliver its document in time.",
        "Wait: held keys work for 24 h. Check outgoing connections if it lasts.",
    )
    STATUS = (
        "provider-status",
        "The identity provider replied with a status other than 200.",
        "Wait; if it lasts, check CALLING_OPENID_CONFIGURATION_URL.",
    )
    TOO_LARGE = (
        "provider-too-large",
        "The identity provider's document is over 1 MiB.",
        "Check CALLING_OPENID_CONFIGURATION_URL.",
    )
    MALFORMED = (
        "provider-malformed",
        "The identity provider's document cannot be read.",
        "Wait; if it lasts, check CALLING_OPENID_CONFIGURATION_URL.",
    )
    ISSUER = (
        "provider-issuer",
        "The OpenID configuration names another issuer than CALLING_METADATA_ISSUER.",
        "Check CALLING_OPENID_CONFIGURATION_URL and CALLING_METADATA_ISSUER.",
    )
    HOST = (
        "provider-host",
        "The OpenID configuration puts its key set on a host that is not accepted.",
        "Check CALLING_OPENID_CONFIGURATION_URL and CALLING_KEY_SET_HOST.",
    )
    NO_KEY = (
        "provider-no-key",
        "The key set holds no usable RS256 key.",
        "Wait: held keys work for 24 h.",
    )
