"""Find a saved model again, whatever its family; without torch, so that web processes can."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from recommender.ml.factors import Factors
from recommender.ml.model import FACTS, Model

FAMILIES: Mapping[str, Callable[[Path], Model]] = {"factors": Factors.load}


def load(folder: Path) -> Model:
    """Return the model of a folder, its arrays memory-mapped. Raises OSError, ValueError, KeyError or TypeError."""
    facts = json.loads((folder / FACTS).read_text())
    return FAMILIES[facts.get("family", "factors")](folder)
