"""A creator's audience: enough viewers at once, with noise whose ε is counted, and advice that cites it."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from rest_framework.test import APIClient

from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender.models import NoisyAnswer, Portrait, Rule
from recommender.operations import PrivacyIsSpent, Told, refuse_portrait, tell_audience
from recommender.training import refresh_portraits
from recommender.training.portraits import drawing, refreshing
from tests import make
from tests.concurrency import at_once
from tests.conftest import COMMITTED
from tests.recommender.portrayed import NOW, liked, members, topics, watched

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.fixture
def maker(in_school: Tenant) -> Creator:
    """Return a creator whom one of the school's members runs."""
    return Creator.objects.create(member=make.member(Member.Role.CREATOR), handle="maker", name="Maker")


@pytest.fixture
def speaks(maker: Creator) -> APIClient:
    assert maker.member is not None
    return make.client(maker.member)


def world(maker: Creator, *, pianists: int, cooks: int) -> dict[str, list[Item]]:
    """Let pianists and cooks watch one video of the maker, and much about their own topic by others.

    Half of the pianists have known the maker for longer than four weeks.
    """
    items = topics("piano", "cooking", "chess")
    mine = items["chess"][0]
    Item.objects.filter(pk=mine.pk).update(creator=maker)
    for slug, count in (("piano", pianists), ("cooking", cooks)):
        for number, viewer in enumerate(members(count)):
            watched(viewer, [*items[slug], mine])
            if slug == "piano" and number % 2:
                watched(viewer, [mine], days_ago=40)
    refresh_portraits(tenant=maker.tenant, at=NOW)
    return items


def told(client: APIClient, path: str = "audience/") -> dict[str, Any]:
    answer = client.get(f"/api/v1/creators/maker/{path}")
    assert answer.status_code == 200, answer.json()
    said: dict[str, Any] = answer.json()
    return said


def cells(said: dict[str, Any], name: str) -> dict[str, int]:
    return {cell["name"]: cell["viewers"] for cell in said[name]}


def settings(tenant: Tenant, **audience: Any) -> None:
    tenant.settings = {"audience": audience}
    tenant.save()


def test_a_creator_learns_what_their_viewers_like_and_when_they_come(maker: Creator, speaks: APIClient) -> None:
    world(maker, pianists=50, cooks=30)

    said = told(speaks)

    assert (said["viewers"], said["k"], said["epsilon"]) == (80, 20, None)
    assert cells(said, "topics") == {"piano": 50, "cooking": 30}
    assert said["topics"][0]["share"] == 0.625
    assert cells(said, "visits") == {"new": 55, "returning": 25}
    assert cells(said, "hours") == {"20": 80}, "Noon in London, on Shanghai's clock."
    assert sum(cells(said, "segments").values()) == 80
    assert datetime.fromisoformat(said["as_of"]) == NOW
    assert told(speaks, "audience/?days=90")["viewers"] == 80
    assert cells(told(speaks, "audience/?days=90"), "visits") == {"new": 80}


def test_cells_below_k_are_hidden_and_cannot_be_worked_out(maker: Creator, speaks: APIClient) -> None:
    world(maker, pianists=40, cooks=19)

    said = told(speaks)

    assert said["viewers"] == 59
    assert cells(said, "topics") == {}, "40 of 59 would have told that 19 like something else."
    assert cells(said, "visits") == {"new": 39, "returning": 20}


def test_two_spans_tell_nobody_apart(maker: Creator, speaks: APIClient) -> None:
    """One more watched within 90 days than within 28: what that one likes is what the one count has more."""
    items = world(maker, pianists=40, cooks=30)
    assert cells(told(speaks, "audience/?days=90"), "topics") == {"piano": 40, "cooking": 30}, "They are the same ones."
    [late] = members(1)
    watched(late, [*items["cooking"], items["chess"][0]], days_ago=40)
    refresh_portraits(tenant=maker.tenant, at=NOW)

    narrow, wide = told(speaks), told(speaks, "audience/?days=90")

    assert (narrow["viewers"], wide["viewers"]) == (70, 71)
    assert cells(narrow, "topics") == {"piano": 40, "cooking": 30}
    assert cells(wide, "topics") == cells(wide, "hours") == cells(wide, "segments") == {}
    assert cells(wide, "visits") == {"new": 71}


