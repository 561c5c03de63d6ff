"""Telling a creator of their audience: enough viewers at once, and with noise where the tenant wants it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from creators.models import Creator
from creators.operations import NotYours
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member
from recommender import queries
from recommender.ml.portraits.privacy import noised, shown
from recommender.models import Audience, NoisyAnswer
from recommender.queries.privacy import Privacy

Counts = Mapping[str, Mapping[str, int]]

VISITS = "visits"  # every viewer of an audience is in one of its cells
ROUNDING = 1e-9  # of sums of ε


class AudienceTooSmall(Conflict):
    code = "audience_too_small"


class PrivacyIsSpent(Conflict):
    code = "privacy_is_spent"


@dataclass(frozen=True)
class Told:
    """What was told of an audience: cells with at least k viewers, and what the noise was."""

    days: int
    viewers: int
    counts: Counts
    k: int
    epsilon: float | None
    left: float | None  # of the period's budget
    as_of: datetime


@transaction.atomic
def tell_audience(*, creator: Creator, days: int, by: Member, at: datetime) -> Told:
    """Tell the creator, or the tenant's staff, who watches the creator.

    Where the tenant wants noise, creators are told noisy counts, at the expense of the month's budget; the same
    question gets the same answer. Raises NotYours, AudienceTooSmall and PrivacyIsSpent.
    """
    if not (by.runs_the_tenant or creator.member_id == by.pk):
        raise NotYours("An audience is told to its creator and to the tenant's staff.")
    wanted = queries.privacy(creator.tenant)
    found = queries.audience(creator, days=days)
    if found is None or found.viewers < wanted.k:
        raise AudienceTooSmall(f"Fewer than {wanted.k} viewers in {days} days: nobody is told apart from so few.")
    if wanted.epsilon is None or by.runs_the_tenant:
        narrower = [of.counts for of in queries.narrower_audiences(creator, days=days)]
        return _told(found, found.counts, wanted, narrower=narrower, epsilon=None, left=None)
    period = queries.period(creator.tenant, at=at)
    answer = _answer(found, wanted, period=period, epsilon=wanted.epsilon, at=at)
    left = max(0.0, wanted.budget - queries.spent(creator, period=period))
    return _told(found, answer.counts, wanted, epsilon=answer.epsilon, left=left)


def _answer(found: Audience, wanted: Privacy, *, period: date, epsilon: float, at: datetime) -> NoisyAnswer:
    """Return the answer of this period, drawn when it is first asked for."""
    creator = _held(found.creator_id)
    if known := queries.answered(creator, period=period, days=found.days, epsilon=epsilon):
        return known
    if queries.spent(creator, period=period) + epsilon > wanted.budget + ROUNDING:
        raise PrivacyIsSpent("This month's privacy is spent; what was told already can be asked again.")
    rng = random.SystemRandom()
    each = epsilon / len(found.counts)  # a viewer is in one cell of each histogram: the ε of all add up
    counts = {name: noised(cells, epsilon=each, rng=rng) for name, cells in found.counts.items()}
    return NoisyAnswer.objects.create(
        creator=creator, period=period, days=found.days, epsilon=epsilon, counts=counts, answered_at=at
    )


def _told(
    found: Audience,
    counts: Counts,
    wanted: Privacy,
    *,
    narrower: Sequence[Counts] = (),
    epsilon: float | None,
    left: float | None,
) -> Told:
    viewers = sum(counts[VISITS].values())
    if viewers < wanted.k:
        raise AudienceTooSmall(f"Fewer than {wanted.k} viewers in {found.days} days, with the noise.")
    # Who is new within 90 days may be returning within 7: only of the other counts is the narrower one a part.
    parts = {name: [of[name] for of in narrower if name != VISITS] for name in counts}
    cells = {name: shown(of, k=wanted.k, narrower=parts[name]) for name, of in counts.items()}
    return Told(found.days, viewers, cells, wanted.k, epsilon, left, as_of=found.run.at)


def _held(creator_id: int) -> Creator:
    """Let nobody else spend this creator's privacy before the transaction ends."""
    return Creator.objects.select_for_update(no_key=True).get(pk=creator_id)
