"""The parts of a version that stand beside the model that was judged best."""

from recommender.ml import cold
from recommender.ml.cold import Placed
from recommender.ml.interactions import Interactions
from recommender.ml.model import Model
from recommender.ml.towers import Towers
from recommender.serving.artefacts import Savable
from recommender.serving.bundle import COLD


def beside(model: Model, data: Interactions) -> dict[str, Savable]:
    """Return what can be learned for a model: where items that it does not know belong."""
    if data.attributes is None or not isinstance(model, Placed):
        return {}
    if isinstance(model, Towers):
        return {COLD: model.cold}
    return {COLD: cold.learn(model, data)}
