"""A stored version is read only if it is whole, unaltered, this tenant's and in a schema that is known."""

import json
from pathlib import Path

import numpy as np
import pytest

from recommender.ml import saved
from recommender.ml.arrays import Floats
from recommender.ml.blended import Blended, Weights
from recommender.ml.factors import Factors
from recommender.serving import artefacts
from recommender.serving import bundle as bundles
from recommender.serving.artefacts import BrokenArtefactError, load, seal, store
from recommender.serving.bundle import retrieval
from recommender.serving.scan import Scan

TENANT = 7


def model(name: str = "als", items: int = 5) -> Factors:
    vectors = np.arange(items * 2, dtype=np.float32).reshape(items, 2)
    return Factors(
        name=name,
        fold="implicit",
        numbers={"alpha": 1.0, "others": items, "mean": items, "reg": 1.0, "power": 0.0},
        viewer_ids=np.arange(3),
        item_ids=np.arange(items),
        viewer_vectors=np.ones((3, 2), np.float32),
        item_vectors=vectors,
        item_bias=np.zeros(items, np.float32),
        gram=vectors.T @ vectors,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "version"


def code(folder: Path, sealed: str, *, tenant_id: int = TENANT) -> str:
    """Return why the version cannot be read."""
    with pytest.raises(BrokenArtefactError) as refused:
        load(folder, sealed, tenant_id=tenant_id)
    return refused.value.code


def test_all_parts_come_back_in_their_order(folder: Path) -> None:
    sealed = store({retrieval("als"): model(), retrieval("b"): model("b", items=9)}, folder, tenant_id=TENANT)

    bundle = load(folder, sealed, tenant_id=TENANT)

    assert list(bundle.retrieval) == ["als", "b"]
    assert bundle.main.name == "als"
    assert bundle.ranker is bundle.cold is None
    np.testing.assert_array_equal(bundle.retrieval["b"].item_ids, np.arange(9))


def test_arrays_stay_on_disk_and_viewers_are_not_written(folder: Path) -> None:
    bundle = load(folder, store({retrieval("als"): model()}, folder, tenant_id=TENANT), tenant_id=TENANT)

    main = bundle.main
    assert isinstance(main, Factors)
    assert type(main.item_vectors) is np.ndarray
    assert isinstance(main.item_vectors.base, np.memmap)
    assert len(main.viewer_ids) == 0
    assert bundle.nbytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_of_blended_models_viewers_are_not_written_either(folder: Path) -> None:
    weights = Weights({"als": 0.5, "other": 0.5}, {"als": 1.0, "other": 1.0})
    blended = Blended.of("hybrid", [model("als"), model("other")], weights)

    main = load(folder, store({retrieval("hybrid"): blended}, folder, tenant_id=TENANT), tenant_id=TENANT).main

    assert isinstance(main, Blended)
    assert [len(part.viewer_ids) for part in main.parts if isinstance(part, Factors)] == [0, 0]
    assert all(type(part.item_vectors) is np.ndarray for part in main.parts if isinstance(part, Factors))


def test_nothing_half_written_is_left_when_a_part_cannot_be_saved(folder: Path) -> None:
    class Unsavable:
        def save(self, folder: Path) -> None:
            raise OSError("The disk is full.")

    with pytest.raises(OSError, match="full"):
        store({retrieval("als"): model(), "ranker": Unsavable()}, folder, tenant_id=TENANT)

    assert not folder.exists()


def test_a_truncated_file_is_refused(folder: Path) -> None:
    sealed = store({retrieval("als"): model()}, folder, tenant_id=TENANT)
    vectors = folder / "retrieval-als" / "item_vectors.npy"

    vectors.write_bytes(vectors.read_bytes()[:-7])

    assert code(folder, sealed) == "altered"
    assert code(folder, seal(folder)) == "unreadable"


def test_a_file_too_many_is_refused(folder: Path) -> None:
    sealed = store({retrieval("als"): model()}, folder, tenant_id=TENANT)

    (folder / "retrieval-als" / "more.npy").write_bytes(b"")

    assert code(folder, sealed) == "altered"


def test_a_lost_folder_and_a_lost_file_are_missing(folder: Path) -> None:
    assert code(folder, "") == "missing"
    store({retrieval("als"): model()}, folder, tenant_id=TENANT)

    (folder / "retrieval-als" / "model.json").unlink()

    assert code(folder, seal(folder)) == "missing"


def test_another_tenants_model_is_refused_whoever_has_sealed_it(folder: Path) -> None:
    sealed = store({retrieval("als"): model()}, folder, tenant_id=8)

    assert code(folder, sealed) == "foreign"


def test_a_schema_of_the_future_is_refused(folder: Path) -> None:
    store({retrieval("als"): model()}, folder, tenant_id=TENANT)
    manifest = json.loads((folder / artefacts.MANIFEST).read_text())

    (folder / artefacts.MANIFEST).write_text(json.dumps(manifest | {"schema": artefacts.SCHEMA + 1}))

    assert code(folder, seal(folder)) == "schema_unknown"


def test_a_family_that_is_not_known_here_is_refused(folder: Path) -> None:
    store({retrieval("als"): model()}, folder, tenant_id=TENANT)

    (folder / "retrieval-als" / "model.json").write_text('{"family": "of tomorrow", "name": "als"}')

    assert code(folder, seal(folder)) == "unreadable"


def test_too_little_memory_is_told_from_broken_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = store({retrieval("als"): model()}, folder, tenant_id=TENANT)

    def too_large(folder: Path) -> Factors:
        raise MemoryError

    monkeypatch.setattr(saved, "FAMILIES", {"factors": too_large})

    assert code(folder, sealed) == "out_of_memory"


def test_too_little_memory_to_round_vectors_is_noticed_when_they_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = store({retrieval("als"): model()}, folder, tenant_id=TENANT)

    def too_large(vectors: Floats) -> Scan:
        raise MemoryError

    monkeypatch.setattr(bundles, "WORTH_IT", 1)
    monkeypatch.setattr(bundles, "Scan", too_large)

    assert code(folder, sealed) == "out_of_memory"


def test_what_was_stored_before_there_were_parts_is_served_as_one(folder: Path) -> None:
    folder.mkdir()
    model("recent-als").save(folder)
    facts = json.loads((folder / "model.json").read_text())
    del facts["family"]  # it was not written then
    (folder / "model.json").write_text(json.dumps(facts))

    bundle = load(folder, seal(folder), tenant_id=TENANT)

    assert list(bundle.retrieval) == ["recent-als"]
    np.testing.assert_array_equal(bundle.main.item_ids, np.arange(5))
