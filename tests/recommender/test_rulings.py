"""What breaks a rule is shown less, its creator is told which rule, since when and how to appeal, and staff answer."""

from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog import operations as catalog
from catalog.models import Item, Report, Ruling
from creators.models import Creator
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations, queries, tasks
from recommender.models import Notice
from recommender.queries.on_show import on_show
from recommender.serving.space import Space
from recommender.serving.traits import Teller
from recommender.training import find_duplicates
from tests import make
from tests.catalog import things
from tests.conftest import COMMITTED
from tests.kpplatform.test_figures import of
from tests.kpplatform.test_studio import opened

pytestmark = pytest.mark.usefixtures("_fresh_cache")

RULINGS, NOTICES = "/api/v1/rulings/", "/api/v1/notices/"
SAME: dict[str, Any] = {"title": "Ten piano scales that every beginner needs today", "tags": ["piano", "scales"]}


@pytest.fixture
def maker(in_school: Tenant) -> Creator:
    return things.creator(make.member(Member.Role.CREATOR, language="en"))


@pytest.fixture
def creator(maker: Creator) -> APIClient:
    assert maker.member
    return make.client(maker.member)


@pytest.fixture
def staff(in_school: Tenant) -> APIClient:
    return make.client(make.member(Member.Role.STAFF))


def taken_down(staff: APIClient, video: Item, **said: Any) -> dict[str, Any]:
    answer = staff.post(RULINGS, {"item": video.pk, "rule": "stolen"} | said, format="json")
    assert answer.status_code == 201, answer.json()
    made: dict[str, Any] = answer.json()
    return made


def told() -> int:
    return operations.tell_of_rulings(at=timezone.now())


def texts(client: APIClient) -> list[str]:
    return [notice["text"] for notice in client.get(NOTICES).json()["results"]]


def test_who_is_taken_down_is_told_the_rule_the_effect_the_day_and_how_to_appeal(
    maker: Creator, creator: APIClient, staff: APIClient
) -> None:
    video = things.video(maker, title="Scales")

    ruling = taken_down(staff, video, why="It is Ann's.")
    assert Job.objects.filter(name="recommender.tasks.tell_creators").count() == 1
    assert (told(), told()) == (1, 0)

    video.refresh_from_db()
    assert (video.state, ruling["effect"]) == ("withdrawn", "withdrawn")
    [text] = texts(creator)
    assert text.startswith("“Scales” breaks a rule: Stolen. Since ")
    assert "it is shown to nobody. It is Ann's. If that is wrong, appeal" in text
    [notice] = creator.get(NOTICES).json()["results"]
    assert (notice["link"], notice["is_about_yours"]) == ("/admin/figures/studio-ranking/", True)
    assert "《Scales》" in Notice.objects.get().text_zh
    assert "申诉" in Notice.objects.get().text_zh
    [shown] = [part for part in opened(maker, "studio-ranking").parts if "appeal" in str(part.title)]
    assert [str(cell) for cell in shown.rows[0][1:4]] == ["Scales", "Stolen", "shown to nobody"]
    assert shown.rows[0][5] == "stands"


def test_a_plain_withdrawal_by_staff_is_told_too_and_ones_own_is_not(
    maker: Creator, creator: APIClient, staff: APIClient
) -> None:
    by_staff, own = things.video(maker), things.video(maker)

    staff.post(f"/api/v1/videos/{by_staff.pk}/withdraw/")
    creator.post(f"/api/v1/videos/{own.pk}/withdraw/")

    assert [(of.item_id, of.rule) for of in Ruling.objects.all()] == [(by_staff.pk, "other")]
    assert creator.post(f"/api/v1/videos/{own.pk}/publish/").status_code == 200
    refused = creator.post(f"/api/v1/videos/{by_staff.pk}/publish/")
    assert (refused.status_code, refused.json()["code"]) == (409, "taken_down")
    assert staff.post(f"/api/v1/videos/{by_staff.pk}/publish/").status_code == 200
    assert Ruling.objects.get().lifted_at


def test_an_appeal_is_answered_once_and_what_is_upheld_is_shown_again(
    maker: Creator, creator: APIClient, staff: APIClient
) -> None:
    video = things.video(maker)
    path = f"{RULINGS}{taken_down(staff, video)['id']}/"
    told()
    assert staff.post(f"{path}answer/", {"is_upheld": True}, format="json").json()["code"] == "nothing_to_appeal"
    assert staff.post(f"{path}appeal/", {"text": "No."}, format="json").json()["code"] == "not_your_ruling"

    appealed = creator.post(f"{path}appeal/", {"text": "I made it."}, format="json")
    again = creator.post(f"{path}appeal/", {"text": "I did!"}, format="json")
    assert (appealed.status_code, again.json()["code"]) == (201, "nothing_to_appeal")
    assert creator.post(f"{path}answer/", {"is_upheld": True}, format="json").json()["code"] == "not_your_ruling"

    answered = staff.post(f"{path}answer/", {"is_upheld": True, "answer": "Sorry."}, format="json").json()
    twice = staff.post(f"{path}answer/", {"is_upheld": False}, format="json")
    assert (answered["appeal"]["is_upheld"], twice.json()["code"]) == (True, "answered_already")
    assert told() == 1

    before = video.published_at
    video.refresh_from_db()
    assert (video.state, video.published_at, answered["lifted_at"] is None) == ("published", before, False)
    assert texts(creator)[0] == f"Your appeal about “{video.title}” was upheld: the ruling is lifted. Sorry."
    assert creator.get(RULINGS).json()["results"] == [answered]


