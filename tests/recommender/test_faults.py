"""Whatever is wrong with a model, the feed goes on, and staff can see what it goes on without."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.places import tenant_folder
from recommender.ml import saved
from recommender.ml.cold import Cold
from recommender.ml.factors import Factors
from recommender.ml.ranker.ranker import Ranker
from recommender.ml.ranker.targets import HEADS
from recommender.models import ModelVersion
from recommender.operations import Word, promote_version, withdraw_version
from recommender.queries import forget_shelves
from recommender.serving.artefacts import MANIFEST, seal, store
from recommender.serving.breaker import DEADLINE_S, FAILURES
from recommender.serving.bundle import retrieval
from tests import make
from tests.catalog import things
from tests.recommender import planted
from tests.recommender.test_feed import page

pytestmark = pytest.mark.usefixtures("_fresh_cache")

VECTORS = "retrieval-planted/item_vectors.npy"
Groups = tuple[list[Item], list[Item]]


@pytest.fixture
def groups(in_school: Tenant) -> Groups:
    return planted.videos(20), planted.videos(20)


@pytest.fixture
def version(groups: Groups, viewer: Member) -> ModelVersion:
    """The published version, and a viewer whose taste it knows."""
    planted.watch(viewer, groups[0][0])
    return planted.published(planted.tastes(*groups))


def folder(version: ModelVersion) -> Path:
    return tenant_folder("models", version.folder)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def seal_anew(version: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(sha256=seal(folder(version)))


def lose(version: ModelVersion) -> None:
    shutil.rmtree(folder(version))


def lose_a_file(version: ModelVersion) -> None:
    (folder(version) / VECTORS).unlink()
    seal_anew(version)


def alter(version: ModelVersion) -> None:
    truncate(folder(version) / VECTORS)


def seal_what_is_cut_off(version: ModelVersion) -> None:
    truncate(folder(version) / VECTORS)
    seal_anew(version)


def forget_the_seal(version: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(sha256="0" * 64)


def take_another_tenants(version: ModelVersion) -> None:
    shutil.rmtree(folder(version))
    store({retrieval("planted"): planted.tastes([])}, folder(version), tenant_id=0)
    seal_anew(version)


def write_it_in_tomorrows_schema(version: ModelVersion) -> None:
    (folder(version) / MANIFEST).write_text('{"schema": 2, "tenant": 1, "parts": []}')
    seal_anew(version)


FAULTS: dict[Callable[[ModelVersion], None], str] = {
    lose: "missing",
    lose_a_file: "missing",
    alter: "altered",
    forget_the_seal: "altered",
    seal_what_is_cut_off: "unreadable",
    take_another_tenants: "foreign",
    write_it_in_tomorrows_schema: "schema_unknown",
}


def seen_by_staff(version: ModelVersion) -> dict[str, Any]:
    """Return what staff are told: of the version, of the process that serves, and of its health."""
    staff = make.client(make.member(Member.Role.STAFF))
    return {
        "fault": staff.get(f"/api/v1/models/{version.pk}/").json()["fault"],
        "serving": staff.get("/api/v1/models/serving/").json(),
        "degraded": staff.get("/health/").json()["degraded"],
    }


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda spoil: spoil.__name__)
def test_a_version_that_cannot_be_read_is_skipped_and_staff_see_why(
    client: APIClient, version: ModelVersion, spoil: Callable[[ModelVersion], None]
) -> None:
    spoil(version)

    answered = page(client)

    assert (answered["version"], len(answered["results"])) == (None, 20)
    seen = seen_by_staff(version)
    assert seen["fault"] == FAULTS[spoil]
    assert seen["serving"]["broken"] == [{"version": version.pk, "fault": FAULTS[spoil]}]
    assert seen["degraded"] == [f"recommender: a version is {FAULTS[spoil]}"]


def test_without_memory_for_a_new_version_the_old_one_goes_on(
    client: APIClient, version: ModelVersion, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert page(client)["version"] == version.pk
    newer = planted.published(planted.tastes(*groups))

    def too_large(folder: Path) -> NoReturn:
        raise MemoryError

    monkeypatch.setattr(saved, "FAMILIES", {"factors": too_large})
    monkeypatch.setattr("recommender.serving.kept.time.monotonic", lambda: 1e12)

    assert page(client)["version"] == version.pk
    assert seen_by_staff(newer)["fault"] == "out_of_memory"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the model fail whenever it is asked, and count how often that is."""
    asked: list[int] = []

    def fail(*of: object) -> NoReturn:
        asked.append(1)
        raise ValueError("a node is missing")

    monkeypatch.setattr(Factors, "score", fail)
    return asked


