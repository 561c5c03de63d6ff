"""The nightly look at the books."""

from billing import queries
from kpplatform.tenancy.scope import current_tenant


class LedgerBroken(Exception):
    """The books contradict themselves: a bug, a lost disk, or somebody's hand in the database."""


def verify_ledger() -> None:
    """Check the scope's tenant's books. Raises LedgerBroken with what is wrong, so that the job's row shows it."""
    report = queries.ledger_report()
    if not report.is_good:
        raise LedgerBroken(f"{current_tenant().slug}: {report.faults}")
