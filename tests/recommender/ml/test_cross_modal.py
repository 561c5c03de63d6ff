"""What is told of an item in one modality finds it by another: on items that no projector has seen."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from recommender.ml import cross_modal
from recommender.ml.arrays import Floats
from recommender.ml.cross_modal import Config, CrossModal, info_nce, nearest
from recommender.ml.interactions import BrokenData

LEARNED, NEW = 600, 60
SMALL = Config(width=16, hidden=48, steps=300)
NOTHING = np.float32(np.nan)


@cache
def planted() -> dict[str, Floats]:
    """Return texts, pictures and frames of items: three views of what an item is about, bent and noisy.

    A third of the items that are learned from lack a text, a third a picture.
    """
    rng = np.random.default_rng(0)
    about = rng.normal(size=(LEARNED + NEW, 6))
    views: dict[str, Floats] = {}
    for modality, width in (("text", 32), ("image", 40), ("frames", 24)):
        bent = np.tanh(about @ rng.normal(size=(6, width)) / 2)
        views[modality] = (bent + 0.1 * rng.normal(size=bent.shape)).astype(np.float32)
    views["text"][: LEARNED // 3] = NOTHING
    views["image"][LEARNED // 3 : 2 * LEARNED // 3] = NOTHING
    return views


@cache
def learned() -> CrossModal:
    return cross_modal.learn({modality: of[:LEARNED] for modality, of in planted().items()}, config=SMALL)


def new(modality: str) -> Floats:
    return planted()[modality][LEARNED:]


def hit(asked: Floats, items: Floats, *, k: int) -> float:
    found = nearest(asked, items, k=k)
    return float((found == np.arange(len(asked))[:, None]).any(1).mean())


@pytest.mark.parametrize(
    ("asked", "among"), [("text", "frames"), ("image", "text")], ids=["text→video", "image→course"]
)
def test_an_item_is_found_by_another_modality(asked: str, among: str) -> None:
    """By chance a twelfth of them would be among the first five of sixty."""
    model = learned()

    assert hit(model.embed(asked, new(asked)), model.embed(among, new(among)), k=5) > 0.8


def test_what_an_item_lacks_is_not_missed() -> None:
    """Every second new video has no frames, and is found by its picture alone; the rest by both."""
    model, frames = learned(), new("frames").copy()
    frames[::2] = NOTHING

    items = model.items({"frames": frames, "image": new("image")})

    assert np.isfinite(items).all()
    found = (nearest(model.embed("text", new("text")), items, k=5) == np.arange(NEW)[:, None]).any(1)
    assert found[::2].mean() > 0.7
    assert found[1::2].mean() > 0.8


def test_of_which_nothing_is_told_is_like_nothing() -> None:
    model = learned()

    items = model.items({"text": np.full((1, 32), NOTHING), "image": np.full((1, 40), NOTHING)})

    assert not items.any()


def test_pairs_at_right_angles_are_found_for_sure_and_equal_ones_by_chance() -> None:
    """Two items: with sharpness 50 the loss is log(1 + e⁻⁵⁰); where all is one, log 2."""
    apart, same = torch.eye(2), torch.ones(2, 2)

    assert info_nce(apart, apart, torch.tensor(50.0)).item() == pytest.approx(0, abs=1e-6)
    assert info_nce(same, same, torch.tensor(50.0)).item() == pytest.approx(np.log(2))


def test_one_batch_is_learned_by_heart() -> None:
    rng = np.random.default_rng(0)
    pairs = {modality: rng.normal(size=(16, 8)).astype(np.float32) for modality in ("text", "image")}

    model = cross_modal.learn(pairs, config=Config(width=16, hidden=64, steps=300, decay=0, dropout=0))

    assert hit(model.embed("text", pairs["text"]), model.embed("image", pairs["image"]), k=1) == 1


def test_save_and_load_agree(tmp_path: Path) -> None:
    learned().save(tmp_path)

    loaded = CrossModal.load(tmp_path)

    assert list(loaded.projectors) == ["text", "image", "frames"]
    assert np.array_equal(loaded.embed("image", new("image")), learned().embed("image", new("image")))


def test_modalities_that_never_meet_are_refused() -> None:
    apart = np.array([[NOTHING], [NOTHING], [1], [2]], np.float32)

    with pytest.raises(BrokenData) as refused:
        cross_modal.learn({"text": apart, "image": apart[::-1].copy()})

    assert refused.value.code == "no_pairs"
