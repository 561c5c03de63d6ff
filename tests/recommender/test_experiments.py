"""Experiments: planned, dealt, read, ended; what an arm surely makes worse ends by itself."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from catalog.models import Item, Reaction, Watch
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations, queries
from recommender.models import Experiment, ExperimentReading, Exposure
from recommender.operations import Arm
from tests import make
from tests.recommender import planted

EXPERIMENTS = "/api/v1/experiments/"
ARMS = [Arm("control", 0.5, {}), Arm("bold", 0.5, {})]
PER_ARM = 150
NOW = timezone.now()
BEGAN = NOW - timedelta(days=3)


def begun(name: str = "bold", arms: Sequence[Arm] = ARMS) -> Experiment:
    experiment = operations.plan_experiment(
        name=name, hypothesis="", arms=arms, metric=Experiment.Metric.WATCH_MINUTES, at=BEGAN
    )
    return operations.begin_experiment(experiment=experiment, at=BEGAN)


def crowd(experiment: Experiment, *, arm: str, size: int = PER_ARM) -> list[Member]:
    """Return new viewers who are served by this arm since it began."""
    people = Member.objects.bulk_create(Member(name=f"{arm} {number}") for number in range(size))
    Exposure.objects.bulk_create(
        Exposure(experiment=experiment, viewer=person, arm=arm, exposed_at=BEGAN) for person in people
    )
    return people


def watch(people: Sequence[Member], item: Item, minutes: Sequence[float], *, days: float) -> None:
    """Let each watch for so many minutes, so many days after it began."""
    at = BEGAN + timedelta(days=days)
    Watch.objects.bulk_create(
        Watch(
            event_id=uuid.uuid4(),
            viewer=person,
            item=item,
            started_at=at,
            received_at=at,
            watch_ms=int(long * 60_000),
            duration_ms=600_000,
        )
        for person, long in zip(people, minutes, strict=True)
    )


def complain(people: Sequence[Member], item: Item) -> None:
    Reaction.objects.bulk_create(
        Reaction(viewer=person, item=item, kind="not_interested", reacted_at=BEGAN + timedelta(days=1))
        for person in people
    )


@pytest.mark.parametrize(
    "arms",
    [
        ARMS[:1],
        [ARMS[0], ARMS[0]],
        [Arm("control", 0.5, {}), Arm("bold", 0.6, {})],
        [Arm("control", 0.5, {}), Arm("bold", 0.0, {})],
        [Arm("control", 0.5, {"per_creator": 1}), Arm("bold", 0.5, {})],
    ],
    ids=["one arm", "one name twice", "more than all", "nobody", "a control that differs"],
)
def test_arms_that_make_no_sense_are_refused(in_school: Tenant, arms: list[Arm]) -> None:
    with pytest.raises(operations.BadArms):
        operations.plan_experiment(name="x", hypothesis="", arms=arms, metric=Experiment.Metric.LIKES, at=NOW)

    assert not Experiment.objects.exists()


@pytest.mark.parametrize("changes", [{"per_creator": 0}, {"no_such": 1}, {"popular": "much"}], ids=str)
def test_an_arm_with_settings_that_no_feed_has_is_refused(in_school: Tenant, changes: dict[str, Any]) -> None:
    with pytest.raises(operations.BadFeedSettings):
        begun(arms=[ARMS[0], Arm("bold", 0.5, changes)])

    assert not Experiment.objects.exists()


def test_two_that_change_the_same_do_not_run_together(in_school: Tenant) -> None:
    begun("first", [ARMS[0], Arm("bold", 0.5, {"per_creator": 1})])

    with pytest.raises(operations.NotNow):
        begun("second", [ARMS[0], Arm("bold", 0.5, {"per_creator": 2})])
    assert begun("third", [ARMS[0], Arm("bold", 0.5, {"popular": 0.5})]).state == Experiment.State.RUNNING


def test_an_arm_is_served_its_settings_and_written_down_once(in_school: Tenant) -> None:
    planted.videos(20)
    planted.videos(9, by=planted.creator())
    experiment = begun(arms=[ARMS[0], Arm("bold", 0.5, {"per_creator": 1, "explored": 0.5})])
    viewers = [make.member() for _ in range(12)]

    most = {viewer.pk: busiest(viewer) for viewer in viewers}

    arms = dict(Exposure.objects.values_list("viewer", "arm"))
    assert set(arms) == set(most)
    assert set(arms.values()) == {"control", "bold"}
    assert {most[viewer] for viewer, arm in arms.items() if arm == "bold"} == {1}
    assert max(most[viewer] for viewer, arm in arms.items() if arm == "control") > 1
    operations.end_experiment(experiment=experiment, why="seen enough", killed=True, at=timezone.now())
    queries.forget_shelves()
    assert max(busiest(viewer) for viewer in viewers if arms[viewer.pk] == "bold") > 1


def busiest(viewer: Member) -> int:
    """Return how many places one creator has on the viewer's page, at most."""
    session = operations.Session(timezone.now())
    page = operations.show_page(viewer=viewer, limit=6, session=session, at=timezone.now())
    owners = [shown.item["creator"]["handle"] for shown in page.shown]
    return max(map(owners.count, owners))


