"""What every model can do. Knows no torch, so that web processes can hold models. Shapes: U viewers, V items."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.interactions import Interactions

FACTS = "model.json"  # in the folder of a saved model: at least its family and its name

Progress = Callable[[int, int], object]  # told how many of how many steps of a fit are done


class Point(NamedTuple):
    """An epoch of a fit that goes on for long."""

    step: int
    loss: float | None
    quality: float | None  # on what was held back, higher is better; None where it was not looked at
    seconds: float  # since the fit began


Curve = Callable[[Point], object]  # told of every epoch


class Scorer(Protocol):
    """Whatever ranks items."""

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return the score of every item for viewers (B,), codes of `data`, from their history there: (B, V).

        `data` speaks in the model's item codes: see `Interactions.in_words_of`.
        """
        ...


class Model(Scorer, Protocol):
    """A frozen dataclass that scores all of its items for viewers of whom it knows the history alone."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str:
        """Return its name in `models.MODELS`."""
        ...

    @property
    def item_ids(self) -> Longs:
        """Return the ids (V,) of the items it knows, sorted."""
        ...

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder, so that `saved.load` finds it again."""
        ...
