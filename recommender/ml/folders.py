"""A model on disk: one .npy per array, a sparse matrix as three, and its facts as JSON beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.ml.arrays import Matrix
from recommender.ml.model import FACTS

Arrays = Mapping[str, NDArray[Any] | Matrix]

PARTS = ("data", "indices", "indptr")  # of a sparse matrix


def write(folder: Path, *, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a model's facts, among them its family and name, and its arrays into an existing folder."""
    for name, array in arrays.items():
        for part, values in _parts(name, array).items():
            np.save(folder / f"{part}.npy", values)
    (folder / FACTS).write_text(json.dumps(facts, sort_keys=True))


def facts_of(folder: Path) -> dict[str, Any]:
    """Return what was written beside the arrays."""
    facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
    return facts


def array_of(folder: Path, name: str) -> NDArray[Any]:
    """Return an array as plain numpy over mapped memory, so that processes share it."""
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))


def matrix_of(folder: Path, name: str, *, columns: int) -> Matrix:
    """Return a sparse matrix over mapped memory."""
    data, indices, indptr = (array_of(folder, f"{name}_{part}") for part in PARTS)
    matrix: Matrix = csr_array((data, indices, indptr), shape=(len(indptr) - 1, columns))
    return matrix


def _parts(name: str, array: NDArray[Any] | Matrix) -> dict[str, NDArray[Any]]:
    if isinstance(array, np.ndarray):
        return {name: array}
    return {f"{name}_{part}": getattr(array, part) for part in PARTS}
