"""What privacy costs: how wrong a creator's counts are, and how well they still rank topics, for each ε.

`python -m bench.privacy`. Audiences of several sizes whose 30 topics are liked by Zipf's law, each answered a thousand
times with the noise that creators are told. The baseline is the true count: an error of 0 and an NDCG of 1.
"""

import argparse
import json
import random
from statistics import fmean

import numpy as np

from recommender.ml.portraits.privacy import expected_error, noised

TOPICS, TIMES, K = 30, 1_000, 10
HISTOGRAMS = 4  # that share the ε of an answer
EPSILONS = (0.1, 0.3, 1.0, 3.0, 10.0)
AUDIENCES = (100, 1_000, 10_000)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    rng = random.Random(0)
    rows = [row(audience, epsilon, rng) for audience in AUDIENCES for epsilon in EPSILONS]
    print(json.dumps({"benchmark": "privacy", "topics": TOPICS, "times": TIMES, "rows": rows}))


def row(audience: int, epsilon: float, rng: random.Random) -> dict[str, float]:
    """Return the mean error of a cell, as a count and as a share of the audience, and the mean NDCG@10."""
    share = 1 / np.arange(1, TOPICS + 1)
    true = {f"{topic:02}": round(audience * part) for topic, part in enumerate(share / share.sum())}
    answers = [noised(true, epsilon=epsilon / HISTOGRAMS, rng=rng) for _ in range(TIMES)]
    error = fmean(abs(answer[name] - count) for answer in answers for name, count in true.items())
    return {
        "audience": audience,
        "epsilon": epsilon,
        "error": round(error, 2),
        "error_unclipped": round(expected_error(epsilon / HISTOGRAMS), 2),
        "error_share": round(error / audience, 4),
        "ndcg@10": round(fmean(ndcg(true, answer) for answer in answers), 4),
    }


def ndcg(true: dict[str, int], told: dict[str, int]) -> float:
    """Return NDCG@10 of the topics in the order told, where a topic is worth the viewers that it truly has."""
    discount = 1 / np.log2(np.arange(K) + 2)
    ranked = sorted(told, key=lambda name: (-told[name], name[::-1]))[:K]
    gained = np.array([true[name] for name in ranked])
    best = np.sort(list(true.values()))[::-1][:K]
    return float(gained @ discount / (best @ discount))


if __name__ == "__main__":
    main()
