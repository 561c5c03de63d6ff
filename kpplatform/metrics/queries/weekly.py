"""What a creator's last weeks ask for, and what became of what the weeks before asked for.

A piece of advice follows from what was counted of a whole week (Monday to Sunday) alone: read again, it is the same.
So what was measured before it and in the week after can be told without keeping a note of it.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creators.models import Creator
from kpplatform.metrics.models import DailyFigure
from kpplatform.metrics.queries.figures import currency_of, in_currency

NAMES = (
    *("creator_income", "sales", "refunds", "plays", "product_visits", "checkouts", "comments", "replies"),
    *("impressions", "impressions_known", "finished"),
)
FEWEST = {"plays": 50, "product_visits": 20, "comments": 5, "impressions": 200, "sales": 1, "creator_income": 1}
Sums = Mapping[str, Mapping[str, int]]  # metric → part → value
ByWeek = dict[date, dict[str, dict[str, int]]]  # by the Monday


@dataclass(frozen=True)
class Rule:
    """What is advised when a measured share is on the wrong side of a bound; of fewer than `FEWEST` nothing is said."""

    code: str
    advice: Promise
    measured: Promise
    share: Callable[[Sums, str], float | None]
    bound: float
    is_bad_above: bool = False

    def asks(self, share: float | None) -> bool:
        """Whether a week with this share asks for it."""
        return share is not None and (share >= self.bound if self.is_bad_above else share < self.bound)


@dataclass(frozen=True)
class Action:
    """What a week asked for: what was measured in it, and in the week after it; None: that is not over, or too few."""

    rule: Rule
    week: date
    before: float
    after: float | None

    @property
    def is_better(self) -> bool | None:
        """Whether it was better in the week after; None: nobody knows."""
        if self.after is None or self.after == self.before:
            return None
        return (self.after < self.before) == self.rule.is_bad_above


def _total(sums: Sums, name: str) -> int:
    return sum(sums.get(name, {}).values())


def _of(over: str, under: str) -> Callable[[Sums, str], float | None]:
    def share(sums: Sums, _currency: str) -> float | None:
        whole = _total(sums, under)
        return _total(sums, over) / whole if whole >= FEWEST[under] else None

    return share


def _clicked(sums: Sums, _currency: str) -> float | None:
    shown = _total(sums, "impressions_known")
    return sums.get("plays", {}).get("feed", 0) / shown if shown >= FEWEST["impressions"] else None


def _given_back(sums: Sums, currency: str) -> float | None:
    sold = in_currency(sums.get("sales", {}), currency)
    return in_currency(sums.get("refunds", {}), currency) / sold if sold >= FEWEST["sales"] else None


def _largest(sums: Sums, currency: str) -> float | None:
    """Return the share of the kind of income that brings most; of one that lost, nothing counts."""
    parts = sums.get("creator_income", {})
    earned = [value for part, value in parts.items() if currency_of(part) == currency and value > 0]
    return max(earned) / sum(earned) if earned else None


RULES = (
    Rule(
        "one_way",
        _("Add a second way of earning: nearly all comes from one."),
        _("share of the largest kind of income"),
        _largest,
        0.8,
        is_bad_above=True,
    ),
    Rule(
        "given_back",
        _("Look at what buyers were promised: much is given back."),
        _("refunds by sales"),
        _given_back,
        0.1,
        is_bad_above=True,
    ),
    Rule(
        "offer_unseen",
        _("Speak of what you sell in your videos: hardly anybody looks at what it costs."),
        _("looks at prices by plays"),
        _of("product_visits", "plays"),
        0.01,
    ),
    Rule(
        "not_ordered",
        _("Go over price, preview and description: who looks does not order."),
        _("orders by looks at prices"),
        _of("checkouts", "product_visits"),
        0.05,
    ),
    Rule(
        "unanswered",
        _("Answer comments: most are left without a reply."),
        _("replies by comments"),
        _of("replies", "comments"),
        0.5,
    ),
    Rule(
        "not_clicked",
        _("Try other titles: what the feed shows of yours is seldom played."),
        _("plays from the feed by impressions"),
        _clicked,
        0.05,
    ),
    Rule(
        "left_early",
        _("Make it shorter or tighter: few watch to the end."),
        _("finished by all plays"),
        _of("finished", "plays"),
        0.2,
    ),
)


BY_CODE = {rule.code: rule for rule in RULES}


def actions(*, creator: Creator, currency: str, day: date, weeks: int) -> list[Action]:
    """Return what each of so many weeks that are over before the day asked for, the latest week first."""
    this = monday_of(day)
    sums = sums_by_week([creator.pk], since=this - timedelta(weeks=weeks), until=this)
    return actions_of(sums[creator.pk], currency=currency, this=this, weeks=weeks)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def actions_of(sums: ByWeek, *, currency: str, this: date, weeks: int) -> list[Action]:
    """Return the same by the sums of these weeks; `this` is the first day of the one that is not over."""
    told = []
    for monday in (this - timedelta(weeks=back) for back in range(1, weeks + 1)):
        after = monday + timedelta(weeks=1)
        for rule in RULES:
            share = rule.share(sums.get(monday, {}), currency)
            if share is not None and rule.asks(share):
                follows = rule.share(sums.get(after, {}), currency) if after < this else None
                told.append(Action(rule, monday, share, follows))
    return told


def sums_by_week(creators: Sequence[int | None], *, since: date, until: date) -> dict[int | None, ByWeek]:
    """Return the sums of whole weeks up to `until` of each creator (None: of the tenant), by week, metric and part."""
    known = [creator for creator in creators if creator is not None]
    whose = Q(creator__in=known) | (Q(creator=None) if None in creators else Q(pk__in=[]))
    rows = DailyFigure.objects.filter(whose, item=None, metric__in=NAMES, day__gte=since, day__lt=until)
    sums: dict[int | None, ByWeek] = {creator: defaultdict(_nothing) for creator in creators}
    for creator, day, name, part, value in rows.order_by().values_list("creator", "day", "metric", "part", "value"):
        sums[creator][monday_of(day)][name][part] += value
    return sums


def _nothing() -> dict[str, dict[str, int]]:
    return defaultdict(lambda: defaultdict(int))
