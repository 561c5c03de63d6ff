"""How a page of the feed is put together, as plain values: one row of a tenant's, or what stands here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# Sources of a page, each with its share. They need not add up to 1: what counts is how they stand to each other.
SHARES: Final = ("personal", "similar", "cold", "interests", "followed", "social", "popular", "fresh", "explored")
METHODS: Final = ("mmr", "dpp", "none")


@dataclass(frozen=True)
class Settings:
    """Shares of a page while a source has something to offer (0 switches it off), and what every page keeps to."""

    personal: float = 0.58  # models of the published version, by the whole history
    similar: float = 0.06  # like what the viewer liked last
    cold: float = 0.04  # by what is told of items that the models do not know yet
    interests: float = 0.04  # popular within the topics that the viewer chose
    followed: float = 0.08
    social: float = 0.04  # of creators whom those follow who follow the same ones
    popular: float = 0.06
    fresh: float = 0.10  # trials of new items
    explored: float = 0.04  # any item at all, each equally likely
    model_weights: Mapping[str, float] = field(default_factory=dict)  # within `personal`; see `weight_of`
    per_creator: int = 3  # items on a page, while others have something
    per_topic: float = 0.6  # of a page, while other topics have something
    new_topics: int = 1  # topics on a page that the viewer has not met, while there are any
    method: str = "mmr"  # of METHODS
    diversity: float = 0.15  # how much being unlike the rest of the page counts against relevance
    small_floor: float = 0.05  # of all places, for small creators
    small_followers: int = 100  # a creator with fewer is small
    alike: float = 0.97  # cosine of two items' texts from which they are one and the same

    def weight_of(self, model: str, *, learnt: float | None, is_main: bool) -> float:
        """Return how much a model counts within `personal`: as said here, else as its version has learnt.

        Where neither is known the best one counts fully, and others a quarter.
        """
        return self.model_weights.get(model, (1.0 if is_main else 0.25) if learnt is None else learnt)


DEFAULTS: Final = Settings()
