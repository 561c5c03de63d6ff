"""Which viewers some rules are true of: one statement, whatever the rules."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from billing.models import Order
from catalog.models import Watch
from creators.models import Follow
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant
from recommender.models import Portrait, ViewerGroup
from recommender.queries.portraits import may_be_drawn
from recommender.queries.privacy import privacy

Told = Mapping[str, Any]
THEIRS = OuterRef("pk")


def groups() -> QuerySet[ViewerGroup]:
    """Return the tenant's groups of viewers, the newest first."""
    return ViewerGroup.objects.select_related("made_by").order_by("-pk")


def viewers_of(rules: Sequence[Told], *, at: datetime) -> QuerySet[Member, int]:
    """Return the viewers of whom all rules hold, ascending; nobody who does not want to be drawn or remembered."""
    viewers = Member.objects.filter(may_be_drawn("pk"), role=Member.Role.VIEWER, suspended_at=None)
    for rule in rules:
        viewers = viewers.filter(HOLDS[rule["kind"]](rule, at))
    return viewers.order_by("pk").values_list("pk", flat=True)


def at_least(rules: Sequence[Told], *, at: datetime) -> int:
    """Return how many viewers the rules hold of, rounded down to a multiple of k: one more or less is not told."""
    k = privacy(current_tenant()).k
    return viewers_of(rules, at=at).count() // k * k


def _watched(rule: Told, at: datetime) -> Q:
    seen = Watch.objects.filter(
        viewer=THEIRS, quarantine="", started_at__range=_lately(at, rule), item__topic__slug=rule["topic"]
    )
    return Q(Exists(seen.order_by().values("viewer").annotate(times=Count("pk")).filter(times__gte=rule["times"])))


def _paid(rule: Told, _at: datetime) -> Q:
    paid = Q(Exists(Order.objects.filter(viewer=THEIRS, paid_at__isnull=False)))
    return paid if rule["is_so"] else ~paid


def _unseen(rule: Told, at: datetime) -> Q:
    return ~Q(Exists(Watch.objects.filter(viewer=THEIRS, started_at__range=_lately(at, rule))))


def _follows(rule: Told, _at: datetime) -> Q:
    return Q(Exists(Follow.objects.filter(viewer=THEIRS, creator__handle=rule["creator"])))


def _may_leave(rule: Told, _at: datetime) -> Q:
    return Q(Exists(Portrait.objects.filter(viewer=THEIRS, churn__gte=rule["least"])))


def _segment(rule: Told, _at: datetime) -> Q:
    return Q(Exists(Portrait.objects.filter(viewer=THEIRS, segment__label=rule["label"], segment__retired_at=None)))


def _lately(at: datetime, rule: Told) -> tuple[datetime, datetime]:
    return at - timedelta(days=rule["days"]), at


HOLDS: dict[str, Callable[[Told, datetime], Q]] = {
    "watched": _watched,
    "paid": _paid,
    "unseen": _unseen,
    "follows": _follows,
    "may_leave": _may_leave,
    "segment": _segment,
}
