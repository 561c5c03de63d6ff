"""A trained version as a sealed folder of parts: written whole or not at all, read only if it is what was written.

    <version>/manifest.json             schema, tenant, names of the parts in their order, what events count
    <version>/retrieval-<name>/         one or several models that find candidates, the judged best one first
    <version>/ranker/, <version>/cold/, <version>/social/
                                        where there are some

A part is a saved model: arrays as .npy, ONNX graphs, and model.json that names its family. The seal is the SHA-256 over
the names and contents of all files; it stands in the database. Versions that were written before there were parts are
one model's files without a manifest: they are served as one part.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from recommender.ml import saved
from recommender.ml.blended import Blended
from recommender.ml.factors import Factors
from recommender.ml.model import FACTS
from recommender.ml.signals import WEIGHTS
from recommender.serving.breaker import Breaker
from recommender.serving.bundle import Bundle, retrieval

SCHEMA = 1
MANIFEST = "manifest.json"


class Savable(Protocol):
    """What can be a part of a version."""

    def save(self, folder: Path) -> None:
        """Write it into an existing folder, so that `saved.load` finds it again."""
        ...


class BrokenArtefactError(Exception):
    """A folder that cannot be served; `code` says why in one word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


def store(parts: Mapping[str, Savable], folder: Path, *, tenant_id: int, ratings: Mapping[str, float] = WEIGHTS) -> str:
    """Write the parts of a version into a folder that appears complete or not at all; return its seal.

    Viewers' vectors are left out: they are folded in from the history at every request.
    """
    half = folder.with_name(f".{folder.name}")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    for name, part in parts.items():
        (half / name).mkdir()
        _without_viewers(part).save(half / name)
    manifest = {"schema": SCHEMA, "tenant": tenant_id, "parts": list(parts), "ratings": dict(ratings)}
    (half / MANIFEST).write_text(json.dumps(manifest))
    for path in [*half.rglob("*"), half]:
        _to_disk(path)
    sealed = seal(half)
    half.replace(folder)
    _to_disk(folder.parent)
    return sealed


def load(folder: Path, sealed: str, *, tenant_id: int) -> Bundle:
    """Return the parts of a version, their arrays memory-mapped. Raises BrokenArtefactError."""
    try:
        return _read(folder, sealed, tenant_id)
    except BrokenArtefactError:
        raise
    except FileNotFoundError as error:
        raise BrokenArtefactError("missing", f"{folder} lacks {error.filename}.") from error
    except MemoryError as error:
        raise BrokenArtefactError("out_of_memory", f"There is no memory for {folder}.") from error
    except Exception as error:  # whatever a library says of bytes that it cannot read
        raise BrokenArtefactError("unreadable", f"{folder} cannot be read: {error!r}") from error


def seal(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of all files in a folder."""
    digest = hashlib.sha256()
    for path in _files(folder):
        with path.open("rb") as file:
            name = path.relative_to(folder).as_posix()
            digest.update(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def prune(folder: Path, *, keep: set[str]) -> None:
    """Delete the folders inside that are not to be kept, half-written ones too."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)


def _read(folder: Path, sealed: str, tenant_id: int) -> Bundle:
    if seal(folder) != sealed:
        raise BrokenArtefactError("altered", f"{folder} is not what was sealed.")
    parts = {name: _plain(saved.load(folder / where)) for name, where in _parts(folder, tenant_id).items()}
    bundle = Bundle(
        tenant_id=tenant_id,
        parts=parts,
        nbytes=sum(path.stat().st_size for path in _files(folder)),
        ratings=_ratings(folder),
        breakers={name: Breaker(f"{name} of tenant {tenant_id} in {folder.name}") for name in parts},
    )
    bundle.scans  # noqa: B018  vectors that cannot be rounded are noticed here
    return bundle


def _parts(folder: Path, tenant_id: int) -> dict[str, str]:
    """Return where each part lies inside. Raises BrokenArtefactError for what is not this tenant's or too new."""
    if not (folder / MANIFEST).exists():
        return {retrieval(json.loads((folder / FACTS).read_text())["name"]): "."}
    manifest = json.loads((folder / MANIFEST).read_text())
    if manifest["schema"] != SCHEMA:
        raise BrokenArtefactError("schema_unknown", f"{folder} is written in schema {manifest['schema']}.")
    if manifest["tenant"] != tenant_id:
        raise BrokenArtefactError("foreign", f"{folder} is a model of tenant {manifest['tenant']}.")
    return {name: name for name in manifest["parts"]}


def _ratings(folder: Path) -> Mapping[str, float]:
    """Return by what the version's events were rated: as usual where it does not say."""
    path = folder / MANIFEST
    told = json.loads(path.read_text()).get("ratings", {}) if path.exists() else {}
    return {**WEIGHTS, **told}


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise BrokenArtefactError("missing", f"There is no folder {folder}.")
    return iter(sorted(path for path in folder.rglob("*") if path.is_file()))


def _without_viewers(part: Any) -> Any:
    if isinstance(part, Blended):
        return replace(part, parts=tuple(_without_viewers(of) for of in part.parts))
    if not isinstance(part, Factors):
        return part
    nobody = np.zeros((0, part.item_vectors.shape[1]), np.float32)
    return replace(part, viewer_ids=np.zeros(0, np.int64), viewer_vectors=nobody, trained_on=None)


def _plain(part: Any) -> Any:
    """Return the same mapped memory as plain arrays: numpy is slow with its own memmap class."""
    if not is_dataclass(part) or isinstance(part, type):
        return part
    if isinstance(part, Blended):
        return replace(part, parts=tuple(_plain(of) for of in part.parts))
    held = {field.name: getattr(part, field.name) for field in fields(part) if field.init}
    mapped = {name: np.asarray(value) for name, value in held.items() if isinstance(value, np.memmap)}
    return replace(part, **mapped) if mapped else part


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
