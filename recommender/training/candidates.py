"""Which models a training tries: all that suit the sizes of the data, within the time and the memory there are.

What a fit costs is foreseen from the sizes, roughly: the numbers were measured on two cores and are meant to tell
seconds from hours. A model that would cost too much is left out and the reason kept, or made smaller where it can be.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
from django.conf import settings

from recommender.ml import ease, models
from recommender.ml.interactions import Interactions
from recommender.training import devices
from recommender.training.memory import available_mb

ALS, RECENT_ALS = "implicit-als", "recent-als"
BIAS = ("recency", "days")  # settings in which `recent-als` may differ from ALS and yet be the same fit
USUAL = ("popularity", "recent-popularity")  # what a candidate has to beat
LONG = ("transformer", "gru")  # of those that learn for as long as one lets them
LONG_FROM = 150_000  # events; fewer do not pay for the minutes that a sequence model takes
LONG_FROM_ON_A_CARD = 20_000
NETWORKS = ("two-tower", "ncf")
NETWORK_FROM = 20_000  # events from which they are tried
FEWEST_MINUTES = 0.5  # below which a sequence model has learned nothing yet
SHARE_OF_ONE = 0.2  # of the training's time, for one fit of a model that does not learn for long
SHARE_OF_LONG = 0.7  # of the training's time, for all fits of those that do
SHARE_OF_OTHERS = 0.2  # of the training's time, for all others until they are judged, and of LONG where none is tried
SHARE_OF_MEMORY = 0.7  # of what is free
SERVED_CELLS = 6_400_000  # items × factors that a web process multiplies in a few milliseconds
FACTORS = (16, 128)  # at least, at most
MOST_SERVED = 500_000  # events that a model which keeps them all may be asked about at every request
CHEAP = 3_000_000  # events up to which the simple ones are tried beside the strong ones
MB = 1e6

Kind = str
KINDS: Mapping[str, Kind] = {
    ALS: "factors",
    RECENT_ALS: "factors",
    "biased-mf": "factors",
    "svd": "factors",
    "latent-cosine": "factors",
    "ease": "neighbours",
    "item-cosine": "neighbours",
    "user-cosine": "neighbours",
    "markov": "steps",
    "ncf": "network",
    "two-tower": "towers",
    **dict.fromkeys(LONG, "sequence"),
}


class Sizes(NamedTuple):
    """How much there is to learn from."""

    viewers: int
    items: int
    events: int
    pairs: int  # of events of one viewer: what comparing items costs

    @classmethod
    def of(cls, data: Interactions) -> Self:
        """Return the sizes of some data."""
        each = np.diff(data.starts)
        return cls(*data.shape, len(data), int(np.square(each).sum()))


@dataclass(frozen=True)
class Budget:
    """What a training may cost."""

    minutes: float
    memory_mb: float
    cards: int = 0
    long_from: int = LONG_FROM
    long: tuple[str, ...] = LONG

    @classmethod
    def usual(cls) -> Self:
        """Return what the settings allow, on this machine as it is now."""
        cards = devices.cards()
        long_from = LONG_FROM_ON_A_CARD if cards else LONG_FROM
        memory = settings.TRAINING_MEMORY_MB or SHARE_OF_MEMORY * available_mb()
        return cls(settings.TRAINING_MINUTES, memory, cards, long_from)

    @property
    def seconds_of_one(self) -> float:
        return 60 * self.minutes * SHARE_OF_ONE

    def seconds_of_others(self, *, is_long_tried: bool) -> float:
        """Return what all fits of those that do not learn for long may take; what is left is for fitting anew."""
        return 60 * self.minutes * SHARE_OF_OTHERS if is_long_tried else self.seconds_until_judged

    @property
    def seconds_until_judged(self) -> float:
        """Return how long after the first one no further model is tried."""
        return 60 * self.minutes * (SHARE_OF_OTHERS + SHARE_OF_LONG / 2)

    @property
    def minutes_of_long(self) -> float:
        """Return how long each fit may learn: every model is fitted to be judged, and may be fitted on everything."""
        return self.minutes * SHARE_OF_LONG / (2 * max(len(self.long), 1))


@dataclass(frozen=True)
class Candidate:
    """A model that is tried, and what it will cost as far as can be foreseen."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    mb: float = 0.0

    @property
    def is_long(self) -> bool:
        return models.MODELS[self.name].is_long

    @property
    def kind(self) -> Kind:
        return KINDS.get(self.name, self.name)

    def is_fit_of(self, als: "Candidate | None") -> bool:
        """Return whether it is `recent-als` with the factors of this ALS: the same fit with another bias."""
        return self.name == RECENT_ALS and als is not None and _but_for_bias(self) == _but_for_bias(als)


