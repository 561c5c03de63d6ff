"""What viewers are interested in, as found in what they did and as they say themselves: the last word is theirs."""

from recommender.ml.arrays import Floats
from recommender.ml.portraits.block import Block
from recommender.ml.portraits.interests import Contents, interests
from recommender.ml.signals import WEIGHTS

CHOSEN = WEIGHTS["like"]  # a chosen dimension counts as a like of just now


def wishes(block: Block, strength: Floats, contents: Contents) -> Floats:
    """Return P (U, D) from a block's events with decayed ratings (N,).

    What a viewer wants counts at least as a like of just now; what they do not want is 0, whatever they watched.
    """
    found = interests(block.viewer, block.item, strength, viewers=block.viewers, contents=contents)
    of, is_wanted = block.chosen, block.chosen.is_wanted
    wanted = of.viewer[is_wanted], of.dimension[is_wanted]
    found[wanted] = found[wanted].clip(0) + CHOSEN
    found[of.viewer[~is_wanted], of.dimension[~is_wanted]] = 0
    return found
