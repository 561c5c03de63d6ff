"""The reports of weeks: which are due, of whom, what one says, and who reads which."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from billing.queries import tenants_time
from creators.models import Creator
from kpplatform.metrics.models import CountedDay, DailyFigure, WeeklyReport
from kpplatform.metrics.queries.counting import today
from kpplatform.metrics.queries.weekly import NAMES, ByWeek, Sums, actions_of, monday_of
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

WEEK = timedelta(weeks=1)
MOST_BACK = 4  # weeks that are made good when nothing was reported for a while
OF_MONEY = ("creator_income", "sales", "refunds")


def weeks_due(*, at: datetime) -> list[date]:
    """Return the Mondays of the last weeks that were counted to their end and not reported to theirs, the oldest first.

    The tenant's own report is written last: with it a week is done.
    """
    this = monday_of(today(at))
    over = [this - back * WEEK for back in range(MOST_BACK, 0, -1)]
    done = set(WeeklyReport.objects.filter(creator=None, week__in=over).values_list("week", flat=True))
    return [week for week in over if week not in done and _is_counted(week)]


def _is_counted(week: date) -> bool:
    """Whether the week's last day was counted after it was over, by the tenant's clock."""
    zone = tenants_time(timezone.now()).tzinfo
    ended = datetime.combine(week + WEEK, time.min, tzinfo=zone)
    return CountedDay.objects.filter(day=week + WEEK - timedelta(days=1), counted_at__gte=ended).exists()


def to_report(week: date, *, after: int, most: int) -> list[Creator]:
    """Return the next creators, by id, of whom something was counted in the week and who have no report of it."""
    of = {"creator": OuterRef("pk")}
    figures = DailyFigure.objects.filter(**of, item=None, metric__in=NAMES, day__gte=week, day__lt=week + WEEK)
    reported = WeeklyReport.objects.filter(**of, week=week)
    found = Creator.objects.filter(Exists(figures), ~Exists(reported), pk__gt=after)
    return list(found.select_related("member").order_by("pk")[:most])


def report_of(sums: ByWeek, *, creator: Creator | None, week: date, at: datetime) -> WeeklyReport:
    """Return what is reported of a week by its sums and those of the week before; it is not stored."""
    currency = current_tenant().currency
    told = actions_of(sums, currency=currency, this=week + WEEK, weeks=2)
    return WeeklyReport(
        creator=creator,
        week=week,
        currency=currency,
        figures=_summed(sums.get(week, {}), currency),
        before=_summed(sums.get(week - WEEK, {}), currency),
        actions=[{"code": of.rule.code, "measured": round(of.before, 6)} for of in told if of.week == week],
        followed=[
            {
                "code": of.rule.code,
                "before": round(of.before, 6),
                "after": None if of.after is None else round(of.after, 6),
                "is_better": of.is_better,
            }
            for of in told
            if of.week == week - WEEK
        ],
        made_at=at,
    )


def _summed(sums: Sums, currency: str) -> dict[str, Any]:
    return {name: _sum(name, sums.get(name, {}), currency) for name in NAMES}


def _sum(name: str, parts: Mapping[str, int], currency: str) -> int:
    is_money = name in OF_MONEY
    return sum(value for part, value in parts.items() if not is_money or part.rpartition(":")[2] == currency)


def reports_for(viewer: Member, *, creator: str | None = None) -> QuerySet[WeeklyReport]:
    """Return the reports that the viewer may read, the latest first: a creator's own, or all for staff."""
    found = WeeklyReport.objects.select_related("creator").order_by("-pk")
    if not viewer.runs_the_tenant:
        found = found.filter(creator__member=viewer)
    return found if creator is None else found.filter(creator__handle=creator)
