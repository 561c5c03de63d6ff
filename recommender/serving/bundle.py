"""The parts of a stored version, as a web process holds them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recommender.ml.arrays import Floats
from recommender.ml.model import Model
from recommender.ml.signals import WEIGHTS
from recommender.serving.breaker import Breaker
from recommender.serving.scan import WORTH_IT, Scan

RETRIEVAL, RANKER, COLD, SOCIAL = "retrieval-", "ranker", "cold", "social"


def retrieval(name: str) -> str:
    """Return what the part is called that finds candidates by the model of this name."""
    return f"{RETRIEVAL}{name}"


@dataclass(frozen=True)
class Bundle:
    """One version of one tenant: models that find candidates; where it has them a ranker, a cold start, the follows.

    Each part has a breaker of its own, as new as the bundle: a new version starts with a good name.
    """

    tenant_id: int
    parts: Mapping[str, Any]  # by name, in the order in which they were stored
    nbytes: int  # of all files
    ratings: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)  # what events counted when it was learned
    breakers: Mapping[str, Breaker] = field(default_factory=dict, compare=False)

    @cached_property
    def retrieval(self) -> Mapping[str, Model]:
        """Return the models that find candidates, by their names, the one that was judged best first."""
        return {name.removeprefix(RETRIEVAL): part for name, part in self.parts.items() if name.startswith(RETRIEVAL)}

    @property
    def main(self) -> Model:
        """Return the model that was judged best."""
        return next(iter(self.retrieval.values()))

    def models(self) -> Iterator[Any]:
        """Yield the models that find candidates, and after each one those that it is made of."""
        for model in self.retrieval.values():
            yield model
            yield from getattr(model, "parts", ())

    @cached_property
    def scans(self) -> Mapping[int, Scan]:
        """Return the item vectors of those models that have many, rounded, by the model's identity."""
        many = ((id(model), vectors) for model in self.models() if (vectors := vectors_of(model)) is not None)
        return {of: Scan(vectors) for of, vectors in many if len(vectors) >= WORTH_IT}

    @property
    def ranker(self) -> Any:
        return self.parts.get(RANKER)

    @property
    def cold(self) -> Any:
        return self.parts.get(COLD)

    @property
    def social(self) -> Any:
        return self.parts.get(SOCIAL)


def vectors_of(model: Any) -> Floats | None:
    """Return where a model's items lie (V, D), if they lie anywhere."""
    vectors = getattr(model, "item_vectors", getattr(model, "directions", None))
    return vectors if vectors is not None and vectors.shape[1] else None
