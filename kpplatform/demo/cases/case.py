"""What the cases are: how many viewers and items, which signals are told, which model, how long a list."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Self

VIEW, WATCH_TIME, LIKE, SHARE, COMMENT, COMMENT_TEXT = SIGNALS = (
    "view",
    "watch_time",
    "like",
    "share",
    "comment",
    "comment_text",
)
FEWEST_VIEWERS, FEWEST_ITEMS = 40, 100  # of a case made smaller


@dataclass(frozen=True)
class Case:
    """One of the cases, at its full size."""

    name: str
    viewers: int
    items: int
    days: int  # that its viewers have been watching
    signals: tuple[str, ...]  # of SIGNALS: all that the model is told of what they did
    model: str  # of `models.MODELS`
    settings: Mapping[str, float] = field(default_factory=dict)
    places: int = 10  # on a list

    @property
    def tells_views(self) -> bool:
        """Return whether every watch is told, not only what was liked or shared."""
        return VIEW in self.signals or WATCH_TIME in self.signals

    def scaled(self, scale: float) -> Self:
        """Return the case with this share of its viewers and, by its root, of its items."""
        if scale == 1:
            return self
        viewers = max(FEWEST_VIEWERS, round(self.viewers * scale))
        return replace(self, viewers=viewers, items=max(FEWEST_ITEMS, round(self.items * scale**0.5)))


CASES: Mapping[str, Case] = MappingProxyType(
    {
        "education": Case(
            name="education",
            viewers=1_000_000,
            items=10_000,
            days=4,
            signals=(VIEW, LIKE, COMMENT),
            model="recent-als",
            settings={"factors": 64, "iterations": 6},
        ),
        "career": Case(
            name="career",
            viewers=1_000,
            items=1_000,
            days=21,
            signals=(WATCH_TIME, COMMENT, COMMENT_TEXT),
            model="ncf",
            places=5,
        ),
        "health": Case(
            name="health",
            viewers=50_000,
            items=5_000,
            days=30,
            signals=(LIKE, SHARE),
            model="hybrid",
            settings={"minutes": 3},
            places=3,
        ),
    }
)
