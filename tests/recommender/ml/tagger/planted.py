"""A small tagger, and texts whose praise and blame is plain."""

from functools import cache
from itertools import product
from typing import Any

from recommender.ml.tagger.beginning import Sizes
from recommender.ml.tagger.fitting import Config, Epoch, fit
from recommender.ml.tagger.sentences import Sentence, Span
from recommender.ml.tagger.tagger import Tagger

SMALL = Config(epochs=6, batch=16, rate=1e-4, longest=24, sizes=Sizes(width=32, layers=1, heads=2))
OPINIONS = {"Positive": ["讲得很清楚", "good sound", "不难"], "Negative": ["讲得太快", "bad sound", "很难"]}
FRAMES = ["{}。", "我觉得{}，谢谢", "I think {}!", "{}, that is all", "第三节{}"]


def marked(frame: str, opinion: str, label: str) -> Sentence:
    start = frame.index("{}")
    return Sentence(frame.format(opinion), (Span(start, start + len(opinion), label),))


@cache
def reviews() -> tuple[Sentence, ...]:
    said = [(opinion, label) for label, opinions in OPINIONS.items() for opinion in opinions]
    plain = [Sentence("今天开始学。"), Sentence("Which lesson comes first?")]
    return (*(marked(frame, *of) for frame, of in product(FRAMES, said)), *plain)


@cache
def fitted(seed: int = 0) -> tuple[Tagger, list[Epoch]]:
    epochs: list[Epoch] = []
    learned: Any = [*reviews()] * 4
    return fit(learned, reviews(), config=SMALL, seed=seed, told=epochs.append), epochs
