"""Questions, plans and works to order: answered in time and paid, or given back, whatever crashes on the way."""

import signal
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing import ledger, operations, queries
from billing.models import Consultation, Payment, Refund, StateChange
from billing.operations import Said, Wanted
from billing.providers.sandbox.server import Server
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.test_crashes import run
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON

DAY = timedelta(hours=24)


def now_of(asked: Consultation) -> str:
    return Consultation.objects.get(pk=asked.pk).state


def changes(asked: Consultation) -> list[tuple[str, str]]:
    rows = StateChange.objects.filter(of=StateChange.Of.CONSULTATION, row=asked.pk).order_by("pk")
    return [(change.before, change.after) for change in rows]


@pytest.fixture
def asked(viewer: Member) -> Consultation:
    return shop.asked_for(viewer, things.creator(make.member()), follow_ups=1)


def test_a_question_is_answered_asked_again_answered_again_rated_and_closed(asked: Consultation) -> None:
    viewer, creator = asked.viewer, asked.creator.member
    operations.answer(consultation=asked, by=creator, body="Practise.", at=NOON)
    operations.follow_up(consultation=asked, by=viewer, body="How long?", at=NOON)
    with pytest.raises(operations.NotNow):
        operations.follow_up(consultation=asked, by=viewer, body="And then?", at=NOON)
    second = operations.answer(consultation=asked, by=creator, body="An hour.", links=["https://x.org/"], at=NOON)
    with pytest.raises(operations.NotNow):
        operations.follow_up(consultation=asked, by=viewer, body="And then?", at=NOON)

    operations.rate_consultation(consultation=asked, by=viewer, rating=5)
    operations.close_consultation(consultation=asked, by=viewer, why="thanks", at=NOON)

    assert (second.version, Consultation.objects.get().rating) == (2, 5)
    states = ["placed", "asked", "answered", "followed_up", "answered", "closed"]
    assert changes(asked) == list(pairwise(states))
    with pytest.raises(operations.NotNow):
        operations.answer(consultation=asked, by=creator, body="More.", at=NOON)


def test_what_is_not_answered_in_time_is_given_back_once(asked: Consultation) -> None:
    early = operations.expire_consultation(consultation=asked, at=NOON + DAY - timedelta(seconds=1))
    ends = [operations.expire_consultation(consultation=asked, at=NOON + DAY) for _ in range(2)]

    assert (early, ends) == (False, [True, False])
    assert (now_of(asked), Refund.objects.get().amount) == ("expired", 10_000)
    assert ledger.pending(asked.creator, "CNY").balance.minor == 0
    assert queries.ledger_report().is_good
    with pytest.raises(operations.NotNow):
        operations.answer(consultation=asked, by=asked.creator.member, body="Late.", at=NOON + DAY)


def test_an_answer_after_the_time_is_too_late_though_nobody_has_looked_yet(asked: Consultation) -> None:
    with pytest.raises(operations.TooLate):
        operations.answer(consultation=asked, by=asked.creator.member, body="Late.", at=NOON + DAY)


def test_the_buyer_takes_the_money_back_before_the_answer_and_not_after_it(viewer: Member) -> None:
    creator = things.creator(make.member())
    first, second = (shop.asked_for(viewer, creator, hours=24 * 30) for _ in range(2))
    later = NOON + timedelta(days=20)
    operations.answer(consultation=second, by=creator.member, body="Practise.", at=later)

    operations.refund(line=first.line, by=viewer, amount=None, key="back", at=later)
    with pytest.raises(operations.RefundWindowOver):
        operations.refund(line=second.line, by=viewer, amount=None, key="back", at=later)

    assert (now_of(first), now_of(second)) == ("cancelled", "answered")


def test_the_money_matures_with_the_answer_and_not_before(asked: Consultation) -> None:
    long = shop.asked_for(asked.viewer, asked.creator, hours=24 * 30)
    operations.answer(consultation=asked, by=asked.creator.member, body="Practise.", at=NOON + DAY / 2)

    operations.mature(at=NOON + timedelta(days=20))

    shares = [ledger.available(asked.creator, "CNY").balance.minor, ledger.pending(asked.creator, "CNY").balance.minor]
    assert shares == [asked.line.share, long.line.share]


def test_a_refund_that_failed_puts_the_question_again(asked: Consultation) -> None:
    operations.expire_consultation(consultation=asked, at=NOON + DAY)
    operations.fail_refund(refund=Refund.objects.get(), reason="no", at=NOON + 2 * DAY)

    assert (now_of(asked), Consultation.objects.get().due_at) == ("asked", NOON + 3 * DAY)
    assert operations.mature(at=NOON + 2 * DAY) == 0
    assert operations.expire_consultation(consultation=asked, at=NOON + 3 * DAY)
    assert Refund.objects.exclude(state="failed").get().amount == 10_000
    assert queries.ledger_report().is_good


@pytest.mark.parametrize("intake", [{}, {"aim": ""}, {"aim": 5}, {"aim": "x" * 4_001}, {"aim": "x", "other": "y"}])
def test_a_form_is_filled_in_as_it_asks(viewer: Member, intake: dict[str, Any]) -> None:
    wanted = Wanted(product=shop.consultation(things.creator(make.member())).product, said=Said(intake=intake))

    with pytest.raises(operations.BadIntake):
        operations.order_all(viewer=viewer, wanted=[wanted], key="key", at=NOON)


@pytest.mark.parametrize(
    "form",
    [
        [{"name": "a", "label": "", "type": "text", "required": True}] * 2,
        [{"name": "a", "label": "", "type": "choice", "required": True}],
        [{"name": "a", "label": "", "type": "text", "required": True, "choices": ["x"]}],
    ],
)
def test_a_form_makes_sense(in_school: Tenant, form: list[dict[str, Any]]) -> None:
    with pytest.raises(operations.consultations.BadForm):
        shop.consultation(things.creator(make.member()), form=form)


