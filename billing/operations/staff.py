"""What only those may do who run the tenant."""

from kpplatform.errors import Forbidden
from kpplatform.tenancy.models import Member


class StaffOnly(Forbidden):
    code = "staff_only"


def must_run_the_tenant(by: Member) -> None:
    """Raise StaffOnly unless the member is staff or admin of the tenant."""
    if not by.runs_the_tenant:
        raise StaffOnly("Only the tenant's staff may do this.")
