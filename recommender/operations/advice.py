"""What a creator might make next: what their audience likes best, and of what there is little."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from creators.models import Creator
from kpplatform.tenancy.models import Member
from recommender import queries
from recommender.operations.audience import tell_audience

DAYS = 28
LEAST_GAP = 0.02
MOST = 5


@dataclass(frozen=True)
class Advice:
    """One topic, with the facts that speak for it."""

    topic: str
    viewers: int  # of the audience who like it best
    demand: float  # their share of the audience
    items: int  # on show about it
    supply: float  # their share of what is on show
    own: int  # of them the creator's
    gap: float
    text: str


@dataclass(frozen=True)
class Advices:
    """All of it, and of whom it was told."""

    as_of: datetime
    days: int
    audience: int
    epsilon: float | None
    advice: list[Advice]


def advise(*, creator: Creator, by: Member, at: datetime) -> Advices:
    """Return the topics of which the creator's audience wants more than there is, the widest gap first.

    The portraits are cited as far as the audience may be told of. Raises what `tell_audience` raises.
    """
    told = tell_audience(creator=creator, days=DAYS, by=by, at=at)
    supplied = queries.supply(creator, at=at)
    total = max(sum(items for items, _own in supplied.values()), 1)
    advice = [
        _advice(topic, viewers, told.viewers, supplied.get(topic, (0, 0)), total)
        for topic, viewers in told.counts["topics"].items()
    ]
    wanted = sorted((one for one in advice if one.gap >= LEAST_GAP), key=lambda one: (-one.gap, one.topic))
    return Advices(told.as_of, DAYS, told.viewers, told.epsilon, wanted[:MOST])


def _advice(topic: str, viewers: int, audience: int, supplied: tuple[int, int], total: int) -> Advice:
    items, own = supplied
    demand, supply = min(viewers / audience, 1.0), items / total
    text = _(
        "%(demand)s %% of your audience (%(viewers)s viewers) like %(topic)s best, "
        "but it is %(supply)s %% of what is on show (items: %(items)s, yours: %(own)s)."
    ) % {
        "demand": round(100 * demand),
        "viewers": viewers,
        "topic": topic,
        "supply": round(100 * supply),
        "items": items,
        "own": own,
    }
    return Advice(topic, viewers, round(demand, 4), items, round(supply, 4), own, round(demand - supply, 4), text)
