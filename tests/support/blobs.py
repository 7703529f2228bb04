"""A blob store as the product makes it, asking storage as the managed identity."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from shared.edge.blob_store import BlobStore
from shared.edge.identity_tokens import IdentityClient, IdentityTokens
from tests.simulator.services.authority import Authority
from tests.support.entra import IDENTITY_CLIENT_ID


@contextmanager
def blob_store(container_url: str, authority: Authority) -> Iterator[BlobStore]:
    """Make a store with tokens and connections of its own, as a process has them."""
    ca_bundle = str(authority.bundle)
    with closing(IdentityClient(IDENTITY_CLIENT_ID, ca_bundle=ca_bundle)) as client:
        tokens = IdentityTokens(client)
        with closing(
            BlobStore(container_url, tokens=tokens, ca_bundle=ca_bundle)
        ) as store:
            yield store
