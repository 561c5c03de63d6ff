"""The follow graph of a tenant, for the part of a version that is learned from it."""

from itertools import islice
from typing import Any

import numpy as np

from creators.models import Follow
from recommender.ml import social
from recommender.models import TrainingRun
from recommender.serving.artefacts import Savable
from recommender.serving.bundle import SOCIAL
from recommender.training.forgetting import Forgotten

BLOCK = 100_000


def learned_from_follows(run: TrainingRun) -> dict[str, Savable]:
    """Return what those say who follow the same creators, until the training's data end; nothing where nobody does.

    Follows of who has closed personalisation or does not consent are left out, and those from before beginning anew.
    """
    forgotten = Forgotten.read()
    rows = Follow.objects.filter(followed_at__lt=run.data_until).values_list("viewer_id", "creator_id", "followed_at")
    told = [np.zeros((0, 2), np.int64)]
    streamed = rows.iterator(chunk_size=BLOCK)
    while block := list(islice(streamed, BLOCK)):
        told.append(_spared(block, forgotten))
    viewers, creators = np.concatenate(told).T
    found = social.learn(viewers, creators)
    return {} if found is None else {SOCIAL: found}


def _spared(block: Any, forgotten: Forgotten) -> np.ndarray:
    pairs = np.array([(viewer, creator) for viewer, creator, _ in block], np.int64)
    at = np.array([round(at.timestamp() * 1000) for _, _, at in block], np.int64)
    return pairs[forgotten.spares(pairs[:, 0], at)]
