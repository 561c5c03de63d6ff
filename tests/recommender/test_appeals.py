"""Who may judge an appeal, what lifts a ruling, and what a ruling reaches: lessons, and the feed's pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from catalog import operations as catalog
from catalog.models import Item, Lesson, Ruling, Section
from catalog.queries import playable_by
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from recommender import operations
from recommender.queries.on_show import on_show
from recommender.training import find_duplicates
from tests import make
from tests.catalog import things
from tests.kpplatform.test_figures import of
from tests.recommender.test_rulings import SAME, texts

pytestmark = pytest.mark.usefixtures("_fresh_cache")

RULINGS = "/api/v1/rulings/"


@pytest.fixture
def maker(in_school: Tenant) -> Creator:
    return things.creator(make.member(Member.Role.CREATOR, language="en"))


@pytest.fixture
def boss(in_school: Tenant) -> Member:
    return make.member(Member.Role.STAFF)


def client(creator: Creator) -> APIClient:
    assert creator.member
    return make.client(creator.member)


def taken_down(item: Item, by: Member) -> Ruling:
    return catalog.take_down(item=item, rule=Ruling.Rule.SPAM, by=by, at=timezone.now())


def appealed(ruling: Ruling) -> Ruling:
    by = ruling.item.creator.member
    assert by
    catalog.appeal(ruling=ruling, by=by, text="It is not.", at=timezone.now())
    return ruling


def answered(by: APIClient, ruling: Ruling, *, is_upheld: bool) -> tuple[int, str]:
    answer = by.post(f"{RULINGS}{ruling.pk}/answer/", {"is_upheld": is_upheld}, format="json")
    return answer.status_code, answer.json().get("code", "")


def state_of(item: Item) -> str:
    item.refresh_from_db()
    return item.state


def test_who_ruled_judges_no_appeal_against_it_while_somebody_else_can(maker: Creator, boss: Member) -> None:
    first, second = (appealed(taken_down(things.video(maker), boss)) for _ in range(2))
    assert answered(make.client(boss), first, is_upheld=False) == (200, ""), "Nobody else could."
    other = make.member(Member.Role.ADMIN)

    assert answered(make.client(boss), second, is_upheld=False) == (403, "not_your_ruling")
    assert answered(make.client(other), second, is_upheld=False) == (200, "")


def test_staff_neither_show_again_nor_judge_what_is_their_own(boss: Member) -> None:
    own = things.creator(make.member(Member.Role.STAFF))
    video = things.video(own)
    ruling = appealed(taken_down(video, boss))

    again = client(own).post(f"/api/v1/videos/{video.pk}/publish/")

    assert (again.status_code, again.json()["code"]) == (409, "taken_down")
    assert answered(client(own), ruling, is_upheld=True) == (403, "not_your_ruling")
    assert state_of(video) == "withdrawn"


def test_who_shows_it_again_upholds_the_appeal_that_waits(maker: Creator, boss: Member) -> None:
    video = things.video(maker)
    ruling = appealed(taken_down(video, boss))
    operations.tell_of_rulings(at=timezone.now())

    assert make.client(boss).post(f"/api/v1/videos/{video.pk}/publish/").status_code == 200

    appeal = ruling.appeals.get()
    assert (appeal.is_upheld, appeal.answered_by) == (True, boss)
    assert operations.tell_of_rulings(at=timezone.now()) == 1
    assert "was upheld: the ruling is lifted." in texts(client(maker))[0]


def test_what_was_lifted_meanwhile_is_not_judged_and_waits_no_more(maker: Creator, boss: Member) -> None:
    copy = things.video(maker, title="Twice told tales")
    catalog.rule_copies(items=[copy.pk], at=timezone.now())
    ruling = appealed(Ruling.objects.get())
    waiting = "/admin/catalog/ruling/?appeal=waits"
    assert "Twice told tales" in of(boss).get(waiting).content.decode()

    catalog.rule_copies(items=[], at=timezone.now())

    assert answered(make.client(boss), ruling, is_upheld=False) == (409, "nothing_to_appeal")
    assert ruling.appeals.get().answered_at is None
    assert "Twice told tales" not in of(boss).get(waiting).content.decode()


def test_what_was_scheduled_is_scheduled_again(maker: Creator, boss: Member) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    video = things.video(maker, published_at=tomorrow, state=Item.State.SCHEDULED)

    answered(make.client(boss), appealed(taken_down(video, boss)), is_upheld=True)

    assert (state_of(video), video.published_at) == ("scheduled", tomorrow)


def test_a_lesson_does_not_play_what_was_taken_down(maker: Creator, boss: Member) -> None:
    video, course, viewer = things.video(maker, published_at=None), things.course(maker, is_free=True), make.member()
    section = Section.objects.get(course=course)
    Lesson.objects.create(section=section, position=3, title="To be seen", video=video, is_preview=True)

    def plays(who: Member | None) -> bool:
        assert who
        return playable_by(who, at=timezone.now()).filter(pk=video.pk).exists()

    assert plays(viewer)
    ruling = appealed(taken_down(video, boss))
    assert (plays(viewer), plays(maker.member)) == (False, True)
    answered(make.client(boss), ruling, is_upheld=True)
    assert plays(viewer)


def test_creators_do_not_read_who_of_the_staff_ruled(maker: Creator, boss: Member) -> None:
    boss.name = "Strict Ann"
    boss.save()
    ruling = appealed(taken_down(things.video(maker), boss))
    answered(make.client(boss), ruling, is_upheld=False)
    pages = [f"/admin/catalog/{page}" for page in (f"ruling/{ruling.pk}/change/", "ruling/", "appeal/")]
    pages.append(f"/admin/catalog/appeal/{ruling.appeals.get().pk}/change/")

    def told(who: Any) -> list[bool]:
        answers = [of(who).get(page) for page in pages]
        assert {answer.status_code for answer in answers} == {200}
        return ["Strict Ann" in answer.content.decode() for answer in answers]

    assert told(maker.member) == [False] * 4
    assert told(make.member(Member.Role.STAFF)) == [True, False, True, True]


def test_the_feed_knows_what_is_ruled_a_copy_of_what(school: Tenant, maker: Creator, boss: Member) -> None:
    first, copy = things.video(**SAME), things.video(maker, **SAME)
    find_duplicates(tenant=school, at=timezone.now())
    assert on_show(at=timezone.now()).copies == {copy.pk: {first.pk}}

    answered(make.client(boss), appealed(Ruling.objects.get()), is_upheld=True)

    assert on_show(at=timezone.now()).copies == {}
