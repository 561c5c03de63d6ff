"""A search of settings is asked for, seen while it goes on, cancelled, and gone on with when its worker dies."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from kpplatform.errors import Refused
from kpplatform.jobs.models import Job
from kpplatform.jobs.running import run as do
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations, queries
from recommender.ml.searching import Trial
from recommender.models import TrainingRun
from recommender.training.tuning import Trials
from tests import make
from tests.conftest import COMMITTED, NOON
from tests.jobs_for_tests import marks
from tests.processes import Worker, eventually
from tests.recommender import planted

pytestmark = pytest.mark.usefixtures("_fresh_cache")
ASKED: dict[str, Any] = {"model": "ease", "minutes": 5.0, "trials": 3}
RUNS = "/api/v1/training-runs/"


def the_run() -> TrainingRun:
    return TrainingRun.objects.get(kind="search")


@COMMITTED
def test_what_is_asked_for_waits_is_done_by_a_worker_and_used_by_trainings(school: Tenant) -> None:
    with scope(school):
        planted.busy_world()
        staff = make.client(make.member(Member.Role.ADMIN))

    asked = staff.post(f"{RUNS}search/", ASKED)
    waits = asked.json()
    assert (asked.status_code, waits["state"], waits["plan"]["trials"]) == (202, "waiting", 3)
    assert do(tenant_id=school.pk, job_id=waits["job"])

    found = staff.get(f"{RUNS}{waits['id']}/").json()
    assert (found["state"], found["outcome"], found["progress"], found["resumed"]) == ("done", "found", 1.0, 0)
    trials = found["metrics"]["trials"]
    assert found["metrics"]["models"]["ease"]["ndcg@10"] == max(trial["ndcg"] for trial in trials)
    with scope(school):
        assert (len(trials), queries.found_settings()) == (3, {"ease": found["metrics"]["found"]})
        assert not queries.search_goes_on()


def test_there_is_one_at_a_time(in_school: Tenant) -> None:
    staff = make.client(make.member(Member.Role.ADMIN))
    first = staff.post(f"{RUNS}search/", ASKED).json()

    again = staff.post(f"{RUNS}search/", ASKED | {"model": "svd"})
    assert (again.status_code, again.json()["code"]) == (409, "search_goes_on")

    cancelled = staff.post(f"{RUNS}{first['id']}/cancel/").json()
    assert cancelled["state"] == "cancelled"
    assert not do(tenant_id=in_school.pk, job_id=first["job"])
    assert staff.post(f"{RUNS}{first['id']}/cancel/").json()["code"] == "run_is_over"
    assert staff.post(f"{RUNS}search/", ASKED).status_code == 202


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"minutes": 0.0}, "budget_out_of_bounds"),
        ({"minutes": float("nan")}, "budget_out_of_bounds"),
        ({"minutes": 721.0}, "budget_out_of_bounds"),
        ({"trials": 0}, "budget_out_of_bounds"),
        ({"trials": 1_001}, "budget_out_of_bounds"),
        ({"seed": -1}, "budget_out_of_bounds"),
        ({"model": "popularity"}, "nothing_to_search"),
        ({"sampler": "oracle"}, "nothing_to_search"),
    ],
)
@pytest.mark.usefixtures("in_school")
def test_what_cannot_be_searched_is_refused_by_code(told: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        operations.ask_for_search(**ASKED | told, at=NOON)

    assert (refused.value.code, Job.objects.count(), TrainingRun.objects.count()) == (code, 0, 0)


def test_only_staff_search(in_school: Tenant) -> None:
    viewer = make.client(make.member())

    assert viewer.post(f"{RUNS}search/", ASKED).status_code == 403
    assert not TrainingRun.objects.exists()


@COMMITTED
def test_a_search_that_is_cancelled_stops_and_keeps_its_trials(school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    with scope(school):
        planted.busy_world()
        asked = operations.ask_for_search(**ASKED | {"trials": 50}, at=timezone.now())
    note = Trials.note

    def noted(trials: Trials, trial: Trial) -> None:
        note(trials, trial)
        if len(trials.made) == 2:
            with scope(school):
                operations.cancel_run(run=the_run(), at=timezone.now())

    monkeypatch.setattr(Trials, "note", noted)
    assert asked.job is not None
    do(tenant_id=school.pk, job_id=asked.job)

    with scope(school):
        run = the_run()
        assert (run.state, len(run.metrics["trials"]), run.settings) == ("cancelled", 2, {})
        assert Job.objects.get(pk=asked.job).state == Job.State.DONE
        assert queries.found_settings() == {}
        assert operations.ask_for_search(**ASKED, at=timezone.now()).state == "waiting"


@COMMITTED
def test_a_tenant_without_data_is_told_so(school: Tenant) -> None:
    with scope(school):
        asked = operations.ask_for_search(**ASKED, at=timezone.now())
    assert asked.job is not None

    do(tenant_id=school.pk, job_id=asked.job)

    with scope(school):
        assert (the_run().state, the_run().outcome) == ("done", "too_few_events")


@pytest.mark.slow
@COMMITTED
def test_a_search_whose_worker_is_killed_goes_on_with_the_trials_it_has(worker: Worker) -> None:
    school = make.tenant("school")
    with scope(school):
        planted.busy_world()
        asked = operations.ask_for_search(**ASKED | {"trials": 4}, at=timezone.now())
        assert asked.job is not None
        Job.objects.filter(pk=asked.job).update(name="tests.recommender.long_jobs.search_settings")

    def state() -> str:
        with scope(school):
            return str(Job.objects.get().state)

    eventually(state, Job.State.DONE)

    with scope(school):
        run = the_run()
        assert (run.state, run.outcome, run.resumed, len(run.metrics["trials"])) == ("done", "found", 1, 4)
        assert marks() == [f"{place} {trial['ndcg']}" for place, trial in enumerate(run.metrics["trials"], start=1)]
    assert worker.process


def console(member: Member) -> Client:
    client = Client(headers={"host": "school.localhost", "accept-language": "en"})
    assert member.user
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_staff_ask_and_cancel_in_the_console(in_school: Tenant) -> None:
    staff = console(make.member(Member.Role.ADMIN))
    pages = "/admin/recommender/trainingrun/"
    assert b"Search settings" in staff.get(pages).content
    form = {**ASKED, "sampler": "tpe", "seed": 0}

    assert b"0.1 to 720 minutes" in staff.post(f"{pages}search/", form | {"minutes": 9_999}).content
    assert b"A worker will search." in staff.post(f"{pages}search/", form, follow=True).content
    assert b"Another search waits or runs" in staff.post(f"{pages}search/", form).content

    run = the_run()
    assert (run.state, run.plan) == ("waiting", form)
    staff.post(pages, {"action": "cancel", "_selected_action": [run.pk]})
    assert the_run().state == "cancelled"


@pytest.mark.usefixtures("in_school")
def test_the_best_so_far_is_seen_while_it_goes_on() -> None:
    staff = console(make.member(Member.Role.ADMIN))
    operations.ask_for_search(**ASKED, at=NOON)
    metrics = {"best": "ease", "found": {"reg": 0.25}, "models": {"ease": {"ndcg@10": 0.1234}}}
    TrainingRun.objects.update(state="running", progress=0.4, metrics=metrics)

    page = staff.get("/admin/recommender/trainingrun/").content.decode()

    assert "0.1234 (reg 0.25)" in page
    assert "40 %" in page


def test_creators_do_not_search(in_school: Tenant) -> None:
    creator = console(make.member(Member.Role.CREATOR))

    assert creator.get("/admin/recommender/trainingrun/search/").status_code == 403