def test_a_model_that_fails_is_soon_no_longer_asked_and_the_popular_are_shown(
    client: APIClient, version: ModelVersion, failing: list[int]
) -> None:
    pages = [page(client, limit=5) for _ in range(2 * FAILURES)]

    assert {len(answered["results"]) for answered in pages} == {5}
    assert not any(card["source"] == "model" for answered in pages for card in answered["results"])
    assert len(failing) == FAILURES
    seen = seen_by_staff(version)
    assert seen["serving"]["stages"] == [
        {
            "version": version.pk,
            "part": "retrieval-planted",
            "breaker": "open",
            "failures": FAILURES,
            "reason": "ValueError('a node is missing')",
        }
    ]
    assert seen["degraded"] == ["recommender: retrieval-planted is open"]


def test_a_model_that_became_slow_is_waited_for_once(
    client: APIClient, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    score, slow_s = Factors.score, 4 * DEADLINE_S

    def slow(*of: Any) -> Any:
        time.sleep(slow_s)
        return score(*of)

    monkeypatch.setattr(Factors, "score", slow)
    began = time.monotonic()

    pages = [page(client, limit=5) for _ in range(10)]

    assert {len(answered["results"]) for answered in pages} == {5}
    assert time.monotonic() - began < 5 * slow_s
    assert seen_by_staff(version)["serving"]["stages"][0]["reason"] == "slow"


def test_a_model_whose_scores_are_no_numbers_gives_way_to_the_popular(
    client: APIClient, version: ModelVersion, groups: Groups
) -> None:
    """Training refuses such a model; here it was spoilt later."""
    model = planted.tastes(*groups)
    spoilt = planted.published(replace(model, item_vectors=np.full_like(model.item_vectors, np.nan)))

    pages = [page(client, limit=5) for _ in range(FAILURES)]

    assert {len(answered["results"]) for answered in pages} == {5}
    assert not any(card["source"] == "model" for answered in pages for card in answered["results"])
    [stage] = seen_by_staff(spoilt)["serving"]["stages"]
    assert (stage["breaker"], stage["failures"]) == ("open", FAILURES)


def no_node(*of: object, **also: object) -> NoReturn:
    raise ValueError("a node is missing")


@pytest.mark.parametrize("spoilt", [Ranker, Cold, "NaN"], ids=str)
def test_without_a_ranker_or_a_cold_start_the_order_is_that_of_the_model(
    client: APIClient, viewer: Member, groups: Groups, monkeypatch: pytest.MonkeyPatch, spoilt: Any
) -> None:
    """The ranker would put the longest first, the cold part would know the new item."""
    piano, _ = groups
    for minutes, item in enumerate(piano, start=1):
        item.duration_ms = minutes * 60_000
        item.save()
    things.video(planted.creator(), tags=["music"])
    planted.watch(viewer, piano[0])
    model = planted.tastes(*groups)
    planted.published(model, ranker=planted.ranker(piano), cold=planted.cold(model, music="0"))
    if spoilt == "NaN":
        monkeypatch.setattr(Ranker, "read", lambda _self, told, *_of: np.full((len(told), len(HEADS)), np.nan))
    else:
        monkeypatch.setattr(spoilt, {Ranker: "rank", Cold: "of"}[spoilt], no_node)

    pages = [page(client, limit=5) for _ in range(FAILURES)]

    assert {len(answered["results"]) for answered in pages} == {5}
    assert any(card["source"] == "model" for answered in pages for card in answered["results"])
    assert not any(card["source"] == "cold" for answered in pages for card in answered["results"]) or spoilt != Cold
    staff = make.client(make.member(Member.Role.STAFF))
    stages = staff.get("/api/v1/models/serving/").json()["stages"]
    failures = {stage["part"]: stage["failures"] for stage in stages}
    assert failures == {
        "retrieval-planted": 0,
        "ranker": FAILURES * (spoilt != Cold),
        "cold": 1 * (spoilt == Cold),  # it is asked once for a catalogue
    }


def test_a_repaired_version_that_is_promoted_again_is_faultless(client: APIClient, version: ModelVersion) -> None:
    kept = folder(version).with_name("kept")
    folder(version).rename(kept)
    page(client)
    withdrawn = withdraw_version(version=version, word=Word(by=None, why="lost", at=timezone.now()))
    kept.rename(folder(version))

    again = promote_version(version=withdrawn, word=Word(by=None, why="found", at=timezone.now()))

    assert again.fault == ""
    forget_shelves()
    assert page(client)["version"] == version.pk


def test_only_staff_see_how_models_are_served(client: APIClient) -> None:
    assert client.get("/api/v1/models/serving/").status_code == 403


def test_the_artefacts_of_a_version_fit_its_faults() -> None:
    told = {*FAULTS.values(), "out_of_memory"}

    assert told == {str(fault) for fault in ModelVersion.Fault}
