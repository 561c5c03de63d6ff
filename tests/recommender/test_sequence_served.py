"""A sequence model finds candidates in a process that has no torch, and knows the moment of the request."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recommender.ml.sequence.fitting import fit
from recommender.serving import artefacts
from recommender.serving.bundle import retrieval
from recommender.serving.catalogue import Catalogue
from recommender.serving.history import History
from recommender.serving.retrieval import Index
from recommender.serving.taste import CODES, history
from tests.recommender.ml.sequence import planted

TENANT = 7
NOON = 1_777_636_800_000
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Store a model of viewers who want an even item a minute after the last, and an odd one a day after."""
    config = planted.small("transformer", untold=0.0, epochs=60)
    folder = tmp_path_factory.mktemp("models") / "version"
    parts = {retrieval("transformer"): fit(planted.pauses(), config=config, device="cpu")}
    return folder, artefacts.store(parts, folder, tenant_id=TENANT)


@pytest.mark.parametrize(("waited", "odd"), [(planted.MINUTE, 0), (planted.DAY, 1)])
def test_the_best_items_depend_on_when_they_are_asked_for(version: tuple[Path, str], waited: int, odd: int) -> None:
    model = artefacts.load(*version, tenant_id=TENANT).retrieval["transformer"]
    shown = np.arange(40)
    catalogue = Catalogue.plain(shown, creators=shown + 100, published=shown, is_free=shown >= 0)
    done = history(
        items=np.array([4, 10, 22]),
        at=NOON + planted.MINUTE * np.arange(3),
        said=np.full(3, CODES["watch"]),
        watched=np.ones(3, np.float32),
        asked_at=NOON + 2 * planted.MINUTE + waited,
    )

    best = Index.of(model, catalogue).best(History(done), hidden={4, 10, 22}, granted=np.zeros(0, np.int64), k=5)

    assert len(best) == 5
    assert sum(offer.item % 2 == odd for offer in best) >= 4


def test_a_version_is_served_without_torch(version: tuple[Path, str]) -> None:
    code = (
        "import sys, pathlib, numpy as np; from recommender.ml import saved;"
        "model = saved.load(pathlib.Path(sys.argv[1]));"
        "said = model.vector(np.array([2, 5], np.int32), np.array([0, 60_000]), asked_at=120_000);"
        "assert said.any() and said.shape == (model.item_vectors.shape[1],);"
        "assert 'torch' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code, version[0] / retrieval("transformer")], cwd=ROOT, check=True)


def test_a_program_that_cannot_be_run_is_noticed_when_it_is_loaded(version: tuple[Path, str], tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    parts = dict(artefacts.load(*version, tenant_id=TENANT).parts)
    artefacts.store(parts, torn, tenant_id=TENANT)
    program = torn / retrieval("transformer") / "encoder.onnx"
    program.write_bytes(program.read_bytes()[:1_000])

    with pytest.raises(artefacts.BrokenArtefactError) as broken:
        artefacts.load(torn, artefacts.seal(torn), tenant_id=TENANT)

    assert broken.value.code == "unreadable"
