"""Telling what goes together."""

from django.db.models import QuerySet

from creators.operations import publisher
from kpplatform.errors import Forbidden
from kpplatform.tenancy.models import Member
from recommender import queries
from recommender.models import Rule


class ExactCountsAreClosed(Forbidden):
    code = "exact_counts_are_closed"


def tell_rules(*, by: Member, item: int | None = None) -> QuerySet[Rule]:
    """Return all rules for staff, and for creators those about their own items.

    Raises NotACreator, and ExactCountsAreClosed where creators are told noisy counts alone.
    """
    wanted = queries.privacy(by.tenant)
    if by.runs_the_tenant:
        return queries.rules(k=wanted.k, item=item)
    creator = publisher(member=by)
    if wanted.epsilon is not None:
        raise ExactCountsAreClosed("Here creators are told counts with noise alone, and rules have none.")
    return queries.rules(k=wanted.k, of=creator, item=item)
