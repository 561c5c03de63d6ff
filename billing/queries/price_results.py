"""What came of tried prices: buyers and revenue per viewer who was shown each, and what may be believed of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection

from billing.models import PriceArm, PriceExperiment
from kpplatform.experiments import FAIR_FROM, LEVEL, Difference, Sample, apart, sample_ratio
from kpplatform.tenancy.scope import current_tenant_id

# To be expected in each of two arms, if both sold alike, before they are compared: of fewer, a mean of revenues is not
# yet normal, and an arm that had none by chance seems to be sure of it.
FEWEST_BUYERS = 15
Outcome = tuple[int, int, Sample]  # how many were shown the price, how many have bought, and what each has paid

# Per arm: viewers who were shown its price, how many of them have bought before the end, and the mean and variance of
# what each has paid and not been given back. Of a price in parts, all parts that were paid. What is bought after the
# end is not compared: a price that was shown holds then only where it is the lower one.
OUTCOMES = """
SELECT a.id, count(s.id), count(b.viewer_id),
       coalesce(avg(coalesce(b.revenue, 0)) FILTER (WHERE s.id IS NOT NULL), 0),
       coalesce(var_samp(coalesce(b.revenue, 0)) FILTER (WHERE s.id IS NOT NULL), 0)
FROM billing_pricearm a
LEFT JOIN billing_priceshown s ON s.tenant_id = a.tenant_id AND s.arm_id = a.id
LEFT JOIN (
    SELECT t.arm_id, o.viewer_id, sum(coalesce(p.paid, l.amount - l.refunded - l.disputed)) AS revenue
    FROM billing_triedline t
    JOIN billing_pricearm x ON x.tenant_id = t.tenant_id AND x.id = t.arm_id AND x.experiment_id = %(of)s
    JOIN billing_priceexperiment e ON e.tenant_id = x.tenant_id AND e.id = x.experiment_id
    JOIN billing_orderline l ON l.tenant_id = t.tenant_id AND l.id = t.line_id
    JOIN billing_order o ON o.tenant_id = l.tenant_id AND o.id = l.order_id
    LEFT JOIN LATERAL (
        SELECT sum(k.amount - k.refunded - k.disputed) AS paid
        FROM billing_instalmentpart f
        JOIN billing_instalmentpart g ON g.tenant_id = f.tenant_id AND g.plan_id = f.plan_id AND g.paid_at IS NOT NULL
        JOIN billing_orderline k ON k.tenant_id = g.tenant_id AND k.order_id = g.order_id
        WHERE f.tenant_id = l.tenant_id AND f.order_id = l.order_id AND l.kind = 'instalment'
    ) p ON true
    WHERE o.paid_at IS NOT NULL AND o.placed_at < coalesce(e.ended_at, e.ends_at)
    GROUP BY t.arm_id, o.viewer_id
) b ON b.arm_id = a.id AND b.viewer_id = s.viewer_id
WHERE a.tenant_id = %(tenant)s AND a.experiment_id = %(of)s
GROUP BY a.id
"""


class Answer(StrEnum):
    """What may be said of an arm's revenue per viewer beside the first one's."""

    UNFAIR = "unfair"  # the arms were not dealt by their shares: something is wrong, and nothing is said
    TOO_FEW = "too_few"
    NO_DIFFERENCE = "no_difference"  # none can be told: it may be there, and too small to be seen yet
    MORE = "more"
    LESS = "less"


@dataclass(frozen=True)
class ArmResult:
    """An arm, who was shown its price, who bought, and the revenue of each in minor units beside the first arm's."""

    arm: PriceArm
    shown: int
    buyers: int
    revenue: Sample
    difference: Difference | None
    answer: Answer | None  # None: it is the first one

    @property
    def bought(self) -> float:
        """Return which part of those who were shown the price have bought."""
        return self.buyers / self.shown if self.shown else 0.0


@dataclass(frozen=True)
class PriceResults:
    """What an experiment shows: arms, the highest price first, and whether they were dealt by their shares."""

    arms: Sequence[ArmResult]
    sample_ratio_p: float

    @property
    def dealt_fairly(self) -> bool:
        return self.sample_ratio_p >= FAIR_FROM


def price_results(experiment: PriceExperiment) -> PriceResults:
    """Return what came of each price until now. The bounds hold however often one looks, and for all arms together.

    A viewer is what is dealt and what is counted, so revenue per viewer is a plain mean; each arm is compared with the
    first one at level / (arms − 1): Bonferroni, by Dunn, "Multiple Comparisons Among Means" (1961).
    """
    arms = list(PriceArm.objects.filter(experiment=experiment).select_related("experiment").order_by("name", "pk"))
    told = _outcomes(experiment)
    fair = sample_ratio([told[arm.pk][0] for arm in arms], [arm.share for arm in arms])
    first = told[arms[0].pk]
    level = LEVEL / (len(arms) - 1)
    results = [ArmResult(arms[0], first[0], first[1], first[2], None, None)]
    for arm in arms[1:]:
        shown, buyers, revenue = told[arm.pk]
        by = compared(told[arm.pk], first, level=level) if fair >= FAIR_FROM else None
        answer = Answer.UNFAIR if fair < FAIR_FROM else _answer(by)
        results.append(ArmResult(arm, shown, buyers, revenue, by, answer))
    return PriceResults(results, fair)


def compared(arm: Outcome, first: Outcome, *, level: float) -> Difference | None:
    """Return by how much a viewer brings more than one of the first arm; None while too few have bought."""
    shown, buyers = arm[0] + first[0], arm[1] + first[1]
    are_enough = buyers * min(arm[0], first[0]) >= FEWEST_BUYERS * shown
    return apart(arm[2], first[2], level=level) if are_enough else None


def _answer(by: Difference | None) -> Answer:
    if by is None:
        return Answer.TOO_FEW
    if not by.is_certain:
        return Answer.NO_DIFFERENCE
    return Answer.MORE if by.low > 0 else Answer.LESS


def _outcomes(experiment: PriceExperiment) -> dict[int, Outcome]:
    """Return how many were shown each arm's price, how many bought, and what each has paid."""
    asked: dict[str, Any] = {"of": experiment.pk, "tenant": current_tenant_id()}
    with connection.cursor() as cursor:
        cursor.execute(OUTCOMES, asked)
        return {
            arm: (shown, buyers, Sample(shown, float(mean), float(variance)))
            for arm, shown, buyers, mean, variance in cursor.fetchall()
        }