@dataclass(frozen=True)
class Plan:
    """Which are tried, the cheapest first, and why the others are not."""

    tried: tuple[Candidate, ...]
    left_out: Mapping[str, str]

    def told(self, budget: Budget) -> dict[str, Any]:
        """Return it as the training's row keeps it."""
        foreseen = {of.name: {"seconds": round(of.seconds, 1), "mb": round(of.mb, 1)} for of in self.tried}
        return {
            "minutes": budget.minutes,
            "memory_mb": round(budget.memory_mb),
            "tried": foreseen,
            "left_out": dict(self.left_out),
        }


def planned(sizes: Sizes, budget: Budget, *, found: Mapping[str, Mapping[str, Any]]) -> Plan:
    """Return what to try on data of these sizes; `found` are settings that a search has found, by the model's name."""
    tried, left_out = dict[str, Candidate](), dict[str, str]()
    unsuited = {name: _unsuited(name, sizes, budget) for name in (*COSTS, *budget.long)}
    left = budget.seconds_of_others(is_long_tried=not all(unsuited[name] for name in budget.long))
    for name, reason in unsuited.items():
        if reason:
            left_out[name] = reason
            continue
        wanted = [
            _candidate(name, {**smaller, **found.get(name, {})}, sizes) for smaller in _settings(name, sizes, budget)
        ]
        reasons = [_too_much(of, budget, left=left, als=tried.get(ALS)) for of in wanted]
        if "" in reasons:
            tried[name] = candidate = wanted[reasons.index("")]
            left -= _seconds(candidate, als=tried.get(ALS))
        else:
            left_out[name] = reasons[-1]
    return Plan(tuple(tried.values()), left_out)


def _candidate(name: str, chosen: Mapping[str, Any], sizes: Sizes) -> Candidate:
    seconds, mb = (COSTS if name in COSTS else COSTS_OF_LONG)[name](sizes, chosen)
    return Candidate(name, chosen, seconds, mb)


