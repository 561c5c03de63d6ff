"""Interaction data become a tenant's rows, once, and only when the whole folder is sound."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.models import Access, Item, Reaction, Watch
from creators.models import Follow
from kpplatform.demo.importing import import_folder
from kpplatform.demo.settling import settle
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender.ml.interactions import BrokenData

pytestmark = pytest.mark.django_db(databases=["default", "owner"])

MINI = Path(__file__).parents[4] / "shared" / "data" / "kuairand-mini"
DAY_MS = 86_400_000


def quiet(_: float) -> None:
    """Show nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    events = {
        "viewer": pa.array([1, 1, 2, 2], pa.int32()),
        "item": pa.array([10, 11, 10, 12], pa.int32()),
        "at": pa.array([DAY_MS, 2 * DAY_MS, 3 * DAY_MS, 4 * DAY_MS]),
        "kind": ["watch", "watch", "watch", "enrol"],
        "watch_ms": pa.array([9_000, 2_000, None, None], pa.int32()),
        "duration_ms": pa.array([10_000, 20_000, None, None], pa.int32()),
        "liked": [True, False, False, None],
        "followed": [True, False, False, None],
    }
    pq.write_table(pa.table(events), tmp_path / "interactions.parquet")
    items = {"item": pa.array([10, 11], pa.int32()), "creator": [7, 8], "duration_ms": [10_000, 20_000]}
    pq.write_table(pa.table(items | {"tags": ["a,b", None]}), tmp_path / "items.parquet")
    return tmp_path


def test_every_event_becomes_the_row_that_it_means(school: Tenant, folder: Path) -> None:
    assert import_folder(tenant=school, folder=folder, progress=quiet) == 3
    settle(tenant=school, clean=False)

    with scope(school):
        assert Watch.objects.values_list("viewer__external_id", "item__external_id", "watch_ms").order_by("pk")[0] == (
            1,
            10,
            9_000,
        )
        assert Reaction.objects.get().kind == "like"
        assert Follow.objects.get().creator.external_id == 7
        assert Access.objects.get().item.kind == Item.Kind.COURSE
        assert Item.objects.get(external_id=10).tags == ["a", "b"]
        assert Item.objects.get(external_id=10).likes == 1


def test_importing_twice_adds_nothing(school: Tenant, folder: Path) -> None:
    import_folder(tenant=school, folder=folder, progress=quiet)

    assert import_folder(tenant=school, folder=folder, progress=quiet) == 0

    with scope(school):
        assert (Member.objects.count(), Item.objects.count(), Watch.objects.count()) == (2, 3, 3)


def test_two_tenants_import_the_same_folder_apart(school: Tenant, agency: Tenant, folder: Path) -> None:
    for tenant in (school, agency):
        assert import_folder(tenant=tenant, folder=folder, progress=quiet) == 3

    with scope(agency):
        assert Watch.objects.count() == 3


@pytest.mark.parametrize(
    ("code", "columns"),
    [
        ("column_missing", {"viewer": [1], "item": [1], "at": [1]}),
        ("kind_unknown", {"viewer": [1], "item": [1], "at": [1], "kind": ["stare"]}),
        ("column_type", {"viewer": ["x"], "item": [1], "at": [1], "kind": ["watch"]}),
    ],
)
def test_a_broken_folder_writes_nothing(
    school: Tenant, tmp_path: Path, code: str, columns: dict[str, list[object]]
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "interactions.parquet")

    with pytest.raises(BrokenData) as refused:
        import_folder(tenant=school, folder=tmp_path, progress=quiet)

    assert refused.value.code == code
    with scope(school):
        assert Member.objects.count() == 0


@pytest.mark.skipif(not MINI.exists(), reason="the shared data are not here")
def test_real_data_are_imported_whole(school: Tenant) -> None:
    assert import_folder(tenant=school, folder=MINI, progress=quiet) == 9_238
