"""Find a saved part of a version again, whatever its family; without torch, so that web processes can."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from recommender.ml import blended, cold, item_to_item, latent_cosine, markov, pair_network, social, towers, user_cosine
from recommender.ml.cold import Cold
from recommender.ml.factors import Factors
from recommender.ml.item_to_item import ItemToItem
from recommender.ml.latent_cosine import LatentCosine
from recommender.ml.model import FACTS
from recommender.ml.pair_network import PairNetwork
from recommender.ml.ranker import ranker
from recommender.ml.sequence import served
from recommender.ml.sequence.served import SequenceModel
from recommender.ml.social import Social
from recommender.ml.towers import Towers
from recommender.ml.user_cosine import UserCosine

FAMILIES: Mapping[str, Callable[[Path], Any]] = {
    "factors": Factors.load,
    item_to_item.FAMILY: ItemToItem.load,
    cold.FAMILY: Cold.load,
    latent_cosine.FAMILY: LatentCosine.load,
    ranker.FAMILY: ranker.Ranker.load,
    markov.FAMILY: markov.Markov.load,
    pair_network.FAMILY: PairNetwork.load,
    served.FAMILY: SequenceModel.load,
    social.FAMILY: Social.load,
    towers.FAMILY: Towers.load,
    user_cosine.FAMILY: UserCosine.load,
    blended.FAMILY: lambda folder: blended.load(folder, part=load),
}


def load(folder: Path) -> Any:
    """Return the part of a folder, its arrays memory-mapped. Raises OSError, ValueError, KeyError or TypeError."""
    facts = json.loads((folder / FACTS).read_text())
    return FAMILIES[facts.get("family", "factors")](folder)