def _settings(name: str, sizes: Sizes, budget: Budget) -> Iterator[dict[str, Any]]:
    """Yield the settings that suit the sizes, then smaller and smaller ones where there are any."""
    if name in budget.long:
        yield {"minutes": budget.minutes_of_long}
    elif name in (ALS, RECENT_ALS, "biased-mf"):
        factors = int(np.clip(SERVED_CELLS // max(sizes.items, 1), *FACTORS))
        while factors >= FACTORS[0]:
            yield {"factors": factors}
            factors //= 2
    else:
        yield {}


def _unsuited(name: str, sizes: Sizes, budget: Budget) -> str:
    """Return why a model is not for data of these sizes, whatever it costs; nothing when it is."""
    if name in budget.long:
        too_few = "too_few_events" if sizes.events < budget.long_from else ""
        return too_few or ("too_little_time" if budget.minutes_of_long < FEWEST_MINUTES else "")
    if name in NETWORKS and sizes.events < NETWORK_FROM:
        return "too_few_events"
    if name == "ease" and sizes.items > ease.MOST_ITEMS:
        return "too_many_items"
    if name == "user-cosine" and sizes.events > MOST_SERVED:
        return "too_slow_to_serve"
    if name in ("svd", "latent-cosine", "item-cosine") and sizes.events > CHEAP:
        return "others_are_better_at_this_size"
    return ""


def _too_much(candidate: Candidate, budget: Budget, *, left: float, als: Candidate | None) -> str:
    if candidate.mb > budget.memory_mb:
        return "would_take_too_much_memory"
    if candidate.is_long:
        return ""
    if candidate.seconds > budget.seconds_of_one:
        return "would_take_too_long"
    return "no_time_left" if _seconds(candidate, als=als) > left else ""


def _seconds(candidate: Candidate, *, als: Candidate | None) -> float:
    """Return what it takes of the time that those share which do not learn for long."""
    return 0.0 if candidate.is_long or candidate.is_fit_of(als) else candidate.seconds


def _but_for_bias(candidate: Candidate) -> dict[str, Any]:
    return {name: value for name, value in candidate.settings.items() if name not in BIAS}


Cost = Callable[[Sizes, Mapping[str, Any]], tuple[float, float]]  # seconds and MB


def _of_als(sizes: Sizes, chosen: Mapping[str, Any]) -> tuple[float, float]:
    factors, iterations = chosen["factors"], chosen.get("iterations", models.MODELS[ALS].config.iterations)
    cells, rows = sizes.events * factors, (sizes.viewers + sizes.items) * factors
    return iterations * (6.5e-9 * cells + 4e-10 * rows * factors), (60 * sizes.events + 20 * rows) / MB


def _of_mf(sizes: Sizes, chosen: Mapping[str, Any]) -> tuple[float, float]:
    rows = (sizes.viewers + sizes.items) * chosen["factors"]
    return 8e-7 * sizes.events * chosen["factors"], (80 * sizes.events + 16 * rows) / MB


def _of_ease(sizes: Sizes, _chosen: Mapping[str, Any]) -> tuple[float, float]:
    return 3e-11 * sizes.items**3 + 1e-8 * sizes.pairs, 12 * sizes.items**2 / MB


def _of_item_cosine(sizes: Sizes, _chosen: Mapping[str, Any]) -> tuple[float, float]:
    return 3e-8 * sizes.pairs + 2e-8 * sizes.items**2, (40 * sizes.events + 12 * 100 * sizes.items) / MB + 300


def _of_decomposition(sizes: Sizes, _chosen: Mapping[str, Any]) -> tuple[float, float]:
    return 1e-5 * sizes.events, (40 * sizes.events + 1_000 * (sizes.viewers + sizes.items)) / MB


def _of_counting(sizes: Sizes, _chosen: Mapping[str, Any]) -> tuple[float, float]:
    return 2e-7 * sizes.events, 60 * sizes.events / MB


def _of_network(sizes: Sizes, _chosen: Mapping[str, Any]) -> tuple[float, float]:
    return 30 + 1e-4 * sizes.events, 300 + (40 * sizes.events + 2_000 * sizes.items) / MB


def _of_sequence(sizes: Sizes, chosen: Mapping[str, Any]) -> tuple[float, float]:
    return 60 * chosen["minutes"], 400 + (40 * sizes.events + 16 * 128 * sizes.items) / MB


# The cheapest and the surest first: what comes later may be left out without a loss of all.
COSTS: Mapping[str, Cost] = {
    ALS: _of_als,
    RECENT_ALS: _of_als,
    "item-cosine": _of_item_cosine,
    "user-cosine": _of_counting,
    "svd": _of_decomposition,
    "latent-cosine": _of_decomposition,
    "markov": _of_counting,
    "ease": _of_ease,
    "biased-mf": _of_mf,
    **dict.fromkeys(NETWORKS, _of_network),
}
COSTS_OF_LONG: Mapping[str, Cost] = dict.fromkeys(LONG, _of_sequence)