def test_what_is_rejected_stands(maker: Creator, creator: APIClient, staff: APIClient) -> None:
    video = things.video(maker)
    path = f"{RULINGS}{taken_down(staff, video)['id']}/"
    creator.post(f"{path}appeal/", {"text": "I made it."}, format="json")

    staff.post(f"{path}answer/", {"is_upheld": False, "answer": "No."}, format="json")
    told()

    video.refresh_from_db()
    assert video.state == "withdrawn"
    assert texts(creator)[0].endswith("was rejected: the ruling stands. No.")


def test_the_later_of_two_that_say_the_same_is_ruled_a_copy_and_appeals_end_that(
    school: Tenant, maker: Creator, creator: APIClient, staff: APIClient
) -> None:
    first, copy = things.video(**SAME), things.video(maker, **SAME)
    things.video(maker, published_at=None, **SAME)
    find_duplicates(tenant=school, at=timezone.now())
    find_duplicates(tenant=school, at=timezone.now())

    ruling = Ruling.objects.get()
    assert (ruling.item_id, ruling.rule, ruling.effect, ruling.by) == (copy.pk, "copy", "last", None)
    told()
    assert "last on a page beside what it says the same as" in texts(creator)[0]
    assert words_of(copy)

    creator.post(f"{RULINGS}{ruling.pk}/appeal/", {"text": "It is another piece."}, format="json")
    staff.post(f"{RULINGS}{ruling.pk}/answer/", {"is_upheld": True}, format="json")
    find_duplicates(tenant=school, at=timezone.now())

    assert Ruling.objects.get().lifted_at, "It is not ruled anew."
    assert (words_of(copy), bool(words_of(first))) == ({}, True)
    copy.refresh_from_db()
    assert copy.state == "published"


def words_of(item: Item) -> dict[str, float]:
    """Return the words by which a page tells whether the item is the same as another."""
    teller = Teller(on_show(at=timezone.now()), Space(None), np.zeros(0, np.int64), small_followers=0)
    return dict(teller.words_at(teller.place_of(item.pk)))


def test_what_is_no_copy_any_more_is_lifted(school: Tenant, maker: Creator) -> None:
    things.video(**SAME)
    copy = things.video(maker, **SAME)
    find_duplicates(tenant=school, at=timezone.now())
    Item.objects.filter(pk=copy.pk).update(title="Something wholly different about cooking rice", tags=["rice"])

    find_duplicates(tenant=school, at=timezone.now())

    assert Ruling.objects.get().lifted_at


def test_reports_are_acted_on_and_rulings_answered_in_the_console(maker: Creator) -> None:
    assert maker.member
    video, boss = things.video(maker), of(make.member(Member.Role.STAFF))
    catalog.report(viewer=make.member(), item=video, reason=Report.Reason.SPAM, text="", at=timezone.now())

    def act(client: Any, page: str, action: str, row: int, words: str) -> str:
        sent = {"action": action, "_selected_action": [row], "words": words}
        page_after: str = client.post(f"/admin/catalog/{page}/", sent, follow=True).content.decode()
        return page_after

    act(boss, "report", "take_down", Report.objects.get().pk, "Thrice.")
    ruling = Ruling.objects.get()
    assert (ruling.rule, ruling.why) == ("spam", "Thrice.")
    assert "write them beside" in act(of(maker.member), "ruling", "appeal", ruling.pk, "")
    act(of(maker.member), "ruling", "appeal", ruling.pk, "It is not.")
    act(of(maker.member), "ruling", "uphold", ruling.pk, "")
    assert ruling.appeals.get().is_upheld is None, "Creators answer nothing."
    act(boss, "ruling", "uphold", ruling.pk, "Right.")
    assert (ruling.appeals.get().is_upheld, ruling.appeals.get().answer) == (True, "Right.")


def test_creators_see_their_own_rulings_only_and_staff_rule(
    maker: Creator, creator: APIClient, staff: APIClient
) -> None:
    other = things.video()
    made = taken_down(staff, other)

    assert creator.get(RULINGS).json()["results"] == []
    assert creator.get(f"{RULINGS}{made['id']}/").status_code == 404
    own = creator.post(RULINGS, {"item": things.video(maker).pk, "rule": "spam"}, format="json")
    assert (own.status_code, own.json()["code"]) == (403, "not_yours")
    copied = staff.post(RULINGS, {"item": things.video().pk, "rule": "copy"}, format="json")
    assert copied.status_code == 400


def test_a_page_of_rulings_costs_the_same_however_many_there_are(staff: APIClient) -> None:
    taken_down(staff, things.video())
    with CaptureQueriesContext(connection) as one:
        staff.get(RULINGS)
    for _ in range(5):
        taken_down(staff, things.video())
    with CaptureQueriesContext(connection) as six:
        assert len(staff.get(RULINGS).json()["results"]) == 6
    assert len(one) == len(six)


@COMMITTED
def test_who_was_told_before_the_worker_died_is_not_told_again(school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.operations.telling.AT_ONCE", 2)
    with scope(school):
        boss = make.member(Member.Role.STAFF)
        for _ in range(5):
            catalog.take_down(item=things.video(), rule=Ruling.Rule.SPAM, by=boss, at=timezone.now())
    whole, batches = operations.tell_of_rulings, []

    def die(**said: Any) -> int:
        batches.append(1)
        if len(batches) == 2:
            raise KeyboardInterrupt
        return whole(**said)

    with monkeypatch.context() as dying:
        dying.setattr(operations, "tell_of_rulings", die)
        with pytest.raises(KeyboardInterrupt):
            tasks.tell_creators(tenant=school)
    with scope(school):
        assert Notice.objects.count() == 2
    tasks.tell_creators(tenant=school)
    with scope(school):
        assert Notice.objects.count() == len({*Notice.objects.values_list("about", flat=True)}) == 5
        assert not queries.notices_of(boss)
