"""What a varied page costs: pages of a model re-ranked by MMR and DPP, beside the model's own order.

`python -m bench.diversity --data <folder> [--model recent-als] [--viewers 2000]`. A time split; the model's best 100
items that a viewer has not met are put in order as the feed does, by relevance from 0 to 1 and the directions of the
model's item vectors. Printed for each way: NDCG@10 and its loss, intra-list diversity by tags and creators, the entropy
of a page's topics in bits, how many of a page's topics the viewer had never met, and how unequally items are shown.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench import site
from recommender.ml import models
from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.dpp import Dpp
from recommender.ml.evaluation import TIME_SPLIT, Question, judge, splits
from recommender.ml.interactions import Interactions
from recommender.ml.latent_cosine import unit
from recommender.ml.mmr import Mmr
from recommender.ml.model import Scorer
from recommender.ml.ranker.facts import Items
from recommender.ml.ranking import recommend
from recommender.ml.reading import read_folder
from recommender.ml.splits import Split

PAGE, CANDIDATES = 10, 100
WAYS: dict[str, Callable[[Floats], Any] | None] = {
    "none": None,
    "mmr 0.1": lambda vectors: Mmr(vectors, diversity=0.1),
    "mmr 0.3": lambda vectors: Mmr(vectors, diversity=0.3),
    "mmr 0.5": lambda vectors: Mmr(vectors, diversity=0.5),
    "dpp 0.1": lambda vectors: Dpp(vectors, diversity=0.1),
    "dpp 0.3": lambda vectors: Dpp(vectors, diversity=0.3),
}


@dataclass(frozen=True)
class Reranked:
    """A model whose first places are given out one after the other, each beside those that stand."""

    model: Scorer
    directions: Floats  # (V, D)
    way: Callable[[Floats], Any]

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return the model's scores (B, V), those of the page's items above all others, in the page's order."""
        scores = np.array(self.model.score(data, viewers), np.float32)
        seen = data.ratings_of(viewers).tocoo()
        scores[seen.row, seen.col] = -np.inf
        for row in scores:
            best = np.argsort(-row)[:CANDIDATES]
            best = best[np.isfinite(row[best])]
            page = best[self.placed(row[best], self.directions[best])]
            row[page] = row[best].max() + np.arange(len(page), 0, -1)
        return scores

    def placed(self, scores: Floats, vectors: Floats) -> list[int]:
        """Return the places (k,) of candidates (N,) in the order of the page."""
        low, high = scores.min(), scores.max()
        relevance = (scores - low) / max(float(high - low), 1e-9)
        unlike, page = self.way(vectors), list[int]()
        for _ in range(min(PAGE, len(scores))):
            told = unlike.scores(relevance)
            told[page] = -np.inf
            page.append(int(told.argmax()))
            unlike.place(vectors[page[-1]])
        return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="recent-als", help="one that has item_vectors")
    parser.add_argument("--viewers", type=int, default=2_000, help="judged")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    split = _sampled(asked)
    fitted: Any = models.fit(asked.model, split.train, seed=asked.seed)
    rows = compare(fitted, split)
    told = {"bench": "diversity", "data": asked.data.name, "model": asked.model, "viewers": asked.viewers}
    print(json.dumps({**told, "ways": rows, "machine": site.machine()}))


def _sampled(asked: argparse.Namespace) -> Split:
    (split,) = splits(read_folder(asked.data), Question(asked.data, TIME_SPLIT, asked.model))
    rng = np.random.default_rng(asked.seed)
    chosen = rng.permutation(np.intersect1d(split.test.viewer, split.train.viewer))[: asked.viewers]
    return replace(split, test=split.test.where(np.isin(split.test.viewer, chosen)))


def compare(fitted: Any, split: Split) -> dict[str, dict[str, float]]:
    """Return the figures of every way to put the pages in order."""
    directions = np.nan_to_num(unit(np.asarray(fitted.item_vectors)))
    rows: dict[str, dict[str, float]] = {}
    for name, way in WAYS.items():
        model = Reranked(fitted, directions, way) if way else fitted
        judged = judge(model, split, k=PAGE)
        pages = recommend(model, data=split.history, viewers=judged.viewers, k=PAGE)
        figures = {of: float(judged.scores[f"{of}@{PAGE}"].mean()) for of in ("ndcg", "ild", "novelty")}
        rows[name] = figures | _topics(pages, judged.viewers, split.history) | {"gini": judged.gini}
    usual = rows["none"]["ndcg"]
    for row in rows.values():
        row["ndcg_loss"] = 1 - row["ndcg"] / usual if usual else 0.0
    return {name: {of: round(value, 4) for of, value in row.items()} for name, row in rows.items()}


def _topics(pages: Ints, viewers: Ints, history: Interactions) -> dict[str, float]:
    """Return the mean entropy of the pages' topics, and how many of these topics their viewers had never met."""
    topic: Longs = Items.of(history.item_ids, history.attributes).topic
    entropies, new = [], []
    for page, viewer in zip(topic[pages], viewers.tolist(), strict=True):
        share = np.unique(page, return_counts=True)[1] / len(page)
        entropies.append(float(-(share * np.log2(share)).sum()))
        new.append(len(np.setdiff1d(page, topic[history.item[history.of(viewer)]])))
    return {"topic_entropy": float(np.mean(entropies)), "new_topics": float(np.mean(new))}


if __name__ == "__main__":
    main()
