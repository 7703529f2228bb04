"""The three ways to get a token for Graph, through azure-identity as it is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.scenario.calls import call, ring
from tests.simulator.deployments import Deployments, Plan
from tests.simulator.services.signing import SigningKey


@pytest.mark.requirement("R22")
def test_all_three_credentials_get_a_token_for_the_tenant_of_the_call(
    tmp_path: Path,
) -> None:
    """Each credential is asked once, and no secret is logged."""
    key = SigningKey()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bot")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key.private, hashes.SHA256())
    )
    path = tmp_path / "bot.pem"
    path.write_bytes(
        key.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    kinds = {
        "managed-identity": {
            "CALLING_IDENTITY_CLIENT_ID": "7c1f0a52-93f6-4a0b-8a55-2f60d94f3b11"
        },
        "client-secret": {"MicrosoftAppPassword": "simulated-secret"},
        "certificate": {"CALLING_CERTIFICATE_PATH": str(path)},
    }
    for kind, settings in kinds.items():
        plan = Plan(regions=("weu",), settings={"CALLING_CREDENTIAL": kind, **settings})
        with Deployments(plan) as app:
            app.registration.certificate = certificate
            for _ in range(3):
                assert app.post(ring(app, call())).status == 202
            (issued,) = app.entra.issued.values()
            assert issued.kind == kind
            assert issued.tenant_id == app.tenant_id
            assert issued.scope == f"{app.graph.url}/.default"
            token_path = f"/{app.tenant_id}/oauth2/v2.0/token"
            assert app.entra.requests.count(token_path) == 1
            assert not any("discovery" in path for path in app.entra.requests)
            log = "\n".join(app.log_lines("weu"))
            assert "simulated-secret" not in log
            assert not any(token in log for token in app.entra.issued)
            if kind == "managed-identity":
                (asked,) = app.identity.requests
                assert asked["client_id"] == settings["CALLING_IDENTITY_CLIENT_ID"]