def test_an_audience_below_k_is_refused_and_k_is_the_tenants(maker: Creator, speaks: APIClient) -> None:
    world(maker, pianists=12, cooks=0)

    refused = speaks.get("/api/v1/creators/maker/audience/")
    assert (refused.status_code, refused.json()["code"]) == (409, "audience_too_small")

    settings(maker.tenant, k=10)
    assert told(speaks)["viewers"] == 12
    settings(maker.tenant, k=1)
    refused = speaks.get("/api/v1/creators/maker/audience/")
    assert "20 viewers" in refused.json()["detail"], "Nobody is a group of one: what makes no sense is not heard."


def test_only_the_creator_and_staff_are_told(maker: Creator, client: APIClient) -> None:
    world(maker, pianists=25, cooks=0)
    other = make.client(Creator.objects.create(member=make.member(), handle="other", name="Other").member)

    for path in ("audience/", "advice/"):
        for asking in (client, other):
            assert asking.get(f"/api/v1/creators/maker/{path}").json()["code"] == "not_yours"
        assert make.client(make.member(Member.Role.STAFF)).get(f"/api/v1/creators/maker/{path}").status_code == 200


def test_questions_that_make_no_sense_are_refused(maker: Creator, speaks: APIClient) -> None:
    for query in ("days=8", "days=x", "epsilon=99"):
        assert speaks.get(f"/api/v1/creators/maker/audience/?{query}").status_code == 400, query
    assert speaks.get("/api/v1/creators/nobody/audience/").status_code == 404


@pytest.fixture
def noisy(maker: Creator) -> Tenant:
    settings(maker.tenant, epsilon=0.8, budget=1.6)
    return maker.tenant


def test_noisy_answers_stay_the_same_and_spend_the_months_budget(
    maker: Creator, speaks: APIClient, noisy: Tenant
) -> None:
    world(maker, pianists=60, cooks=40)

    first, again, other = told(speaks), told(speaks), told(speaks, "audience/?days=7")

    assert first["epsilon"] == 0.8
    assert (first["left"], other["left"]) == pytest.approx((0.8, 0.0))
    assert again == first | {"left": again["left"]}
    assert abs(first["viewers"] - 100) < 60
    refused = speaks.get("/api/v1/creators/maker/audience/?days=90")
    assert (refused.status_code, refused.json()["code"]) == (409, "privacy_is_spent")
    assert told(speaks)["viewers"] == first["viewers"], "What was told already can be asked again."
    assert NoisyAnswer.objects.filter(creator=maker).count() == 2


def test_another_month_has_a_budget_of_its_own(maker: Creator, speaks: APIClient, noisy: Tenant) -> None:
    world(maker, pianists=60, cooks=40)
    told(speaks)
    told(speaks, "audience/?days=7")
    NoisyAnswer.objects.update(period=NOW.date() - timedelta(days=400))

    assert told(speaks, "audience/?days=90")["left"] == pytest.approx(0.8)


def test_cells_that_are_empty_are_noised_too_and_stored(maker: Creator, speaks: APIClient, noisy: Tenant) -> None:
    world(maker, pianists=60, cooks=40)

    told(speaks)

    answer = NoisyAnswer.objects.get()
    assert set(answer.counts["hours"]) == {str(hour) for hour in range(24)}
    assert set(answer.counts["topics"]) == {"chess", "cooking", "piano"}
    assert sum(count > 0 for count in answer.counts["hours"].values()) > 3, "All but one are empty without noise."


def test_with_noise_no_exact_count_is_told_to_creators(maker: Creator, speaks: APIClient, noisy: Tenant) -> None:
    items = world(maker, pianists=60, cooks=40)
    for portrait in Portrait.objects.select_related("viewer"):
        for item in (items["chess"][0], items["piano"][0]):
            liked(portrait.viewer, item)
    refresh_portraits(tenant=noisy, at=NOW + timedelta(minutes=1))

    assert speaks.get("/api/v1/rules/").json()["code"] == "exact_counts_are_closed"
    staff = make.client(make.member(Member.Role.STAFF))
    assert (told(staff)["viewers"], told(staff)["epsilon"]) == (100, None)
    assert not NoisyAnswer.objects.exists(), "Staff spend no creator's budget."


