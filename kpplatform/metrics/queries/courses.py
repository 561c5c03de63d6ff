"""What speaks for a course: its quality, its usefulness, whether it is up to date, and how its topic is asked for.

Each of the three is the mean of what is known of it, from 0 to 1; nothing is known of what too few have watched,
bought or commented on.

- quality: plays that were finished, and the share of praise in what comments praise and blame;
- usefulness: saves and shares by plays (one in ten is all that can be had), and sales in the tenant's currency that
  were not given back;
- timeliness: half for every 180 days since something about it was changed;
- demand: how many plays its topic had in these days by how many in as many days before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from catalog.models import Item
from creators.models import Creator
from kpplatform.metrics.models import DailyFigure
from kpplatform.metrics.queries.figures import Span, by_part, currency_of
from kpplatform.tenancy.scope import current_tenant
from recommender.models import CommentSignal

FEWEST_PLAYS, FEWEST_SIGNALS = 10, 3
ALL_SAVES = 0.1
HALF_LIFE_DAYS = 180
MONEY = ("sales", "refunds")
NAMES = ("plays", "finished", "saves", "shares", *MONEY)
MOST = 20


@dataclass(frozen=True)
class Scorecard:
    """A course and what speaks for it; None: nothing is known."""

    course: Item
    finished: float | None
    praise: float | None
    saved: float | None
    kept: float | None
    timeliness: float
    demand: float | None  # of the topic: 1 is as before

    @property
    def quality(self) -> float | None:
        return _mean([self.finished, self.praise])

    @property
    def usefulness(self) -> float | None:
        return _mean([self.saved and min(1.0, self.saved / ALL_SAVES), self.kept])


def scorecards(creator: Creator, of: Span, *, at: datetime) -> list[Scorecard]:
    """Return what speaks for the creator's courses, the latest first."""
    courses = list(
        Item.objects.filter(creator=creator, kind=Item.Kind.COURSE).select_related("topic").order_by("-pk")[:MOST]
    )
    if not courses:
        return []
    sums, praised, asked = _sums(courses, of), _praise(courses), _demand(of)
    return [_scorecard(course, sums[course.pk], praised.get(course.pk), asked, at) for course in courses]


def _scorecard(
    course: Item, sums: Mapping[str, int], praise: float | None, asked: Mapping[int, float], at: datetime
) -> Scorecard:
    plays, sold = sums["plays"], sums["sales"]
    is_known = plays >= FEWEST_PLAYS
    age = max(0, (at - course.updated_at).days)
    return Scorecard(
        course=course,
        finished=sums["finished"] / plays if is_known else None,
        praise=praise,
        saved=(sums["saves"] + sums["shares"]) / plays if is_known else None,
        kept=max(0.0, 1 - sums["refunds"] / sold) if sold else None,
        timeliness=0.5 ** (age / HALF_LIFE_DAYS),
        demand=asked.get(course.topic_id or 0),
    )


def _sums(courses: Sequence[Item], of: Span) -> dict[int, dict[str, int]]:
    rows = DailyFigure.objects.filter(item__in=courses, metric__in=NAMES, day__gte=of.since, day__lte=of.until)
    sums: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    currency = current_tenant().currency
    for item, name, part, total in rows.order_by().values_list("item", "metric", "part").annotate(Sum("value")):
        if name not in MONEY or currency_of(part) == currency:
            sums[item or 0][name] += int(total)
    return sums


def _praise(courses: Sequence[Item]) -> dict[int, float]:
    """Return the share of praise in what comments on each course praise and blame, where enough do."""
    found: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for item, praise, blame in CommentSignal.objects.filter(item__in=courses).values_list("item", "praise", "blame"):
        found[item].append((praise, blame))
    shares = {}
    for item, said in found.items():
        praise, blame = (sum(of) for of in zip(*said, strict=True))
        if len(said) >= FEWEST_SIGNALS and praise + blame > 0:
            shares[item] = praise / (praise + blame)
    return shares


def _demand(of: Span) -> dict[int, float]:
    """Return by how much each topic is played more than before, in the whole tenant."""
    now, before = (_by_topic(by_part("plays_by_length", Span(span.since, span.until))) for span in (of, of.before()))
    return {topic: plays / before[topic] for topic, plays in now.items() if before.get(topic, 0) >= FEWEST_PLAYS}


def _by_topic(parts: Mapping[str, int]) -> dict[int, int]:
    plays: dict[int, int] = defaultdict(int)
    for part, value in parts.items():
        plays[int(part.partition(":")[0])] += value
    return plays


def _mean(known: Iterable[float | None]) -> float | None:
    told = [of for of in known if of is not None]
    return sum(told) / len(told) if told else None
