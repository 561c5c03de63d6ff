"""Refreshing a tenant's portraits: block by block, so that a million viewers take no more memory than some thousand.

Safe to be killed anywhere and to be repeated: each block is written in one transaction, each portrait in the place of
the earlier one, and what is counted over all blocks replaces what stood at the very end.
"""

import logging
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
import torch
from django.utils import timezone

from kpplatform.jobs.running import report
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations, queries
from recommender.ml.arrays import Longs
from recommender.ml.portraits import interests, segments
from recommender.models import PortraitRun, PropensityReport
from recommender.operations.portraits import Found
from recommender.training.portraits import reading
from recommender.training.portraits.drawing import draw
from recommender.training.portraits.learning import AHEAD_DAYS, SEED, Clock, Learned, learn
from recommender.training.portraits.tallying import Tally

log = logging.getLogger(__name__)

AT_ONCE = 10_000  # viewers in a block
SAMPLE = 10_000  # viewers from whom everything is learned
HALF_LIFE_DAYS = 30.0


def refresh_portraits(*, tenant: Tenant, at: datetime) -> None:
    """Draw everybody anew who did anything before `at` and has not switched that off."""
    with scope(tenant):
        run = operations.begin_run(at=at, half_life_days=HALF_LIFE_DAYS)
        clock = Clock(int(at.timestamp() * 1000), reading.local_offset_ms(at), HALF_LIFE_DAYS)
        contents, creators = reading.contents()
        viewers = queries.viewers_to_draw()
        sample = reading.block(_sample(viewers), until=at, known=contents)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    learned = learn(sample, contents, clock, device=device, progress=lambda done, of: report(0.3 * done / of))
    del sample
    with scope(tenant):
        found = _segments(learned)
        segment_ids = operations.keep_segments(run=run, found=found)
    refresh = Refresh(tenant, run, learned, segment_ids, Tally.empty(contents, creators, segments=len(found)))
    for first in range(0, len(viewers), AT_ONCE):
        refresh.draw(viewers[first : first + AT_ONCE])
        report(0.3 + 0.65 * min(1.0, (first + AT_ONCE) / len(viewers)))
    with scope(tenant):
        refresh.finish(found)


@dataclass(frozen=True)
class Refresh:
    """A refresh under way: what was learned, and what was counted so far."""

    tenant: Tenant
    run: PortraitRun
    learned: Learned
    segment_ids: list[int]
    tally: Tally

    def draw(self, viewers: Longs) -> None:
        """Draw, write and count a block of viewers."""
        with scope(self.tenant):
            block = reading.block(viewers, until=self.run.at, known=self.learned.contents)
        drawn = draw(block, self.learned, self.segment_ids)
        with scope(self.tenant):
            operations.store_portraits(run=self.run, rows=drawn.rows)
        self.tally.add(block, drawn, at_ms=self.learned.clock.at_ms)
        self.run.viewers += len(drawn.rows)

    def finish(self, found: list[Found]) -> None:
        """Write down what was counted over all blocks."""
        run, learned = self.run, self.learned
        run.dimensions = len(learned.contents.names)
        run.reason = learned.segmentation.reason
        run.silhouette = None if run.reason else learned.segmentation.silhouette
        run.demand = self.tally.demand()
        run.quality = asdict(learned.quality)
        told = learned.foreteller
        run.foretold = {
            head: {"best": told.best[head], "judged": told.judged[head], **told.measured[head]} for head in told.best
        }
        operations.finish_run(
            run=run,
            sizes=dict(zip(self.segment_ids, self.tally.sizes.tolist(), strict=True)),
            rules=self.tally.rules(run, k=queries.privacy(self.tenant).k),
            audiences=self.tally.rows(run, labels=[of.label for of in found]),
            reports=[_report(run, outcome, learned) for outcome in learned.propensity],
            at=timezone.now(),
        )
        log.info("%s portraits, %s segments %s", run.viewers, len(found), run.reason)
        if learned.quality.alerts:
            log.warning("the data want looking at: %s", ", ".join(learned.quality.alerts))


def _sample(viewers: Longs) -> Longs:
    return np.sort(np.random.default_rng(SEED).permutation(viewers)[:SAMPLE])


def _segments(learned: Learned) -> list[Found]:
    """Return what was found, under the labels that it had before."""
    centres, names = learned.segmentation.centres, learned.contents.names
    labels = segments.keep_labels(
        centres, names, before=queries.centres_by_label(), unused=queries.first_unused_label()
    )
    return [
        Found(
            label=label,
            centre={name: round(float(value), 5) for name, value in zip(names, centre, strict=True) if value > 1e-4},
            about=segments.telling(share, learned.everyone, names),
        )
        for label, centre, share in zip(labels, centres, interests.shares(centres), strict=True)
    ]


def _report(run: PortraitRun, outcome: str, learned: Learned) -> PropensityReport:
    judged = learned.propensity[outcome]
    told = PropensityReport(run=run, outcome=outcome, days=AHEAD_DAYS, reason=judged.reason)
    if judged.report and judged.model:
        told.auc, told.brier, told.ece = judged.report.auc, judged.report.brier, judged.report.ece
        told.base_rate, told.judged = judged.report.base_rate, judged.report.judged
        told.bins = [[round(of.foretold, 4), round(of.observed, 4), of.judged] for of in judged.report.bins]
        told.weights = judged.model.named()
    return told
