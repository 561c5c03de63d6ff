"""What is said against a dispute: collected, told to the provider once, and found again when the answer was lost."""

import signal
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import queries
from billing.models import Dispute, DisputeAnswer, DisputeEvidence, OrderLine
from billing.operations import disputing
from billing.providers import Stand
from billing.providers.sandbox.server import Server
from billing.tasks import send_dispute_answer
from catalog.models import Item, Watch
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.disputes import NOW, disputed, say
from tests.billing.paying import staff
from tests.billing.shop import bought, fault, jobs
from tests.billing.test_crashes import run
from tests.catalog import things
from tests.conftest import COMMITTED, NOON


@pytest.fixture
def dispute(sandbox: Server, viewer: Member, course: Item, in_school: Tenant) -> Dispute:
    """A dispute at the sandbox, that we have heard of."""
    return opened(sandbox, viewer, course)


def opened(sandbox: Server, viewer: Member, course: Item, press: str = "dispute") -> Dispute:
    payment = disputed(sandbox, viewer, course, press)
    shop.deliver_all(sandbox.bank, tenant=viewer.tenant)
    return Dispute.objects.select_related("payment__order__viewer").get(payment=payment)


def words(dispute: Dispute, by: Member, text: str = "It was watched.") -> DisputeEvidence:
    return disputing.add_evidence(dispute=dispute, by=by, kind="text", text=text, at=NOW)


def submitted(dispute: Dispute, by: Member | None = None) -> DisputeAnswer:
    by = by or staff()
    words(dispute, by)
    return disputing.submit_evidence(dispute=dispute, by=by, key="submit", at=NOW)


def sent(answer: DisputeAnswer) -> str:
    """Do what the job does, in one transaction; return the state."""
    if disputing.begin_dispute_answer(answer=answer, at=NOW):
        disputing.send_dispute_answer(answer=answer, at=NOW)
    return DisputeAnswer.objects.get(pk=answer.pk).state


def told(sandbox: Server) -> list[Any]:
    return [row.get("evidence") for row in sandbox.bank.book.tables["disputes"].values()]


