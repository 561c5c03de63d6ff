"""Several processes train one model together."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[4]
TOGETHER = """
import sys, torch, numpy as np
from tests.recommender.ml.sequence import planted
from recommender.ml.sequence import state
from recommender.ml.sequence.fitting import fit
state.narrow = lambda device: False
torch.set_num_threads(1)
config = planted.small("gru", epochs=4, tokens=int(sys.argv[1]), untold=0.0)
data = planted.both_ways()
model = fit(data, config=config, device="cpu")
np.save(sys.argv[2], model.score(data, np.arange(data.shape[0], dtype=np.int32)))
"""


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    """Two with batches of 128 places each learn the same as one with batches of 256."""
    (tmp_path / "together.py").write_text(TOGETHER)
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    alone, both = tmp_path / "alone.npy", tmp_path / "both.npy"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

    subprocess.run([sys.executable, tmp_path / "together.py", "256", alone], env=env, check=True, timeout=300)
    subprocess.run([*torchrun, tmp_path / "together.py", "128", both], env=env, check=True, timeout=300)

    assert np.load(both) == pytest.approx(np.load(alone), abs=1e-3)