def test_it_shows_what_an_arm_changes(in_school: Tenant) -> None:
    experiment, (item,) = begun(), planted.videos(1)
    rng = np.random.default_rng(0)
    for arm, more in (("control", 0.0), ("bold", 2.0)):
        people, habit = crowd(experiment, arm=arm), rng.normal(5, 1, PER_ARM).clip(1)
        watch(people, item, habit.tolist(), days=-1)
        watch(people, item, (habit + more + rng.normal(0, 0.1, PER_ARM)).clip(0).tolist(), days=1)

    told = queries.figures(experiment, at=NOW)

    assert told["viewers"] == {"control": PER_ARM, "bold": PER_ARM}
    assert told["dealt_fairly"]
    by = told["differences"]["bold"]["watch_minutes"]
    assert by["low"] < 2.0 < by["high"]
    assert by["low"] > 1.5, "what they did before takes their habits out of the difference"
    assert told["differences"]["bold"]["likes"]["mean"] == 0


def test_what_was_done_before_and_after_does_not_count(in_school: Tenant) -> None:
    experiment, (item,) = begun(), planted.videos(1)
    people = crowd(experiment, arm="bold")
    ended = operations.end_experiment(experiment=experiment, why="seen enough", killed=False, at=BEGAN + timedelta(1))
    watch(people, item, [1.0] * PER_ARM, days=-0.5)
    watch(people, item, [1.0] * PER_ARM, days=2)

    assert queries.figures(ended, at=NOW)["means"]["bold"]["watch_minutes"] == 0


def test_nothing_is_said_of_few_viewers(in_school: Tenant) -> None:
    experiment = begun()
    crowd(experiment, arm="control", size=3)

    told = queries.figures(experiment, at=NOW)

    assert told["differences"]["bold"]["watch_minutes"] is None


def test_an_arm_that_surely_harms_is_killed(in_school: Tenant) -> None:
    experiment, (item,) = begun(), planted.videos(1)
    crowd(experiment, arm="control")
    complain(crowd(experiment, arm="bold"), item)

    operations.judge_experiments(at=NOW)

    experiment.refresh_from_db()
    assert (experiment.state, experiment.ended_at) == (Experiment.State.KILLED, NOW)
    assert experiment.ended_why.startswith("bold: complaints +1")


def test_an_arm_that_does_no_harm_goes_on(in_school: Tenant) -> None:
    experiment, (item,) = begun(), planted.videos(1)
    complain(crowd(experiment, arm="control"), item)
    crowd(experiment, arm="bold")

    operations.judge_experiments(at=NOW)

    experiment.refresh_from_db()
    assert experiment.state == Experiment.State.RUNNING
    assert ExperimentReading.objects.filter(experiment=experiment).count() == 1


def test_arms_that_were_not_dealt_fairly_say_so_and_kill_nothing(in_school: Tenant) -> None:
    experiment, (item,) = begun(), planted.videos(1)
    crowd(experiment, arm="control", size=2 * PER_ARM)
    complain(crowd(experiment, arm="bold"), item)

    operations.judge_experiments(at=NOW)

    experiment.refresh_from_db()
    assert experiment.state == Experiment.State.RUNNING
    assert not ExperimentReading.objects.get(experiment=experiment).figures["dealt_fairly"]


def test_staff_run_one_from_plan_to_end(in_school: Tenant) -> None:
    staff = make.client(make.member(Member.Role.STAFF))
    plan: dict[str, Any] = {
        "name": "bold",
        "metric": "long_views",
        "arms": [{"name": "control", "share": 0.5}, {"name": "bold", "share": 0.5}],
    }

    planned = staff.post(EXPERIMENTS, plan, format="json")
    where = f"{EXPERIMENTS}{planned.json()['id']}/"
    states = [
        planned.json()["state"],
        staff.post(f"{where}begin/").json()["state"],
        staff.post(f"{where}end/", {"why": "seen enough"}, format="json").json()["state"],
    ]

    assert planned.status_code == 201
    assert states == ["draft", "running", "stopped"]
    assert staff.post(EXPERIMENTS, plan, format="json").json()["code"] == "name_taken"
    assert staff.post(f"{where}begin/").json()["code"] == "experiment_state"
    assert staff.get(f"{where}readings/").json()["results"][0]["figures"]["viewers"] == {"control": 0, "bold": 0}


def test_viewers_do_not_run_experiments(in_school: Tenant) -> None:
    assert make.client(make.member()).get(EXPERIMENTS).status_code == 403


def test_another_tenants_experiment_is_not_there(in_school: Tenant, agency: Tenant) -> None:
    ours = begun()
    with scope(agency):
        stranger = make.client(make.member(Member.Role.STAFF))

        assert stranger.get(EXPERIMENTS).json()["results"] == []
        assert stranger.post(f"{EXPERIMENTS}{ours.pk}/begin/").status_code == 404
