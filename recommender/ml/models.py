"""The models there are: a name, a function that fits, and the settings it has unless told otherwise."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from recommender.ml import (
    biased_mf,
    ease,
    hybrid,
    implicit_als,
    item_cosine,
    latent_cosine,
    markov,
    ncf,
    popularity,
    svd,
    two_tower,
    user_cosine,
)
from recommender.ml.interactions import Interactions
from recommender.ml.model import Curve, Model, Progress
from recommender.ml.sequence import config as sequence
from recommender.ml.sequence import fitting
from recommender.ml.sequence.encoders import ENCODERS


class UnknownModel(Exception):
    """A model or a setting that does not exist; `code` says which."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


class Fit(Protocol):
    """Learn from interactions: the one interface of all models."""

    def __call__(
        self, train: Interactions, *, config: Any, seed: int, device: str, progress: Progress | None
    ) -> Model: ...


class Recipe(NamedTuple):
    """How a model is made."""

    fit: Fit
    config: Any
    is_long: bool = False  # then its fit also takes `curve` and `checkpoints`, as `sequence.fitting.fit` does


def _hybrid(train: Interactions, **told: Any) -> Model:
    return hybrid.fit(train, part=fit, **told)


MODELS: Mapping[str, Recipe] = {
    "popularity": Recipe(popularity.fit, popularity.Config()),
    "recent-popularity": Recipe(popularity.fit, popularity.Config(days=6)),
    "biased-mf": Recipe(biased_mf.fit, biased_mf.Config()),
    "implicit-als": Recipe(implicit_als.fit, implicit_als.Config()),
    "recent-als": Recipe(implicit_als.fit, implicit_als.Config(recency=0.05)),
    "item-cosine": Recipe(item_cosine.fit, item_cosine.Config()),
    "user-cosine": Recipe(user_cosine.fit, user_cosine.Config()),
    "svd": Recipe(svd.fit, svd.Config()),
    "latent-cosine": Recipe(latent_cosine.fit, latent_cosine.Config()),
    "ease": Recipe(ease.fit, ease.Config()),
    "markov": Recipe(markov.fit, markov.Config()),
    "ncf": Recipe(ncf.fit, ncf.Config()),
    "two-tower": Recipe(two_tower.fit, two_tower.Config()),
    **{name: Recipe(fitting.fit, sequence.Config(encoder=name), is_long=True) for name in ENCODERS},
    "hybrid": Recipe(_hybrid, hybrid.Config(), is_long=True),
}


def fit(
    name: str,
    train: Interactions,
    *,
    settings: Mapping[str, float] | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
    curve: Curve | None = None,
    checkpoints: Path | None = None,
) -> Model:
    """Return the model of that name, fitted with some of its settings replaced. Raises UnknownModel.

    A model that takes long to learn tells `curve` of every epoch, and goes on from what stands in the folder
    `checkpoints`; its setting `minutes` is how long it may take.
    """
    if name not in MODELS:
        raise UnknownModel("model_unknown", f"{name} is none of {', '.join(MODELS)}.")
    recipe = MODELS[name]
    defaults = asdict(recipe.config)
    if strange := sorted(set(settings or {}) - set(defaults)):
        raise UnknownModel("setting_unknown", f"{name} has {', '.join(defaults)}, not {', '.join(strange)}.")
    told = {key: type(defaults[key])(value) for key, value in (settings or {}).items()}
    also: dict[str, Any] = {"curve": curve, "checkpoints": checkpoints} if recipe.is_long else {}
    config = replace(recipe.config, **told)
    fitted = recipe.fit(train, config=config, seed=seed, device=device, progress=progress, **also)
    return replace(fitted, name=name)
