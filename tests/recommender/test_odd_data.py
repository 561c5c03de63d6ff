"""Whatever the data are like, a training ends: with a version, or with the reason why the one in place stays."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from django.utils import timezone

from catalog.models import Item, Watch
from kpplatform.jobs.running import LeaseLost
from kpplatform.tenancy.models import Member, Tenant
from recommender.ml import models, popularity
from recommender.ml.factors import Factors
from recommender.ml.interactions import Interactions
from recommender.ml.model import Model
from recommender.ml.models import UnknownModel
from recommender.ml.sequence.stepping import TrainingFailed
from recommender.models import ModelVersion, TrainingRun
from recommender.queries import published_version
from recommender.training import publishing, retrain
from recommender.training.candidates import COSTS, NETWORKS, Budget
from recommender.training.runs import RunLog
from tests.recommender import planted

pytestmark = pytest.mark.usefixtures("_fresh_cache")


def people(count: int) -> list[Member]:
    return [Member.objects.create(name=f"viewer {number}") for number in range(count)]


def watches(rows: list[tuple[Member, Item]], *, share: float = 1.0) -> None:
    """Let the first of them happen nine days ago and the others one after the other until today."""
    began = timezone.now() - timedelta(days=9)
    each = timedelta(days=9) / max(len(rows), 1)
    Watch.objects.bulk_create(
        Watch(
            event_id=uuid.uuid4(),
            viewer=viewer,
            item=item,
            started_at=began + place * each,
            received_at=began + place * each,
            watch_ms=int(share * planted.MINUTE_MS),
            duration_ms=planted.MINUTE_MS,
        )
        for place, (viewer, item) in enumerate(rows)
    )


def three_viewers() -> None:
    items, rng = planted.videos(40), np.random.default_rng(0)
    three = people(3)
    watches([(three[place % 3], items[rng.integers(40)]) for place in range(300)])


def one_viewer_does_it_all() -> None:
    items, rng = planted.videos(50), np.random.default_rng(0)
    first, *others = people(30)
    rows = [(first, items[rng.integers(50)]) for _ in range(20_000)]
    watches(rows + [(viewer, items[rng.integers(50)]) for viewer in others])


def everybody_did_one_thing() -> None:
    items, rng = planted.videos(30), np.random.default_rng(0)
    watches([(viewer, items[rng.integers(30)]) for viewer in people(300)])


def everybody_watched_the_one_item() -> None:
    (item,) = planted.videos(1)
    watches([(viewer, item) for viewer in people(60) for _ in range(5)])


def nobody_liked_anything() -> None:
    items, rng = planted.videos(30), np.random.default_rng(0)
    sixty = people(60)
    watches([(sixty[place % 60], items[rng.integers(30)]) for place in range(600)], share=0.0)


def all_at_one_moment() -> None:
    planted.busy_world(viewers=60, liking=False)
    Watch.objects.update(started_at=timezone.now() - timedelta(days=1))


WORLDS: Mapping[str, tuple[Callable[[], None], set[str]]] = {
    "three viewers": (three_viewers, {"too_few_viewers"}),
    "one viewer does it all": (one_viewer_does_it_all, {"too_few_viewers", "does_not_beat_popularity"}),
    "everybody did one thing": (everybody_did_one_thing, {"too_few_viewers"}),
    "one item": (everybody_watched_the_one_item, {"too_few_viewers", "does_not_beat_popularity"}),
    "nobody liked anything": (nobody_liked_anything, {"too_few_viewers", "does_not_beat_popularity"}),
    "all at one moment": (all_at_one_moment, {"too_few_viewers", "nothing_could_be_fitted"}),
}


@pytest.mark.parametrize("world", WORLDS)
def test_odd_data_are_refused_by_code_and_what_stands_stays(in_school: Tenant, world: str) -> None:
    fill, expected = WORLDS[world]
    standing = planted.published(planted.tastes(planted.videos(2)))
    fill()

    retrain(tenant=in_school, at=timezone.now())

    run = TrainingRun.objects.get()
    assert (run.state, run.error) == ("done", "")
    assert run.outcome in expected, (run.outcome, run.notes)
    assert published_version() == standing


def fails(error: Exception) -> Callable[..., Model]:
    def fit(*_: object, **__: object) -> Model:
        raise error

    return fit


def nan(train: Interactions, **asked: Any) -> Model:
    """Return a model that has learned nothing but NaN."""
    fitted = popularity.fit(train)
    return Factors(**{**vars(fitted), "item_bias": np.full_like(fitted.item_bias, np.nan)})


FAULTS: Mapping[str, tuple[Callable[..., Model], str]] = {
    "no memory on the card": (fails(torch.OutOfMemoryError()), "out_of_memory"),
    "diverged": (fails(TrainingFailed("diverged", "The loss is no number.")), "diverged"),
    "nothing but NaN": (nan, "score_nan"),
    "no memory on the processor": (fails(RuntimeError("DefaultCPUAllocator: can't allocate memory")), "RuntimeError"),
    "too few columns": (fails(ValueError("k must be below 2.")), "ValueError"),
    "a setting of an older release": (fails(UnknownModel("setting_unknown", "There is none.")), "setting_unknown"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_that_fails_is_left_out_and_a_cheaper_one_is_used(
    in_school: Tenant, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted.busy_world()
    fit, code = FAULTS[fault]
    recipe = models.MODELS["implicit-als"]
    broken = dict.fromkeys(("implicit-als", "recent-als", "ease"), recipe._replace(fit=fit))
    monkeypatch.setattr(models, "MODELS", {**models.MODELS, **broken})

    retrain(tenant=in_school, at=timezone.now())

    run, version = TrainingRun.objects.get(), ModelVersion.objects.get()
    assert (version.state, version.reason) == ("published", "beats_popularity")
    assert not {"implicit-als", "ease"} & set(version.metrics["models"])
    assert any(note["what"].startswith(f"implicit-als is left out: {code}") for note in run.notes), run.notes


def test_who_has_lost_the_job_ends_in_the_midst_of_a_fit(in_school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    planted.busy_world()
    recipe = models.MODELS["implicit-als"]
    monkeypatch.setattr(models, "MODELS", {**models.MODELS, "implicit-als": recipe._replace(fit=fails(LeaseLost()))})

    with pytest.raises(LeaseLost):
        retrain(tenant=in_school, at=timezone.now())


def test_als_that_fails_is_not_fitted_again_for_what_is_recent(
    in_school: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted.busy_world()
    recipe = models.MODELS["implicit-als"]
    broken = recipe._replace(fit=fails(MemoryError()))
    monkeypatch.setattr(models, "MODELS", {**models.MODELS, "implicit-als": broken})

    retrain(tenant=in_school, at=timezone.now())

    run = TrainingRun.objects.get()
    assert "recent-als" not in run.metrics["models"]
    assert any(note["what"].startswith("recent-als is left out: out_of_memory") for note in run.notes), run.notes


def test_when_the_time_is_over_what_is_judged_by_then_is_used(
    in_school: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted.busy_world()
    hours = count(0, 3_600)
    monkeypatch.setattr(RunLog, "elapsed", property(lambda _run: next(hours)))

    retrain(tenant=in_school, at=timezone.now(), budget=Budget(minutes=30, memory_mb=16_000))

    run = TrainingRun.objects.get()
    assert set(run.metrics["models"]) == {"implicit-als", "popularity", "recent-popularity"}
    assert any(note["what"] == "ease is left out: no_time_left." for note in run.notes), run.notes


def test_when_nothing_can_be_fitted_the_version_in_place_stays(
    in_school: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = planted.published(planted.tastes(planted.videos(2)))
    planted.busy_world()
    recipe = models.MODELS["implicit-als"]
    broken = dict.fromkeys(COSTS, recipe._replace(fit=fails(MemoryError())))
    monkeypatch.setattr(models, "MODELS", {**models.MODELS, **broken})

    retrain(tenant=in_school, at=timezone.now())

    assert TrainingRun.objects.get().outcome == "nothing_could_be_fitted"
    assert published_version() == standing


def test_a_budget_of_nothing_says_so_of_every_model(in_school: Tenant) -> None:
    planted.busy_world()

    retrain(tenant=in_school, at=timezone.now(), budget=Budget(minutes=30, memory_mb=0))

    run = TrainingRun.objects.get()
    assert run.outcome == "nothing_could_be_fitted"
    assert {run.plan["left_out"][name] for name in COSTS} == {"too_few_events", "would_take_too_much_memory"}


def test_what_each_fit_costs_is_kept_beside_what_was_foreseen(in_school: Tenant) -> None:
    planted.busy_world()

    retrain(tenant=in_school, at=timezone.now())

    costs = TrainingRun.objects.get().costs
    assert set(COSTS) - set(NETWORKS) <= set(costs)
    assert all(set(of) == {"seconds", "seconds_foreseen", "mb", "mb_foreseen"} for of in costs.values())
    assert costs["implicit-als"]["seconds"] > 0


def test_a_ranker_that_fails_ends_no_training(in_school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    planted.busy_world()

    def broken(*, tenant: Tenant, until: datetime, **_: object) -> None:
        raise RuntimeError(f"on purpose, {tenant} until {until}")

    monkeypatch.setattr(publishing, "fit_ranker", broken)
    monkeypatch.setattr(publishing, "RANKED_FROM", 0)

    retrain(tenant=in_school, at=timezone.now())

    version = ModelVersion.objects.get()
    assert version.state == "published"
    assert version.metrics["ranker"]["reason"].startswith("failed: ")
