"""Learn from the items whose topic is told what the others may be about, and suggest it where that is sure enough."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from django.utils import timezone

from catalog.queries import about_items
from catalog.queries.telling import AboutItem
from kpplatform.jobs.running import report
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations, queries
from recommender.ml import content
from recommender.ml.arrays import Longs, Matrix
from recommender.ml.topic_classifier import Config, Epoch, TopicClassifier, fit
from recommender.models import TextRun
from recommender.training.devices import device

WIDTH = 4_096  # places of a row
FEWEST_ITEMS, FEWEST_TOPICS = 50, 2
FEWEST_OF_A_TOPIC = 5
WITHHELD = 0.1
SURE = 0.5  # the least chance with which a topic is suggested
SEED = 0


@dataclass
class Learned:
    """What came of it: why it ended, what is suggested, and how good that is."""

    outcome: str
    found: dict[int, tuple[int, float]] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


def classify_topics(*, tenant: Tenant, at: datetime) -> None:
    """Suggest topics for the tenant's items that have none. Call outside a scope; safe to repeat."""
    with scope(tenant):
        items, decided = list(about_items()), queries.decided_items()
    known = [of for of in items if of.topic is not None]
    wanting = [of for of in items if of.topic is None and of.item not in decided]
    learned = learn(known, wanting)
    with scope(tenant):
        told = operations.suggest_topics(found=learned.found, at=at)
        operations.note_text_run(
            kind=TextRun.Kind.TOPICS,
            outcome=learned.outcome,
            began_at=at,
            at=timezone.now(),
            read=len(wanting),
            told=told,
            metrics=learned.metrics,
        )


def learn(known: Sequence[AboutItem], wanting: Sequence[AboutItem]) -> Learned:
    """Return topics for those that want one, or the code of why there are none."""
    often = Counter(of.topic for of in known)
    topics = sorted(topic for topic, count in often.items() if topic is not None and count >= FEWEST_OF_A_TOPIC)
    known = [of for of in known if of.topic in topics]
    if not wanting:
        return Learned("nothing_is_missing")
    if len(known) < FEWEST_ITEMS:
        return Learned("too_few_items")
    if len(topics) < FEWEST_TOPICS:
        return Learned("too_few_topics")
    classifier, metrics = _fitted(_rows(known), np.array([topics.index(of.topic or 0) for of in known]), topics)
    if metrics["accuracy"] <= metrics["commonest"]:
        return Learned("no_better_than_the_commonest", metrics=metrics)
    chances = classifier.chances(_rows(wanting))
    sure = np.flatnonzero(chances.max(1) >= SURE)
    best = chances.argmax(1)
    found = {wanting[at].item: (topics[best[at]], round(float(chances[at].max()), 4)) for at in sure.tolist()}
    return Learned("told", found, metrics)


def _fitted(rows: Matrix, about: Longs, topics: Sequence[int]) -> tuple[TopicClassifier, dict[str, Any]]:
    """Return a classifier that learned from nine of ten items, and how often it is right on the others."""
    order = np.random.default_rng(SEED).permutation(len(about))
    withheld, learned = np.split(order, [max(1, round(WITHHELD * len(order)))])
    epochs: list[Epoch] = []

    def told(epoch: Epoch) -> None:
        epochs.append(epoch)
        report(epoch.number / (config.epochs + 1))

    config = Config(classes=len(topics))
    names = [str(topic) for topic in topics]
    classifier = fit(rows[learned], about[learned], names=names, config=config, seed=SEED, device=device(), told=told)
    right = classifier.chances(rows[withheld]).argmax(1) == about[withheld]
    commonest = np.bincount(about[learned]).argmax()
    return classifier, {
        "epochs": [asdict(epoch) for epoch in epochs],
        "accuracy": round(float(right.mean()), 4),
        "commonest": round(float((about[withheld] == commonest).mean()), 4),
        "withheld": len(withheld),
        "topics": len(topics),
    }


def _rows(items: Sequence[AboutItem]) -> Matrix:
    creators = np.array([of.creator for of in items], np.int64)
    told = content.features(titles=[of.title for of in items], tags=[of.tags for of in items], creators=creators)
    return content.narrowed(told, width=WIDTH)
