"""A trained model as a sealed folder: written whole or not at all, and read only if it is what was written."""

import hashlib
import os
import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from recommender.ml.factors import Factors

ARRAYS = [field.name for field in fields(Factors) if field.name.endswith(("_ids", "_vectors", "_bias", "gram"))]


class BrokenArtefactError(Exception):
    """The folder is missing, cannot be read, or is not what was sealed."""


def store(model: Factors, folder: Path) -> str:
    """Write the model into a folder that appears complete or not at all; return its seal.

    Viewers' vectors are left out: they are folded in from the history at every request.
    """
    half = folder.with_name(f".{folder.name}")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    no_viewers = np.zeros((0, model.item_vectors.shape[1]), np.float32)
    replace(model, viewer_ids=np.zeros(0, np.int64), viewer_vectors=no_viewers).save(half)
    for path in [*half.iterdir(), half]:
        _to_disk(path)
    sealed = seal(half)
    half.replace(folder)
    _to_disk(folder.parent)
    return sealed


def load(folder: Path, sealed: str) -> Factors:
    """Return the model of a folder, memory-mapped. Raises BrokenArtefactError."""
    try:
        if seal(folder) != sealed:
            raise BrokenArtefactError(f"{folder} is not what was sealed.")
        return _plain(Factors.load(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenArtefactError(f"{folder} cannot be read: {error}") from error


def _plain(mapped: Factors) -> Factors:
    """Return the same mapped memory as plain arrays: numpy is slow with its own memmap class."""
    arrays: dict[str, Any] = {name: np.asarray(getattr(mapped, name)) for name in ARRAYS}
    return replace(mapped, **arrays)


def seal(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of a folder's files."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            digest.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def prune(folder: Path, *, keep: set[str]) -> None:
    """Delete the folders inside that are not to be kept, half-written ones too."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)


def weight(model: Factors) -> int:
    """Return the bytes of the arrays that serving touches."""
    return model.item_vectors.nbytes + model.item_bias.nbytes + model.item_ids.nbytes


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
