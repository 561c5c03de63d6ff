"""What a training has reached, on disk, so that one that was killed goes on and ends as if nothing had happened."""

import logging
import pickle
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from recommender.ml.interactions import Interactions
from recommender.ml.sequence.config import Config

NAME = "checkpoint.pt"

log = logging.getLogger(__name__)


def of(data: Interactions, config: Config, seed: int) -> dict[str, Any]:
    """Return what a checkpoint must have been written for: the same data, config and seed."""
    columns = (data.viewer, data.item, data.at, data.positive)
    return {"config": asdict(config), "seed": seed, "data": [zlib.crc32(column.tobytes()) for column in columns]}


def write(folder: Path, state: dict[str, Any], *, made_for: dict[str, Any]) -> None:
    """Write the state whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{NAME}"
    torch.save({"made_for": made_for, **state}, half)
    half.replace(folder / NAME)


def read(folder: Path, *, made_for: dict[str, Any]) -> dict[str, Any] | None:
    """Return the state of a training of the same data, config and seed; None when there is none to go on from."""
    try:
        state: dict[str, Any] = torch.load(folder / NAME, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError):
        log.exception("%s cannot be read; training begins anew", folder / NAME)
        return None
    return state if state["made_for"] == made_for else None
