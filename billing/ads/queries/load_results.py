"""What a trial of loads has shown: how often viewers come, what they bring, and what of that ads take from the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import product
from typing import Any

from django.db import connection

from billing.ads.market.load import Answer, Bounds, Suggestion, Tried, suggest
from billing.ads.models import LoadTrial
from billing.money import WHOLE_BPS
from billing.queries.price_results import Outcome, compared
from kpplatform.experiments import FAIR_FROM, LEVEL, Difference, Sample, apart, sample_ratio
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

WEEK = timedelta(days=7)
MEASURES = ("days", "minutes", "ads", "other", "total")
# A mean of money is told of enough who brought some, in each way of earning in which anybody did.
PAID = {"ads": ["ads_payers"], "other": ["payers"], "total": ["ads_payers", "payers"]}

# Per viewer whose first week in their arm is over: on how many of its seven days of 24 hours they watched, how long,
# and what they brought, in minor units: by ads that were billed and that nobody found invalid, and by what they paid
# and was not given back. What advertisers pay in is no income yet.
READ = """
WITH each AS (
    SELECT v.load, w.days, w.minutes, a.ads, o.other, a.ads + o.other AS total
    FROM ads_loadviewer v,
    LATERAL (SELECT count(DISTINCT floor(extract(epoch FROM started_at - v.dealt_at) / 86400)) AS days,
                    coalesce(sum(watch_ms), 0) / 60000.0 AS minutes
             FROM catalog_watch WHERE tenant_id = %(tenant)s AND viewer_id = v.viewer_id AND quarantine = ''
                 AND started_at >= v.dealt_at AND started_at < v.dealt_at + %(week)s) w,
    LATERAL (SELECT coalesce(sum(f.price), 0) / 1000000.0 AS ads
             FROM ads_offer f JOIN ads_campaign c ON c.tenant_id = f.tenant_id AND c.id = f.campaign_id
             WHERE f.tenant_id = %(tenant)s AND f.viewer_id = v.viewer_id AND f.billed_at IS NOT NULL
                 AND f.offered_at >= v.dealt_at AND f.offered_at < v.dealt_at + %(week)s AND c.currency = %(currency)s
                 AND NOT EXISTS (SELECT FROM ads_invalidevent i WHERE i.tenant_id = f.tenant_id AND i.offer_id = f.id)
            ) a,
    LATERAL (SELECT coalesce(sum(l.amount - l.refunded - l.disputed), 0)::numeric AS other
             FROM billing_order r JOIN billing_orderline l ON l.tenant_id = r.tenant_id AND l.order_id = r.id
             WHERE r.tenant_id = %(tenant)s AND r.viewer_id = v.viewer_id AND r.currency = %(currency)s
                 AND r.paid_at >= v.dealt_at AND r.paid_at < v.dealt_at + %(week)s AND l.kind <> 'ad_balance') o
    WHERE v.tenant_id = %(tenant)s AND v.trial_id = %(of)s AND v.dealt_at <= %(until)s - %(week)s
)
SELECT load, count(*), count(*) FILTER (WHERE ads > 0), count(*) FILTER (WHERE other > 0),
       coalesce(covar_samp(total, days), 0), avg(days), var_samp(days), avg(minutes), var_samp(minutes),
       avg(ads), var_samp(ads), avg(other), var_samp(other), avg(total), var_samp(total)
