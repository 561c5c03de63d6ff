"""What models cost in memory: processes share one copy, tenants share a limit, and what is given up is let go of."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender.ml.factors import Factors
from recommender.models import ModelVersion
from recommender.queries import bytes_at_hand, shelf_at_hand
from recommender.queries.shelf import _shelves
from recommender.serving.artefacts import store
from recommender.serving.bundle import retrieval
from tests import make
from tests.processes import ROOT
from tests.recommender import planted
from tests.recommender.test_feed import page

ITEMS, FACTORS = 100_000, 32
KB = 1024
READER = """
import sys
from pathlib import Path
from recommender.serving.artefacts import load
main = load(Path(sys.argv[1]), sys.argv[2], tenant_id=1).main
main.item_vectors.sum()
print("read", flush=True)
sys.stdin.read()
"""


def large_model() -> Factors:
    vectors = np.ones((ITEMS, FACTORS), np.float32)
    return Factors(
        name="large",
        fold="implicit",
        numbers={"alpha": 1.0, "others": ITEMS, "mean": ITEMS, "reg": 1.0, "power": 0.0},
        viewer_ids=np.zeros(0, np.int64),
        item_ids=np.arange(ITEMS),
        viewer_vectors=np.zeros((0, FACTORS), np.float32),
        item_vectors=vectors,
        item_bias=np.zeros(ITEMS, np.float32),
        gram=vectors.T @ vectors,
    )


@contextmanager
def reader(folder: Path, sealed: str) -> Iterator[int]:
    """Run a process that holds the version and has read all of its item vectors; yield its id."""
    command = [sys.executable, "-c", READER, str(folder), sealed]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"read\n"
    yield process.pid
    process.stdin.close()
    process.wait(timeout=20)
    process.stdout.close()


def mapped(pid: int, file: str) -> dict[str, int]:
    """Return what a process has in memory of a file, in KiB: Rss, Pss (its part of what is shared), ..."""
    found = dict[str, int]()
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        name, *rest = line.split()
        if not name.endswith(":"):
            is_it = line.endswith(file)
        elif is_it and rest[-1:] == ["kB"]:
            found[name[:-1]] = found.get(name[:-1], 0) + int(rest[0])
    return found


def test_processes_share_one_copy_of_the_item_vectors(tmp_path: Path) -> None:
    folder = tmp_path / "version"
    sealed = store({retrieval("large"): large_model()}, folder, tenant_id=1)

    with ExitStack() as stack:
        readers = [stack.enter_context(reader(folder, sealed)) for _ in range(4)]
        held = [mapped(pid, "item_vectors.npy") for pid in readers]

    whole = ITEMS * FACTORS * 4 // KB
    for of in held:
        assert of["Rss"] >= whole
        assert of["Pss"] < 1.1 * whole / 4
        assert of["Private_Dirty"] == 0


def tenants_with_models(count: int) -> list[tuple[Tenant, str]]:
    """Return tenants that each publish a model, with the folder in which it lies."""
    made = []
    for number in range(count):
        tenant = make.tenant(f"tenant-{number}")
        with scope(tenant):
            version: ModelVersion = planted.published(planted.tastes(planted.videos(5)))
            made.append((tenant, str(tenant_folder("models", version.folder))))
    return made


def in_memory(made: list[tuple[Tenant, str]]) -> list[str]:
    """Return whose models are mapped into this process."""
    maps = Path("/proc/self/maps").read_text()
    return [tenant.slug for tenant, folder in made if folder in maps]


@pytest.mark.usefixtures("_fresh_cache")
def test_tenants_models_share_a_limit_and_those_unused_longest_are_let_go_of(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tenants_with_models(5)
    clients = {}
    for tenant, _ in made:
        with scope(tenant):
            clients[tenant.slug] = make.client(make.member())
    page(clients["tenant-0"])
    with scope(made[0][0]):
        one = shelf_at_hand()
    assert one is not None
    monkeypatch.setattr(_shelves, "most_bytes", int(3.5 * one.nbytes))
    del one

    for slug in ("tenant-1", "tenant-2", "tenant-0", "tenant-3"):
        page(clients[slug])
        assert bytes_at_hand() <= _shelves.most_bytes

    assert in_memory(made) == ["tenant-0", "tenant-2", "tenant-3"]
    assert page(clients["tenant-1"])["version"] is not None
    assert in_memory(made) == ["tenant-0", "tenant-1", "tenant-3"]
