"""How fast the sequence model learns where there is an accelerator, and how near that is to what the device can do.

    python -m bench.gpu --data ../shared/data/ml-1m            # until NDCG@10 .182 on what is held back
    python -m bench.gpu --case education --viewers 1000000     # K1: 10⁴ courses, as many viewers as told
    python -m bench.gpu --case education --viewers 2000 --epochs 1 --device cpu   # the same, small

Prints a JSON object: time, places a second, and the share of the computed limit. A place costs
6 · (12 D² · layers + scored · D) FLOP, forth and back; the limit is the time of that at the rate of a large product of
matrices, measured on the same device a moment before. Without an accelerator the figures are those of the processor,
and say so.
"""

import argparse
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recommender.ml.interactions import Interactions, gather
from recommender.ml.model import Point
from recommender.ml.reading import read_folder
from recommender.ml.sequence.config import Config, settled
from recommender.ml.sequence.fitting import fit
from recommender.ml.sequence.learner import narrow
from recommender.ml.sequence.processes import chosen
from recommender.ml.splits import leave_one_out

MARK = 0.182  # NDCG@10 on ml-1m
COURSES, EACH, TASTES = 10_000, 20, 100  # of the case K1
SIDE = {"cuda": 8_192, "cpu": 1_024}  # of the matrices whose product is timed
ROUNDS = 10


class Reached(Exception):
    """The mark is."""


def main() -> None:
    """Measure what is asked for."""
    asked = _asked()
    device = chosen(asked.device)
    data = leave_one_out(read_folder(asked.data)).train if asked.data else education(asked.viewers)
    config = Config(encoder=asked.encoder, epochs=asked.epochs, tokens=asked.tokens, every=1 if asked.data else 0)
    print(json.dumps(measured(data, config=config, device=device, mark=asked.mark if asked.data else None)))


def measured(data: Interactions, *, config: Config, device: str, mark: float | None) -> dict[str, Any]:
    """Return the figures of a training that ends at the mark, or after its epochs."""
    config = settled(config, lengths=np.diff(data.starts), items=data.shape[1])
    rate = flops(device)
    points: list[Point] = []

    def watch(point: Point) -> None:
        points.append(point)
        if mark and (point.quality or 0) >= mark:
            raise Reached

    began = time.perf_counter()
    with suppress(Reached):
        fit(data, config=config, device=device, curve=watch)
    seconds = time.perf_counter() - began
    places = int(np.minimum(np.diff(data.starts) - 1, config.length).clip(0).sum())
    work = places * len(points) * work_of_a_place(config, items=data.shape[1])
    return {
        "device": torch.cuda.get_device_name() if device.startswith("cuda") else "cpu",
        "is_accelerated": device.startswith("cuda"),
        "viewers": data.shape[0],
        "items": data.shape[1],
        "epochs": len(points),
        "seconds": round(seconds, 2),
        "mark": mark,
        "seconds_to_mark": _reached(points, mark),
        "best_ndcg@10": max((point.quality or 0 for point in points), default=0),
        "places_per_second": round(places * len(points) / seconds),
        "tflops": round(work / seconds / 1e12, 3),
        "limit_tflops": round(rate / 1e12, 3),
        "share_of_limit": round(work / seconds / rate, 4),
        "width": config.width,
        "layers": config.layers,
        "tokens": config.tokens,
    }


def work_of_a_place(config: Config, *, items: int) -> int:
    """Return the FLOP of one place, forth and back."""
    scored = config.negatives or items
    return 6 * (12 * config.width**2 * config.layers + scored * config.width)


def flops(device: str) -> float:
    """Return how many operations a second a large product of matrices has, in the format that training uses."""
    side = SIDE[torch.device(device).type]
    dtype = torch.bfloat16 if narrow(device) else torch.float32
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    times = [_timed(lambda: a @ b, device) for _ in range(ROUNDS)]
    return float(2 * side**3 / min(times))


def education(viewers: int, *, seed: int = 0) -> Interactions:
    """Return viewers with twenty courses each, three quarters of them of their own taste of a hundred."""
    rng = np.random.default_rng(seed)
    taste = np.repeat(rng.integers(0, TASTES, viewers), EACH)
    own = taste + TASTES * rng.integers(0, COURSES // TASTES, viewers * EACH)
    items = np.where(rng.random(len(own)) < 0.75, own, rng.integers(0, COURSES, len(own)))
    return gather(
        viewers=np.repeat(np.arange(viewers), EACH),
        items=items,
        at=np.tile(np.arange(EACH), viewers) * 86_400_000,
        weight=np.ones(len(items), np.float32),
        positive=np.ones(len(items), np.bool_),
        known_items=np.arange(COURSES),
    )


def _timed(do: Callable[[], object], device: str) -> float:
    began = time.perf_counter()
    do()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _reached(points: list[Point], mark: float | None) -> float | None:
    return next((round(point.seconds, 2) for point in points if mark and (point.quality or 0) >= mark), None)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, help="folder with interactions.parquet, learned until the mark")
    what.add_argument("--case", choices=["education"], help="K1, generated")
    parser.add_argument("--viewers", type=int, default=1_000_000)
    parser.add_argument("--encoder", default="transformer")
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=0)
    parser.add_argument("--mark", type=float, default=MARK)
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


if __name__ == "__main__":
    main()
