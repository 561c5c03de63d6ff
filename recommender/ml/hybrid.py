"""Collaborative filtering and a deep model in one: each learns alone, and what was held back tells how much it counts.

The parts are EASE (implicit ALS where there are too many items for it), a model that reads histories in their order,
and what is popular lately. From at most an eighth of the viewers the last wish is held back from all of them, and
`blend` finds the weights by which these wishes stand highest. So little is held back that nothing is learned twice:
what a viewer did is read from their history at every request anyhow. The weights stand in `Blended.weights`.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from recommender.ml.blend import learn_weights
from recommender.ml.blended import Blended, Weights
from recommender.ml.ease import MOST_ITEMS
from recommender.ml.interactions import Interactions
from recommender.ml.model import Curve, Model, Progress
from recommender.ml.sequence.validation import held_back

CLOSED, FACTORS, POPULAR = "ease", "implicit-als", "recent-popularity"
JUDGED = 512, 4_096  # viewers, at least and at most, of whom otherwise an eighth is judged; of few, a quarter


@dataclass(frozen=True)
class Config:
    """Which deep model, and what of its settings is not left to it: see `sequence.config.Config`."""

    deep: str = "transformer"
    width: int = 0
    layers: int = 0
    epochs: int = 0
    minutes: float = 0.0


class Part(Protocol):
    """How a part is learned: `models.fit`."""

    def __call__(
        self,
        name: str,
        train: Interactions,
        *,
        settings: Any = None,
        seed: int = 0,
        device: str = "cpu",
        progress: Progress | None = None,
        curve: Curve | None = None,
        checkpoints: Path | None = None,
    ) -> Model: ...


def fit(
    train: Interactions,
    *,
    part: Part,
    config: Config = Config(),
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
    curve: Curve | None = None,
    checkpoints: Path | None = None,
) -> Blended:
    """Return the parts with their weights; `curve` and `checkpoints` are told of the deep one."""
    viewers = train.shape[0]
    split = held_back(train, judged=min(int(np.clip(viewers // 8, *JUDGED)), -(-viewers // 4)), seed=seed)
    filtering = CLOSED if train.shape[1] <= MOST_ITEMS else FACTORS
    parts = [part(name, split.train, seed=seed, device=device) for name in (filtering, POPULAR)]
    settings = {name: value for name, value in asdict(config).items() if name != "deep" and value}
    told: dict[str, Any] = {"progress": progress, "curve": curve, "checkpoints": checkpoints}
    parts.append(part(config.deep, split.train, settings=settings, seed=seed, device=device, **told))
    by_name = {model.name: model for model in parts}
    if len(split.test):
        weights = learn_weights(by_name, split, seed=seed).weights
    else:  # nobody has wanted two things: there is nothing to judge by
        weights = Weights(dict.fromkeys(by_name, 1 / len(parts)), dict.fromkeys(by_name, 1.0))
    return Blended.of("hybrid", parts, weights)
