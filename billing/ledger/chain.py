"""The hashes of the chain, written down a second time: what the database made is checked by other code."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def digest_of_transfer(*, debit: str, credit: str, currency: str, amount: int) -> bytes:
    """Return the hash of a transfer's content: its accounts by name, so that none can change hands."""
    return hashlib.sha256(f"{debit} {credit} {currency} {amount}".encode()).digest()


def digest_of_journal(*, kind: str, transfers: Iterable[bytes]) -> bytes:
    """Return the hash of a journal's content: its kind and its transfers' hashes, in order."""
    content = hashlib.sha256(kind.encode())
    for digest in transfers:
        content.update(digest)
    return content.digest()


def link_of(*, before: bytes, digest: bytes, tenant_id: int, seq: int, at: datetime, key: str) -> bytes:
    """Return the next link of a tenant's chain: the hash of the link before and of the journal."""
    microseconds = (at - EPOCH) // timedelta(microseconds=1)
    return hashlib.sha256(before + digest + f"{tenant_id} {seq} {microseconds} {key}".encode()).digest()
