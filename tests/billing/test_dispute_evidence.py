"""What is shown against a dispute is true and fits; who sold only a part of an order speaks for that part only."""

from datetime import timedelta
from typing import Any

import pytest

from billing import operations, queries
from billing.models import Dispute, DisputeAnswer, DisputeEvidence, EbookCopy, Order
from billing.operations import disputing
from billing.providers import Stand
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, shop
from tests.billing.disputes import NOW, say
from tests.billing.paying import staff
from tests.billing.shop import bought, yuan
from tests.billing.test_dispute_answers import submitted, words
from tests.catalog import things
from tests.conftest import NOON


def log_of(order: Order) -> str:
    by = staff()
    dispute = say(order, Stand.NEEDS_RESPONSE)
    return disputing.add_evidence(dispute=dispute, by=by, kind="access_log", at=NOW).text


def test_the_log_of_a_membership_says_what_it_opened(sandbox: Server, viewer: Member, course: Item) -> None:
    joined = members.joined(sandbox, viewer, members.plan(course.creator))

    log = log_of(joined.periods.get().order)

    assert f"all courses of {course.creator} until " in log


def test_the_log_of_an_ebook_says_how_often_it_was_downloaded(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    product = shop.bundle(course.creator, minor=500)
    line = order.lines.get()
    about = {"line": line, "product": product, "viewer": viewer, "source": line.source}
    EbookCopy.objects.create(downloads=3, granted_at=NOON, last_at=NOW, **about)

    assert f"downloaded “{product}” 3 times, last at {NOW:%Y-%m-%d %H:%M} UTC" in log_of(order)


def test_a_log_that_is_too_long_is_cut_and_not_refused(viewer: Member, course: Item) -> None:
    items = [course, *(things.video(course.creator) for _ in range(140))]
    Item.objects.filter(pk__in=[item.pk for item in items]).update(title="A long title " * 5)

    log = log_of(shop.bought_all(viewer, operations.Wanted(product=shop.bundle(course.creator, *items, minor=10_000))))

    assert 9_000 < len(log) <= 10_000
    assert log.count("\n") < 141


@pytest.mark.parametrize("kind", ["submit", "receipt", "access_log"])
def test_who_sold_a_part_of_an_order_does_not_speak_for_the_others(viewer: Member, course: Item, kind: str) -> None:
    other = shop.course_for(3_000)
    order = shop.bought_all(viewer, *(operations.Wanted(item=item) for item in (course, other)))
    dispute, by = say(order, Stand.NEEDS_RESPONSE), course.creator.member
    words(dispute, by)
    told: dict[str, Any] = {"key": "submit"} if kind == "submit" else {"kind": kind}
    do: Any = disputing.submit_evidence if kind == "submit" else disputing.add_evidence

    with pytest.raises(Refused) as no:
        do(dispute=dispute, by=by, at=NOW, **told)

    assert no.value.code == "staff_only"


@pytest.mark.usefixtures("_fresh_cache")
def test_who_sold_a_part_of_an_order_sees_that_part(viewer: Member, course: Item) -> None:
    other = shop.course_for(3_000)
    order = shop.bought_all(viewer, *(operations.Wanted(item=item) for item in (course, other)))
    dispute, boss = say(order, Stand.NEEDS_RESPONSE), staff()
    disputing.add_evidence(dispute=dispute, by=boss, kind="receipt", at=NOW)
    file = disputing.add_evidence(dispute=dispute, by=boss, kind="file", content=b"%PDF-", at=NOW)
    words(dispute, course.creator.member, "Mine.")

    whole = make.client(course.creator.member).get(f"/api/v1/disputes/{dispute.pk}/").json()

    assert [part["amount"] for part in whole["parts"]] == [10_000]
    assert [piece["text"] for piece in whole["evidence"]] == ["Mine."]
    assert not queries.evidence_files(course.creator.member).filter(pk=file.pk).exists()
    assert len(make.client(boss).get(f"/api/v1/disputes/{dispute.pk}/").json()["evidence"]) == 3


def test_an_answer_to_an_enquiry_is_none_to_the_dispute_that_it_became(viewer: Member, course: Item) -> None:
    order, due = bought(viewer, course), NOW + timedelta(days=1)
    submitted(say(order, Stand.WARNING, due_at=due))
    DisputeAnswer.objects.update(state="done", asked_at=NOW - timedelta(hours=1))

    say(order, Stand.NEEDS_RESPONSE, due_at=due)

    dispute = queries.disputes_seen_by(staff()).get()
    assert dispute.is_answered is False  # type: ignore[attr-defined]
    assert queries.reminder_of(dispute, is_answered=False, at=NOW) == "due"


def test_a_key_under_which_evidence_was_submitted_accepts_nothing(viewer: Member, course: Item) -> None:
    dispute, by = say(bought(viewer, course), Stand.NEEDS_RESPONSE), staff()
    submitted(dispute, by)

    with pytest.raises(Refused) as no:
        disputing.accept_dispute(dispute=dispute, by=by, key="submit", at=NOW)

    assert no.value.code == "answer_key_taken"


def test_an_enquiry_can_be_about_less_by_and_by(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    say(order, Stand.WARNING)

    dispute = say(order, Stand.NEEDS_RESPONSE, amount=yuan(6_000))

    assert (dispute.amount, dispute.held) == (6_000, 6_000)
    with pytest.raises(disputing.CannotBe, match="wrong_amount"):
        say(order, Stand.NEEDS_RESPONSE, amount=yuan(5_000))
    assert Dispute.objects.get().amount == 6_000
    assert shop.books_are_good()
    assert not DisputeEvidence.objects.exists()
