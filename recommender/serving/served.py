"""A version as a web process serves it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

from recommender.ml.arrays import Longs
from recommender.ml.interactions import Interactions
from recommender.serving.bundle import Bundle, retrieval
from recommender.serving.catalogue import Catalogue
from recommender.serving.page import Offer
from recommender.serving.retrieval import Index


@dataclass(frozen=True)
class Served:
    """The parts of a version beside the catalogue of the moment. Each part is asked through its breaker."""

    version: int
    bundle: Bundle
    indexes: Mapping[str, Index]  # by the model's name, the one that was judged best first

    @classmethod
    def of(cls, version: int, bundle: Bundle, catalogue: Catalogue) -> Self:
        """Return the version with its items as the catalogue has them now."""
        return cls(version, bundle, {name: Index.of(model, catalogue) for name, model in bundle.retrieval.items()})

    def best(self, name: str, history: Interactions, *, hidden: Collection[int], granted: Longs, k: int) -> list[Offer]:
        """Return a model's k best items for the history (see Index.best); nothing while the model fails or is slow."""
        index = self.indexes[name]
        return self.bundle.breakers[retrieval(name)].call(
            lambda: index.best(history, hidden=hidden, granted=granted, k=k), otherwise=[]
        )

    @property
    def nbytes(self) -> int:
        return self.bundle.nbytes + sum(index.nbytes for index in self.indexes.values())