def test_evidence_is_told_to_the_provider(sandbox: Server, dispute: Dispute, course: Item) -> None:
    buyer, by = dispute.payment.order.viewer, course.creator.member
    seen = {"started_at": datetime.now(UTC), "received_at": datetime.now(UTC), "watch_ms": 61_000}
    Watch.objects.create(event_id=uuid4(), viewer=buyer, item=course, duration_ms=90_000, source="feed", **seen)

    words(dispute, by)
    disputing.add_evidence(dispute=dispute, by=by, kind="receipt", at=NOW)
    log = disputing.add_evidence(dispute=dispute, by=by, kind="access_log", at=NOW)
    disputing.add_evidence(dispute=dispute, by=by, kind="file", content=b"%PDF-1.4", at=NOW)
    answer = disputing.submit_evidence(dispute=dispute, by=by, key="submit", at=NOW)
    words(dispute, by, "Too late.")

    assert (sent(answer), jobs("hear_of_dispute")) == ("done", 2)
    (evidence,) = told(sandbox)
    assert (evidence["words"], evidence["file"]) == ("It was watched.", b64encode(b"%PDF-1.4").decode())
    assert "100.00 CNY" in evidence["receipt"]
    assert f"watched 61 s of “{course.title}”" in log.text == evidence["access_log"]
    disputing.hear_of_dispute(provider="sandbox", reference=dispute.reference, at=NOW)
    assert Dispute.objects.get().state == "under_review"
    assert disputing.submit_evidence(dispute=dispute, by=by, key="submit", at=NOW) == answer


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda dispute: words(dispute, make.member()), "staff_only"),
        (lambda dispute: words(dispute, staff(), " "), "bad_evidence"),
        (lambda dispute: words(dispute, staff(), "x" * 10_001), "bad_evidence"),
        (lambda dispute: add_file(dispute, b"MZ"), "bad_evidence"),
        (lambda dispute: add_file(dispute, b"%PDF-" + b" " * 500_000), "bad_evidence"),
        (lambda dispute: disputing.submit_evidence(dispute=dispute, by=staff(), key="k", at=NOW), "nothing_to_say"),
        (lambda dispute: accept(dispute, dispute.payment.order.lines.get().creator.member), "staff_only"),
        (lambda dispute: (submitted(dispute), accept(dispute, staff())), "answer_under_way"),
        (lambda dispute: (lose(dispute), words(dispute, staff())), "dispute_over"),
        (lambda dispute: (lose(dispute), accept(dispute, staff())), "dispute_over"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused(dispute: Dispute, act: Callable[[Dispute], Any], code: str) -> None:
    with pytest.raises(Refused) as no:
        act(dispute)

    assert no.value.code == code


def add_file(dispute: Dispute, content: bytes) -> DisputeEvidence:
    return disputing.add_evidence(dispute=dispute, by=staff(), kind="file", content=content, at=NOW)


def accept(dispute: Dispute, by: Member) -> DisputeAnswer:
    return disputing.accept_dispute(dispute=dispute, by=by, key="accept", at=NOW)


def lose(dispute: Dispute) -> Dispute:
    return say(dispute.payment.order, Stand.LOST, reference=dispute.reference)


def test_an_accepted_dispute_is_lost(sandbox: Server, dispute: Dispute, in_school: Tenant) -> None:
    assert sent(accept(dispute, staff())) == "done"
    shop.deliver_all(sandbox.bank, tenant=in_school)

    assert Dispute.objects.get().state == "lost"
    assert shop.books_are_good()


def test_an_enquiry_that_was_answered_can_be_closed(
    sandbox: Server, viewer: Member, course: Item, in_school: Tenant
) -> None:
    dispute = opened(sandbox, viewer, course, "inquire")
    assert sent(submitted(dispute)) == "done"
    assert Dispute.objects.get().state == "warning"

    assert sent(accept(dispute, staff())) == "done"
    disputing.hear_of_dispute(provider="sandbox", reference=dispute.reference, at=NOW)

    assert (Dispute.objects.get().state, Dispute.objects.get().held) == ("closed", 0)


@pytest.mark.parametrize("kind", ["fail_after_commit", "too_many"])
def test_a_lost_answer_is_unknown_until_the_provider_is_asked(sandbox: Server, dispute: Dispute, kind: str) -> None:
    fault(sandbox, f"/v1/disputes/{dispute.reference}/evidence", kind)
    answer = submitted(dispute)

    assert (sent(answer), jobs("resolve_dispute_answer")) == ("unknown", 1)
    assert sent(answer) == "unknown", "It is not told a second time."
    disputing.resolve_dispute_answer(answer=answer, at=NOW)

    state = DisputeAnswer.objects.get().state
    assert state == ("done" if kind == "fail_after_commit" else "asked")
    assert sent(answer) == "done"
    assert told(sandbox)[0]["words"] == "It was watched."


def test_a_provider_that_is_away_leaves_it_unknown(sandbox: Server, dispute: Dispute, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    answer = submitted(dispute)
    assert sent(answer) == "unknown"

    disputing.resolve_dispute_answer(answer=answer, at=NOW + timedelta(minutes=1))

    assert (DisputeAnswer.objects.get().state, jobs("resolve_dispute_answer")) == ("unknown", 2)


def test_a_refused_answer_says_why_and_another_may_follow(sandbox: Server, dispute: Dispute) -> None:
    fault(sandbox, f"/v1/disputes/{dispute.reference}/evidence", "refuse")

    answer = submitted(dispute)
    assert sent(answer) == "failed"

    assert DisputeAnswer.objects.get().reason == "The payment provider refuses: refused."
    assert sent(disputing.submit_evidence(dispute=dispute, by=staff(), key="again", at=NOW)) == "done"


@COMMITTED
@pytest.mark.parametrize("point", ["before_dispute_answer", "after_dispute_answer"])
def test_a_crash_while_answering_tells_once(school: Tenant, sandbox: Server, point: str) -> None:
    with scope(school):
        answer = submitted(opened(sandbox, make.member(), shop.course_for(10_000)))

    assert run(sandbox, "answer", answer.pk, crash_at=point) == -signal.SIGKILL
    with scope(school):
        assert DisputeAnswer.objects.get().state == "submitted"
    for _ in range(2):
        send_dispute_answer(tenant=school, answer_id=answer.pk)
        with scope(school):
            disputing.resolve_dispute_answer(answer=submitted_before(answer), at=NOW)

    with scope(school):
        assert DisputeAnswer.objects.get().state == "done"
    kept = [row for row in sandbox.bank.book.tables["answers"].values() if row["id"].endswith(answer.key)]
    assert len(kept) == 1


def submitted_before(answer: DisputeAnswer) -> DisputeAnswer:
    return DisputeAnswer.objects.select_related("dispute__payment__order__viewer").get(pk=answer.pk)


@COMMITTED
@pytest.mark.parametrize("point", ["after_dispute_held", "after_dispute"])
def test_a_crash_while_a_dispute_is_booked_leaves_nothing_or_all(school: Tenant, sandbox: Server, point: str) -> None:
    with scope(school):
        disputed(sandbox, make.member(), shop.course_for(10_000))
        (reference,) = sandbox.bank.book.tables["disputes"]

    assert run(sandbox, "hear", reference, crash_at=point) == -signal.SIGKILL
    with scope(school):
        assert not Dispute.objects.exists()
        assert shop.books_are_good()
    with scope(school):
        news = [disputing.hear_of_dispute(provider="sandbox", reference=reference, at=NOW) for _ in range(2)]
        assert news == [True, False]
        assert Dispute.objects.get().held == 10_000
        assert shop.books_are_good()


@pytest.mark.usefixtures("_fresh_cache")
def test_who_sold_it_sees_it_and_says_something_and_staff_decide(
    sandbox: Server, dispute: Dispute, course: Item
) -> None:
    own, boss, url = make.client(course.creator.member), make.client(staff()), f"/api/v1/disputes/{dispute.pk}/"
    (listed,) = own.get("/api/v1/disputes/?state=needs_response").json()["results"]
    assert (listed["amount"], listed["held"], listed["order"]) == (10_000, 10_000, dispute.payment.order_id)
    assert own.get("/api/v1/disputes/?state=won").json()["results"] == []
    other = make.client(things.creator(make.member(Member.Role.CREATOR)).member)
    assert (other.get("/api/v1/disputes/").json()["results"], other.get(url).status_code) == ([], 404)

    pdf = {"kind": "file", "file": b64encode(b"%PDF-1.4").decode()}
    file = own.post(f"{url}evidence/", pdf).json()
    assert own.post(f"{url}evidence/", {"kind": "file", "file": "?"}).json()["code"] == "bad_evidence"
    kept = boss.get(f"/api/v1/dispute-files/{file['id']}/")
    assert (kept.content, kept["Content-Disposition"]) == (b"%PDF-1.4", "attachment")
    assert other.get(f"/api/v1/dispute-files/{file['id']}/").status_code == 404
    assert own.post(f"{url}accept/").json()["code"] == "staff_only"
    assert boss.post(f"{url}submit/").json()["state"] == "asked"

    whole = own.get(url).json()
    assert [part["amount"] for part in whole["parts"]] == [10_000]
    assert [change["after"] for change in whole["changes"]] == ["needs_response"]
    assert [answer["kind"] for answer in whole["answers"]] == ["evidence"]


def test_a_reminder_comes_three_days_before_and_goes_with_the_answer(dispute: Dispute) -> None:
    due = dispute.due_at
    assert due is not None

    def said(days: float, *, is_answered: bool = False) -> str:
        return queries.reminder_of(dispute, is_answered=is_answered, at=due + timedelta(days=days))

    assert [said(days) for days in (-4, -2, 1)] == ["", "due", "overdue"]
    assert said(1, is_answered=True) == ""
    assert queries.disputes_seen_by(staff()).get().is_answered is False  # type: ignore[attr-defined]
    submitted(dispute)
    DisputeAnswer.objects.update(asked_at=due)
    assert queries.disputes_seen_by(staff()).get().is_answered is True  # type: ignore[attr-defined]


@pytest.mark.usefixtures("_fresh_cache")
def test_the_list_asks_no_more_for_more_rows(viewer: Member, course: Item) -> None:
    boss, counts = make.client(staff()), []
    boss.get("/api/v1/holds/")  # what is asked once, and remembered
    for number in range(2):
        say(bought(make.member(), course, key=f"{number}"), Stand.NEEDS_RESPONSE)
        with CaptureQueriesContext(connection) as asked:
            assert len(boss.get("/api/v1/disputes/").json()["results"]) == number + 1
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_a_wrong_state_is_found_by_the_books(viewer: Member, course: Item) -> None:
    dispute = say(bought(viewer, course), Stand.NEEDS_RESPONSE, is_withdrawn=True)
    assert shop.books_are_good()

    def found() -> set[tuple[str, str]]:
        return {(fault.promise, fault.table) for fault in queries.ledger_report().faults}

    Dispute.objects.filter(pk=dispute.pk).update(state="won", decided_at=NOON)
    assert found() == {("L7", "dispute")}
    lost = ("L10", "dispute part")  # by hand, without its credit note
    Dispute.objects.filter(pk=dispute.pk).update(state="lost", held=9_999)
    assert found() == {("L7", "dispute"), ("L8", "account"), lost}
    Dispute.objects.filter(pk=dispute.pk).update(held=10_000, withdrawn=None, withdrawn_at=None)
    assert found() == {("L6", "journal"), ("L8", "account"), lost}
    OrderLine.objects.update(disputed=1)
    assert found() == {("L6", "journal"), ("L8", "account"), ("L7", "order line"), lost}
