"""How a sequence model is made; what is left at 0 is chosen from the sizes of the data."""

from dataclasses import dataclass, replace

import numpy as np

from recommender.ml.arrays import Longs

LONGEST = 200  # places; more history than that has not helped in print
ALL_AT_ONCE = 20_000  # items up to which the softmax runs over the whole catalogue
NEGATIVES = 4_096  # shared by a batch above that
LARGE = 300_000  # places from which on a wider and deeper model pays
TOKENS = (512, 4_096)  # in a batch, at least and at most
STEPS = 64  # an epoch should have, where batches are not too small for it
EPOCHS = (3, 60)  # at least and at most, unless the data are so small that
FEWEST_STEPS = 1_500  # would not be taken
PLACES = 18_000_000  # that training should look at in all
VALIDATIONS = 8  # in a training
JUDGED = (512, 4_096)  # viewers, at least and at most, of whom otherwise an eighth is judged; of few, a quarter


@dataclass(frozen=True)
class Config:
    """Sizes, restraint and schedule of a model; 0 means: from the sizes of the data."""

    encoder: str = "transformer"  # of encoders.ENCODERS
    length: int = 0  # most places of a history that are read
    width: int = 0  # D
    layers: int = 0
    heads: int = 2
    dropout: float = 0.25
    hidden_items: float = 0.1  # share of the history's items that training hides from the encoder
    untold: float = 0.3  # share of windows that are not told when the next item was asked for
    negatives: int = 0  # shared by a batch; 0 on a small catalogue means all items
    tokens: int = 0  # places in a batch, of each process
    epochs: int = 0
    rate: float = 0.002
    warm_up: float = 0.03  # share of all steps
    decay: float = 0.05  # of the weights, by AdamW
    averaged: float = 0.995  # of the weights' moving average that is kept at each step
    every: int = 0  # epochs between validations
    patience: int = 4  # validations without a better one before training ends
    judged: int = 0  # viewers in a validation, at most
    minutes: float = 0.0  # that training should take; 0 sets no limit


def settled(config: Config, *, lengths: Longs, items: int) -> Config:
    """Return the config with every 0 chosen, for histories of these lengths (U,) and so many items."""
    usual = float(np.quantile(lengths, 0.95)) if len(lengths) else 1
    length = config.length or int(np.clip(-(-usual // 8) * 8, 16, LONGEST))
    places = max(1, int(np.minimum(lengths, length).sum()))
    large = places >= LARGE
    tokens = config.tokens or int(np.clip(places // STEPS, *TOKENS))
    enough = -(-FEWEST_STEPS * min(tokens, places) // places)
    epochs = config.epochs or max(int(np.clip(PLACES // places, *EPOCHS)), int(enough))
    return replace(
        config,
        length=length,
        width=config.width or (128 if large else 64),
        layers=config.layers or (3 if large else 2),
        negatives=config.negatives or (0 if items <= ALL_AT_ONCE else NEGATIVES),
        tokens=tokens,
        epochs=epochs,
        every=config.every or max(1, epochs // VALIDATIONS),
        judged=config.judged or min(int(np.clip(len(lengths) // 8, *JUDGED)), -(-len(lengths) // 4)),
    )
