"""Fit a sequence model: the one interface of all models."""

from pathlib import Path

from recommender.ml.interactions import Interactions
from recommender.ml.model import Curve, Progress
from recommender.ml.sequence.config import Config
from recommender.ml.sequence.fitted import Fitted
from recommender.ml.sequence.processes import chosen
from recommender.ml.sequence.training import Told, trained

DEFAULT = Config()


def fit(
    train: Interactions,
    *,
    config: Config = DEFAULT,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
    curve: Curve | None = None,
    checkpoints: Path | None = None,
) -> Fitted:
    """Return the model that foresaw best what was held back from some viewers. Raises TrainingFailed.

    `curve` is told of every epoch. In the folder `checkpoints` it is written down how far training has come:
    a fit of the same data, config and seed goes on from there.
    """
    told = Told(progress, curve, checkpoints)
    network, settled = trained(train, config=config, seed=seed, device=chosen(device), told=told)
    where = str(next(network.parameters()).device)
    return Fitted(config.encoder, train.item_ids, network, settled.length, where)