def test_only_who_it_is_for_reads_answers_and_rates(asked: Consultation) -> None:
    stranger, staff = make.member(), make.member(Member.Role.STAFF)
    readers = [asked.viewer, asked.creator.member, staff]

    assert [queries.consultations_seen_by(who).count() for who in (*readers, stranger)] == [1, 1, 1, 0]
    for act in (
        lambda: operations.answer(consultation=asked, by=asked.viewer, body="x", at=NOON),
        lambda: operations.follow_up(consultation=asked, by=stranger, body="x", at=NOON),
        lambda: operations.rate_consultation(consultation=asked, by=staff, rating=5),
        lambda: operations.close_consultation(consultation=asked, by=stranger, why="", at=NOON),
    ):
        with pytest.raises(operations.NotYourConsultation):
            act()


def test_a_plan_is_asked_for_and_answered_over_http(client: APIClient, viewer: Member) -> None:
    creator = things.creator(make.member())
    coach, stranger = make.client(creator.member), make.client(make.member())
    form = [{"name": "level", "label": "Level?", "type": "choice", "choices": ["low", "high"]}]
    ask = {"creator": creator.handle, "kind": "plan", "title": "A plan", "amount": 5_000, "hours": 24, "form": form}
    assert client.post("/api/v1/consultation-offers/", ask).status_code == 403
    offer = coach.post("/api/v1/consultation-offers/", ask).json()
    lines = [{"product": offer["product"], "intake": {"level": "middle"}}]
    assert client.post("/api/v1/orders/", {"lines": lines}).json()["code"] == "bad_intake"
    lines[0]["intake"] = {"level": "high"}
    placed = client.post("/api/v1/orders/", {"lines": lines}).json()
    assert client.get("/api/v1/consultations/").json()["results"] == []
    payment = Payment.objects.get(order=placed["id"])
    operations.capture(payment=payment, reference="co", at=timezone.now())

    url = f"/api/v1/consultations/{coach.get('/api/v1/consultations/').json()['results'][0]['id']}/"
    answered = coach.post(f"{url}answer/", {"body": "Practise.", "links": ["https://x.org/plan"]})
    rated = client.post(f"{url}rate/", {"rating": 4})

    assert (answered.status_code, answered.json()["entries"][0]["version"], rated.json()["rating"]) == (201, 1, 4)
    assert client.post(f"{url}follow-up/", {"body": "More?"}).json()["code"] == "not_now"
    assert client.post(f"{url}close/", {}).json()["state"] == "closed"
    assert client.post(f"{url}rate/", {"rating": 6}).status_code == 400
    assert stranger.get(url).status_code == 404


@pytest.mark.parametrize("path", ["consultations/", "consultation-offers/"])
def test_lists_ask_as_often_for_one_row_as_for_many(
    client: APIClient, viewer: Member, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        creator = things.creator(make.member())
        asked = shop.asked_for(viewer, creator)
        operations.answer(consultation=asked, by=creator.member, body="x", at=NOON)

    with django_assert_max_num_queries(10):
        assert len(client.get(f"/api/v1/{path}").json()["results"]) == 3


@COMMITTED
@pytest.mark.parametrize("point", ["after_expiry", "after_expiry_refund"])
def test_a_crash_while_giving_back_gives_back_once(school: Tenant, sandbox: Server, point: str) -> None:
    with scope(school):
        asked = shop.asked_for(make.member(), things.creator(make.member()), at=timezone.now() - 2 * DAY)

    assert run(sandbox, "expire", asked.pk, crash_at=point) == -signal.SIGKILL
    with scope(school):
        assert (now_of(asked), Refund.objects.count()) == ("asked", 0)
    for _ in range(2):
        assert run(sandbox, "expire", asked.pk) == 0

    with scope(school):
        assert (now_of(asked), Refund.objects.get().amount) == ("expired", 10_000)
        assert shop.jobs("send_refund") == 1
        assert shop.books_are_good()


@COMMITTED
def test_answered_and_given_back_at_once_is_one_of_both(school: Tenant) -> None:
    with scope(school):
        asked = shop.asked_for(make.member(), things.creator(make.member()))
        member = asked.creator.member

    ends = at_once(
        school,
        [
            lambda: (
                operations.answer(consultation=asked, by=member, body="x", at=NOON + DAY - timedelta(seconds=1)).kind
            ),
            lambda: operations.expire_consultation(consultation=asked, at=NOON + DAY),
        ],
    )

    with scope(school):
        is_answered = now_of(asked) == "answered"
        assert Refund.objects.count() == (0 if is_answered else 1)
    assert ends[1] is not is_answered
    assert isinstance(ends[0], Refused) is not is_answered


def test_a_part_that_could_not_be_given_back_is_not_earned_before_the_answer(asked: Consultation) -> None:
    staff = make.member(Member.Role.STAFF)
    refund = operations.refund(line=asked.line, by=staff, amount=shop.yuan(1_000), key="part", at=NOON)

    operations.fail_refund(refund=refund, reason="no", at=NOON)

    assert operations.mature(at=NOON + timedelta(days=20)) == 0
    assert ledger.available(asked.creator, "CNY").balance.minor == 0
    operations.answer(consultation=asked, by=asked.creator.member, body="Practise.", at=NOON)
    assert operations.mature(at=NOON + timedelta(days=20)) == 1
    assert ledger.available(asked.creator, "CNY").balance.minor == asked.line.share
