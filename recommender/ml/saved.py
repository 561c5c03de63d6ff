"""Find a saved model again, whatever its family; without torch, so that web processes can."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from recommender.ml import item_to_item, latent_cosine, user_cosine
from recommender.ml.factors import Factors
from recommender.ml.item_to_item import ItemToItem
from recommender.ml.latent_cosine import LatentCosine
from recommender.ml.model import FACTS, Model
from recommender.ml.user_cosine import UserCosine

FAMILIES: Mapping[str, Callable[[Path], Model]] = {
    "factors": Factors.load,
    item_to_item.FAMILY: ItemToItem.load,
    latent_cosine.FAMILY: LatentCosine.load,
    user_cosine.FAMILY: UserCosine.load,
}


def load(folder: Path) -> Model:
    """Return the model of a folder, its arrays memory-mapped. Raises OSError, ValueError, KeyError or TypeError."""
    facts = json.loads((folder / FACTS).read_text())
    return FAMILIES[facts.get("family", "factors")](folder)
