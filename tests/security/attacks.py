"""The attack table: a token a row: what is wrong, why it matters, the verdict.

``None`` as the verdict: the token must be accepted. References are CVE numbers, RFC
sections, or rows of docs/security.md.
"""

from tests.security.attack_kit import Attack
from tests.security.attacks_claims import (
    accepted_rows,
    issuer_and_audience_rows,
    payload_rows,
    tenant_rows,
    time_rows,
)
from tests.security.attacks_header import (
    algorithm_rows,
    form_rows,
    header_rows,
    signature_rows,
)


def all_rows() -> list[Attack]:
    """Return the whole table."""
    makers = (
        algorithm_rows,
        header_rows,
        form_rows,
        signature_rows,
        issuer_and_audience_rows,
        tenant_rows,
        time_rows,
        payload_rows,
        accepted_rows,
    )
    return [row for maker in makers for row in maker()]