FROM each GROUP BY load
"""
DEALT = """
SELECT load, count(*) FROM ads_loadviewer WHERE tenant_id = %(tenant)s AND trial_id = %(of)s AND dealt_at < %(until)s
GROUP BY load
"""


def read_arms(trial: LoadTrial, *, at: datetime) -> dict[str, Any]:
    """Return what the arms have shown until now, or until it was over, as it is kept with the trial."""
    until = min(at, trial.over_at)
    asked: dict[str, Any] = {"of": trial.pk, "until": until, "week": WEEK}
    asked |= {"tenant": current_tenant_id(), "currency": current_tenant().currency}
    with connection.cursor() as cursor:
        cursor.execute(DEALT, asked)
        dealt = {str(load): count for load, count in cursor.fetchall()}
        cursor.execute(READ, asked)
        arms = {str(load): _kept(row) for load, *row in cursor.fetchall()}
    return {"dealt": dealt, "arms": arms}


def _kept(row: Sequence[Any]) -> dict[str, Any]:
    viewers, ads_payers, payers, covariance, *moments = (float(value or 0) for value in row)
    means = zip(moments[::2], moments[1::2], strict=True)
    return {"viewers": int(viewers), "ads_payers": int(ads_payers), "payers": int(payers), "covariance": covariance} | {
        name: [mean, variance] for name, (mean, variance) in zip(MEASURES, means, strict=True)
    }


@dataclass(frozen=True)
class LoadArm:
    """An arm: items between two ads, how many were dealt to it, and what those did whose first week is over.

    `differences` are from the first arm, None while too little is known. `cost` is what of other income each unit of
    income from ads takes away, as far as this arm and the first tell; None unless their incomes from ads surely differ.
    """

    every: int
    share: int
    dealt: int
    viewers: int
    samples: Mapping[str, Sample]
    differences: Mapping[str, Difference | None]
    cost: Bounds | None


@dataclass(frozen=True)
class LoadResults:
    """What a trial shows: its arms, the first one first, whether they were dealt by their shares, and what follows."""

    arms: Sequence[LoadArm]
    sample_ratio_p: float
    suggestion: Suggestion | None  # None: the arms were not dealt fairly

    @property
    def dealt_fairly(self) -> bool:
        return self.sample_ratio_p >= FAIR_FROM


@dataclass(frozen=True)
class _Read:
    """What was kept of an arm."""

    told: Mapping[str, Any]

    @property
    def viewers(self) -> int:
        return int(self.told.get("viewers", 0))

    @cached_property
    def samples(self) -> dict[str, Sample]:
        return {name: Sample(self.viewers, *self.told.get(name, (0.0, 0.0))) for name in MEASURES}

    def brought(self, name: str, payers: str) -> Outcome:
        return self.viewers, self.told[payers], self.samples[name]

    def tried(self, every: int) -> Tried:
        """Return what the arm says of a load: income by day is a ratio of means, its variance by the delta method."""
        days, total = self.samples["days"], self.samples["total"]
        income = total.mean / days.mean if days.mean else 0.0
        by, shared = days.mean or 1.0, self.told.get("covariance", 0.0)
        both = shared - income * days.variance
        off = total.variance - income * (shared + both)
        return Tried(every, self.viewers, days.mean, days.variance, income, max(off, 0.0) / by**2, both / by)


def load_results(trial: LoadTrial) -> LoadResults:
    """Return what was last read of a trial. The bounds hold however often one looks, and for all arms together.

    Each arm is compared with the first at level / (arms − 1), as tried prices are (`price_results`).
    """
    reads = [_Read(trial.figures.get("arms", {}).get(str(load), {})) for load in trial.loads]
    dealt = [int(trial.figures.get("dealt", {}).get(str(load), 0)) for load in trial.loads]
    fair, level = sample_ratio(dealt, trial.shares_bps) if sum(dealt) else 1.0, LEVEL / (len(reads) - 1)
    arms: list[LoadArm] = []
    for load, share, count, read in zip(trial.loads, trial.shares_bps, dealt, reads, strict=True):
        is_told = bool(arms) and fair >= FAIR_FROM
        by = _differences(read, reads[0], level=level) if is_told else {}
        cost = _cost(read, reads[0], level=level / 2) if is_told else None
        arms.append(LoadArm(load, share, count, read.viewers, read.samples, by, cost))
    found = None
    if fair >= FAIR_FROM:
        is_told = all(arm.differences["total"] for arm in arms[1:])
        found = _suggested(trial, reads) if is_told else Suggestion(Answer.TOO_FEW)
    return LoadResults(arms, fair, found)


def _suggested(trial: LoadTrial, reads: Sequence[_Read]) -> Suggestion:
    tried = [read.tried(load) for load, read in zip(trial.loads, reads, strict=True)]
    return suggest(tried, floor=trial.floor_bps / WHOLE_BPS)


def _differences(arm: _Read, first: _Read, *, level: float) -> dict[str, Difference | None]:
    return {name: _difference(name, arm, first, level=level) for name in MEASURES}


def _difference(name: str, arm: _Read, first: _Read, *, level: float) -> Difference | None:
    if name not in PAID or min(arm.viewers, first.viewers) == 0:
        return apart(arm.samples[name], first.samples[name], level=level)
    some = [who for who in PAID[name] if arm.told[who] or first.told[who]]
    found = [compared(arm.brought(name, who), first.brought(name, who), level=level) for who in some]
    return found[0] if found and None not in found else None


def _cost(arm: _Read, first: _Read, *, level: float) -> Bounds | None:
    """Return −Δother / Δads: both are within their bounds at half the level, and so is what they are divided to."""
    ads, other = (_difference(name, arm, first, level=level) for name in ("ads", "other"))
    if ads is None or other is None or not ads.is_certain:
        return None
    ends = [-above / below for above, below in product((other.low, other.high), (ads.low, ads.high))]
    return Bounds(-other.mean / ads.mean, min(ends), max(ends))
