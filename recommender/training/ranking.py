"""Learn to rank from what a tenant's viewers were shown, watched, liked and bought.

Both kinds of ranker are fitted on earlier questions and judged on later ones; the better one is learned anew from all,
if it surely ranks better than the items' own rates do.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpplatform.jobs.running import LeaseLost
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender.ml.arrays import Flags, Floats
from recommender.ml.metrics import paired_difference
from recommender.ml.model import Progress
from recommender.ml.ranker import choosing
from recommender.ml.ranker.choosing import Config, Fitted
from recommender.ml.ranker.examples import Examples, TooLittle, World
from recommender.ml.ranker.features import NAMES
from recommender.ml.ranker.judging import aucs
from recommender.ml.ranker.ranker import Ranker
from recommender.ml.ranker.targets import HEADS
from recommender.training.questions import MOST_QUESTIONS, read

log = logging.getLogger(__name__)

FEWEST_VIEWERS = 20  # on whom it is judged whether ranking helps
SEED = 0
DEFAULTS = Config()


@dataclass(frozen=True)
class Found:
    """A ranker for a version, or why there is none; the figures of both kinds on later views."""

    part: Ranker | None
    reason: str
    metrics: Mapping[str, Mapping[str, float]]


def fit_ranker(
    *,
    tenant: Tenant,
    until: datetime,
    config: Config = DEFAULTS,
    device: str = "cpu",
    kinds: Sequence[str] = choosing.NAMES,
    most: int = MOST_QUESTIONS,
    progress: Progress | None = None,
) -> Found:
    """Return the better ranker if it puts later views in a better order than the items' rates of long views do.

    It learns from the latest `most` questions, and is the part `bundle.RANKER` of a version. Call outside a scope: the
    database is read in one of its own.
    """
    with scope(tenant):
        world, told, rows = read(until=until, most=most)
    examples = world.examples(told, rows)
    later = choosing.latest(examples)
    at = int(until.timestamp() * 1_000)
    try:
        return _better(world, examples, later, at=at, config=config, device=device, kinds=kinds, progress=progress)
    except TooLittle as little:
        return Found(None, little.code, {})


def _better(
    world: World,
    examples: Examples,
    later: Flags,
    *,
    at: int,
    config: Config,
    device: str,
    kinds: Sequence[str],
    progress: Progress | None,
) -> Found:
    """Fit each kind on the earlier questions, and the one that foretells the later ones better on all."""
    before, after = examples.where(~later), examples.where(later)
    judged, scores = {}, {}
    asked: dict[str, Any] = {"at": at, "config": config, "seed": SEED, "device": device, "progress": progress}
    fitted = _fitted(kinds, world, before, after, asked)
    for name in fitted:
        told = choosing.foretold(fitted[name].ranker, world, after)
        judged[name] = choosing.figures(after, told)
        scores[name] = told[:, HEADS.index("long_view")]
    best = choosing.choose(judged)
    if reason := _useless(after, scores[best]):
        return Found(None, reason, judged)
    whole = choosing.fit(best, world, examples, effort=fitted[best].effort, **asked)
    return Found(whole.ranker, f"{best}_is_better", judged)


def _fitted(
    kinds: Sequence[str], world: World, before: Examples, after: Examples, asked: dict[str, Any]
) -> dict[str, Fitted]:
    """Return the kinds that could be fitted. Raises what the last one raises where none could."""
    fitted: dict[str, Fitted] = {}
    for name in kinds:
        try:
            fitted[name] = choosing.fit(name, world, before, after, **asked)
        except (LeaseLost, TooLittle):
            raise
        except Exception:
            if name == kinds[-1] and not fitted:
                raise
            log.exception("no ranker of the kind %s", name)
    return fitted


def _useless(later: Examples, scores: Floats) -> str:
    """Return why ranking by these scores (M,) surely helps nobody; nothing when it does."""
    viewer, right = later.asked.viewer, later.labels["long_view"]
    ours, _ = aucs(viewer, right, scores)
    theirs, _ = aucs(viewer, right, later.features[:, NAMES.index("item_long")])
    if len(ours) < FEWEST_VIEWERS:
        return "too_few_viewers"
    return "" if paired_difference(ours, theirs, seed=SEED).low > 0 else "no_better_than_rates_of_items"
