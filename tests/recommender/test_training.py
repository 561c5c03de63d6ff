"""Training: published when it surely beats what stands, and not otherwise; whole, or not at all."""

import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Watch
from creators.models import Follow
from kpplatform.jobs.models import Job
from kpplatform.jobs.running import run
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender import operations, serving
from recommender.models import ModelVersion
from recommender.operations import Overtaken, ask_for_training
from recommender.queries import folders_in_use, published_version
from recommender.serving.artefacts import Savable
from recommender.training import retrain
from recommender.training.candidates import COSTS, NETWORKS, USUAL
from tests import make
from tests.conftest import COMMITTED
from tests.processes import Worker, eventually
from tests.recommender import planted
from tests.recommender.test_feed import page

pytestmark = pytest.mark.usefixtures("_fresh_cache")


def newest() -> ModelVersion:
    return ModelVersion.objects.order_by("-pk")[0]


def artefacts() -> set[str]:
    return {path.name for path in tenant_folder("models").iterdir()}


def some_more_watches(count: int) -> None:
    """Let the first viewers watch once more, now."""
    now = timezone.now()
    for watch in Watch.objects.order_by("pk")[:count]:
        planted.watch(watch.viewer, watch.item, at=now - timedelta(seconds=1))


def test_a_model_that_beats_popularity_is_published(in_school: Tenant) -> None:
    planted.busy_world()

    retrain(tenant=in_school, at=timezone.now())

    version = newest()
    assert (version.state, version.reason, version.events) == ("published", "beats_popularity", 60 * 14)
    assert version.metrics["lead"]["popularity"][1] > 0
    assert set(version.metrics["models"]) == {*COSTS, *USUAL} - {*NETWORKS}
    assert artefacts() == {version.folder}


def test_what_it_learned_is_served(in_school: Tenant, client: APIClient, viewer: Member) -> None:
    piano, _cooking = planted.busy_world()
    for follower in Member.objects.order_by("pk")[:2]:
        for item in piano[:2]:
            Follow.objects.create(viewer=follower, creator=item.creator, followed_at=timezone.now())
    retrain(tenant=in_school, at=timezone.now())
    for item in piano[:4]:
        planted.watch(viewer, item)

    answered = page(client, limit=10)

    assert answered["version"] == newest().pk
    assert (tenant_folder("models", newest().folder) / "social").is_dir()
    of_model = [card["id"] for card in answered["results"] if card["source"] == "model"]
    assert of_model
    assert set(of_model) <= {item.pk for item in piano[4:]}


def test_noise_is_not_published(in_school: Tenant, client: APIClient) -> None:
    planted.busy_world(liking=False)

    retrain(tenant=in_school, at=timezone.now())

    assert (newest().state, newest().reason) == ("rejected", "does_not_beat_popularity")
    assert len(page(client)["results"]) == 20


def test_too_little_is_said_to_be_too_little(in_school: Tenant, client: APIClient) -> None:
    planted.busy_world(viewers=5)

    retrain(tenant=in_school, at=timezone.now())

    assert (newest().state, newest().reason, newest().events) == ("rejected", "too_few_events", 70)
    assert len(page(client)["results"]) == 20


def test_an_empty_tenant_can_be_trained(in_school: Tenant) -> None:
    retrain(tenant=in_school, at=timezone.now())

    assert (newest().reason, newest().events, newest().learned_until) == ("too_few_events", 0, None)


def test_a_version_stays_while_hardly_anything_is_news_to_it(in_school: Tenant) -> None:
    planted.busy_world()
    retrain(tenant=in_school, at=timezone.now())
    first = published_version()

    some_more_watches(5)
    retrain(tenant=in_school, at=timezone.now())

    assert (newest().state, newest().reason) == ("rejected", "worse_than_incumbent")
    assert published_version() == first


def test_what_is_as_good_as_the_version_in_place_takes_its_place(in_school: Tenant) -> None:
    piano, cooking = planted.busy_world(viewers=100)
    planted.published(planted.tastes(piano, cooking))
    ModelVersion.objects.update(learned_until=timezone.now() - timedelta(days=6))

    retrain(tenant=in_school, at=timezone.now())

    assert (newest().state, newest().reason) == ("published", "no_worse_than_incumbent")


def test_what_is_better_than_the_version_in_place_takes_its_place(in_school: Tenant) -> None:
    piano, cooking = planted.busy_world()
    mixed_up = planted.published(planted.tastes(piano[::2] + cooking[::2], piano[1::2] + cooking[1::2]))
    ModelVersion.objects.update(learned_until=timezone.now() - timedelta(days=8))

    retrain(tenant=in_school, at=timezone.now())

    assert (newest().state, newest().reason) == ("published", "beats_popularity_and_incumbent")
    mixed_up.refresh_from_db()
    assert mixed_up.state == "retired"