def test_advice_names_the_topic_that_is_wanted_and_scarce_with_the_numbers(maker: Creator, speaks: APIClient) -> None:
    items = world(maker, pianists=60, cooks=40)
    Item.objects.filter(pk__in=[item.pk for item in items["piano"][1:]]).update(state="withdrawn")
    Item.objects.filter(pk=items["cooking"][0].pk).update(creator=maker)

    said = told(speaks, "advice/")

    assert [advice["topic"] for advice in said["advice"]] == ["piano"]
    (piano,) = said["advice"]
    assert (piano["viewers"], piano["demand"], piano["items"], piano["own"]) == (60, 0.6, 1, 0)
    assert piano["supply"] == pytest.approx(1 / 11, abs=1e-4)
    assert piano["gap"] == pytest.approx(0.6 - 1 / 11, abs=1e-4)
    english = speaks.get("/api/v1/creators/maker/advice/", headers={"accept-language": "en"}).json()["advice"][0]
    assert english["text"] == (
        "60 % of your audience (60 viewers) like piano best, but it is 9 % of what is on show (items: 1, yours: 0)."
    )
    assert "观众" in piano["text"]


def test_advice_of_a_noisy_tenant_cites_the_answer_that_was_told(
    maker: Creator, speaks: APIClient, noisy: Tenant
) -> None:
    world(maker, pianists=60, cooks=40)

    advised = told(speaks, "advice/")

    assert (advised["epsilon"], advised["audience"]) == (0.8, told(speaks)["viewers"])
    assert NoisyAnswer.objects.count() == 1


def test_a_creator_without_portraits_is_told_why(maker: Creator, speaks: APIClient) -> None:
    assert speaks.get("/api/v1/creators/maker/advice/").json()["code"] == "audience_too_small"


def test_who_refuses_is_drawn_and_counted_nowhere_until_they_allow_it(
    maker: Creator, speaks: APIClient, client: APIClient, viewer: Member
) -> None:
    items = topics("piano")["piano"]
    Item.objects.filter(pk=items[0].pk).update(creator=maker)
    for member in [viewer, *members(20)]:
        watched(member, items)
        liked(member, items[0])
        liked(member, items[1])
    for member in members(5):  # or everybody would like everything, and nothing go with anything
        liked(member, items[2])
    refresh_portraits(tenant=maker.tenant, at=NOW)
    assert (told(speaks)["viewers"], Rule.objects.get(given=items[0]).viewers) == (21, 21)

    assert client.delete("/api/v1/portrait/").status_code == client.delete("/api/v1/portrait/").status_code == 204

    said = client.get("/api/v1/portrait/").json()
    assert (said["portrait"], said["refused_at"] is not None) == (None, True)
    refresh_portraits(tenant=maker.tenant, at=NOW + timedelta(days=1))
    assert not Portrait.objects.filter(viewer=viewer).exists()
    assert (told(speaks)["viewers"], Rule.objects.get(given=items[0]).viewers) == (20, 20)

    assert client.put("/api/v1/portrait/").status_code == 204
    refresh_portraits(tenant=maker.tenant, at=NOW + timedelta(days=2))
    assert client.get("/api/v1/portrait/").json()["portrait"]["viewer"] == viewer.pk


def test_who_refuses_while_a_refresh_goes_on_is_not_drawn_by_it(
    maker: Creator, viewer: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    (item,) = topics("piano")["piano"][:1]
    watched(viewer, [item])

    def refused_meanwhile(*_: Any, **__: Any) -> Any:
        refuse_portrait(viewer=viewer, at=NOW)
        return drawing.draw(*_, **__)

    monkeypatch.setattr(refreshing, "draw", refused_meanwhile)

    refresh_portraits(tenant=maker.tenant, at=NOW)

    assert not Portrait.objects.exists()


@COMMITTED
def test_who_asks_at_the_same_moment_spends_no_more_than_there_is(school: Tenant) -> None:
    with scope(school):
        maker = Creator.objects.create(member=make.member(Member.Role.CREATOR), handle="maker", name="Maker")
        settings(school, epsilon=0.8, budget=0.8)
        world(maker, pianists=60, cooks=40)
        by = maker.member
    assert by is not None

    ends = at_once(
        school,
        [partial(tell_audience, creator=maker, days=days, by=by, at=NOW) for days in (7, 28, 90) for _ in range(2)],
    )

    told = [end for end in ends if isinstance(end, Told)]
    assert [type(end) for end in ends if not isinstance(end, Told)] == [PrivacyIsSpent] * 4
    assert len(told) == 2
    assert told[0] == told[1], "Both have asked the same."