def test_a_broken_version_in_place_need_not_be_beaten(in_school: Tenant) -> None:
    planted.busy_world()
    retrain(tenant=in_school, at=timezone.now())
    broken = newest()
    next(tenant_folder("models", broken.folder).rglob("gram.npy")).unlink()

    some_more_watches(1)
    retrain(tenant=in_school, at=timezone.now())

    assert (newest().state, newest().reason) == ("published", "beats_popularity")


def test_a_lost_version_is_learned_again_from_the_same_data(in_school: Tenant) -> None:
    planted.busy_world()
    retrain(tenant=in_school, at=timezone.now())
    shutil.rmtree(tenant_folder("models", newest().folder))

    retrain(tenant=in_school, at=timezone.now())

    assert (newest().state, artefacts()) == ("published", {newest().folder})
    assert ModelVersion.objects.count() == 2


def once_stored(monkeypatch: pytest.MonkeyPatch, do: Callable[[Path], object]) -> None:
    """Let something happen between the moment when a training has stored its artefact and its publication."""
    store = serving.artefacts.store

    def stored(parts: Mapping[str, Savable], folder: Path, **more: Any) -> str:
        sealed = store(parts, folder, **more)
        monkeypatch.undo()
        do(folder)
        return sealed

    monkeypatch.setattr(serving.artefacts, "store", stored)


def test_a_training_that_was_overtaken_publishes_nothing(in_school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    piano, cooking = planted.busy_world()
    once_stored(monkeypatch, lambda _: planted.published(planted.tastes(piano, cooking)))

    with pytest.raises(Overtaken):
        retrain(tenant=in_school, at=timezone.now())

    assert newest().kind == "planted"
    assert published_version() == newest()


def test_an_artefact_that_another_training_has_cleared_away_is_not_published(
    in_school: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted.busy_world()
    once_stored(monkeypatch, shutil.rmtree)

    with pytest.raises(Overtaken):
        retrain(tenant=in_school, at=timezone.now())

    assert not ModelVersion.objects.exists()


@COMMITTED
def test_nobody_takes_the_job_while_its_version_is_published(school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    with scope(school):
        planted.busy_world()
        job = ask_for_training()
        assert job is not None
    publish, taken = operations.publish_version, []

    def take() -> None:
        with scope(school), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM jobs_job WHERE id = %s FOR UPDATE SKIP LOCKED", [job.pk])
            taken.extend(cursor.fetchall())
        connection.close()

    def published(**asked: Any) -> ModelVersion:
        thread = Thread(target=take)
        thread.start()
        thread.join()
        return publish(**asked)

    monkeypatch.setattr(operations, "publish_version", published)

    assert run(tenant_id=school.pk, job_id=job.pk)
    with scope(school):
        assert (newest().state, taken) == ("published", [])


def test_the_published_version_is_kept_whatever_the_clocks_said(in_school: Tenant) -> None:
    versions = [planted.published(planted.tastes(planted.videos(1))) for _ in range(5)]
    ModelVersion.objects.filter(pk=versions[-1].pk).update(published_at=timezone.now() - timedelta(days=1))

    assert versions[-1].folder in folders_in_use()


def test_nothing_new_is_not_learned_again(in_school: Tenant) -> None:
    planted.busy_world()

    for _ in range(2):
        retrain(tenant=in_school, at=timezone.now())

    assert ModelVersion.objects.count() == 1


def test_what_a_killed_training_left_behind_is_deleted(in_school: Tenant) -> None:
    planted.busy_world()
    for leftover in ("whole-but-nameless", ".half-written"):
        tenant_folder("models", leftover).mkdir(parents=True)

    retrain(tenant=in_school, at=timezone.now())

    assert artefacts() == {newest().folder}


def test_one_tenant_learns_nothing_from_another(in_school: Tenant, agency: Tenant) -> None:
    planted.busy_world()

    retrain(tenant=agency, at=timezone.now())

    assert not ModelVersion.objects.exists()
    with scope(agency):
        assert newest().events == 0


@pytest.mark.slow
@COMMITTED
def test_a_training_whose_worker_is_killed_is_done_once(worker: Worker) -> None:
    school = make.tenant("school")
    with scope(school):
        planted.busy_world(viewers=300)
        job = ask_for_training()
        assert job is not None

    def now() -> Job:
        with scope(school):
            return Job.objects.get(pk=job.pk)

    eventually(lambda: 0.1 <= now().progress < 0.97)
    worker.kill()
    with scope(school):
        assert not ModelVersion.objects.exists()

    worker.start()

    eventually(lambda: now().state, Job.State.DONE)
    with scope(school):
        assert [version.state for version in ModelVersion.objects.all()] == ["published"]
        assert artefacts() == {newest().folder}
    assert now().attempts == 2
