"""Whoever changes the books by hand, with every right in the database, is found out."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import sleep

import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from billing import ledger, operations, queries
from billing.models import Account, Journal, OrderLine, Refund, Transfer
from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import claim, enqueue
from kpplatform.jobs.running import run
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import bought, give_back, yuan
from tests.conftest import COMMITTED, NOON


def three_journals(tenant: Tenant) -> list[Journal]:
    """Book 1, 2 and 3 yuan into a wallet, and forget what the test did before."""
    with scope(tenant):
        way = (ledger.clearing("CNY"), ledger.wallet(make.member(), "CNY"))
        return [
            ledger.post(kind=Journal.Kind.TOP_UP, key=f"{n}", transfers=[(*way, yuan(n * 100))], at=NOON)
            for n in (1, 2, 3)
        ]


def by_hand(tenant: Tenant, statement: str) -> None:
    """Change rows as the owner of the database, who may do everything."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('kp.tenant', %s, true)", [str(tenant.pk)])
        cursor.execute(statement)
        assert cursor.rowcount == 1


@contextmanager
def lifted(table: str, *constraints: str) -> Iterator[None]:
    """Take constraints away, and put them back onto an empty table."""
    with connections["owner"].cursor() as cursor:
        kept = {}
        for name in constraints:
            cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name])
            kept[name] = cursor.fetchone()[0]
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        try:
            yield
        finally:
            cursor.execute("TRUNCATE billing_journal, billing_account, billing_transfer, billing_chainhead CASCADE")
            for name, definition in kept.items():
                cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def found(tenant: Tenant) -> set[tuple[str, str, int]]:
    with scope(tenant):
        return {(fault.promise, fault.table, fault.row) for fault in queries.ledger_report().faults}


def test_good_books_are_good(in_school: Tenant) -> None:
    viewer, course = make.member(), shop.course_for(10_000)
    give_back(bought(viewer, course), 4_000)

    report = queries.ledger_report()

    assert (report.faults, report.journals, report.transfers) == ([], 2, 6)
    assert report.head == f"2:{bytes(Journal.objects.get(seq=2).link).hex()}"


def test_empty_books_are_good(in_school: Tenant) -> None:
    assert queries.ledger_report().is_good


@COMMITTED
@pytest.mark.parametrize(
    "change",
    ["amount = amount + 1", "currency = 'CNY', digest = sha256('x')", "debit_id = credit_id, credit_id = debit_id"],
)
def test_a_changed_transfer_is_named(school: Tenant, change: str) -> None:
    three_journals(school)
    with scope(school):
        victim = Transfer.objects.get(journal__seq=2)

    by_hand(school, f"UPDATE billing_transfer SET {change} WHERE id = {victim.pk}")

    assert ("L5", "transfer", victim.pk) in found(school)
    assert ("L5", "journal", victim.journal_id) in found(school)


@COMMITTED
@pytest.mark.parametrize(
    "change", ["key = 'x'", "kind = 'tip'", "at = at + '1 microsecond'", "link = sha256('x')", "digest = sha256('x')"]
)
def test_a_changed_journal_is_named(school: Tenant, change: str) -> None:
    victim = three_journals(school)[1]

    by_hand(school, f"UPDATE billing_journal SET {change} WHERE id = {victim.pk}")

    assert found(school) == {("L5", "journal", victim.pk)}


@COMMITTED
def test_a_deleted_transfer_is_missed(school: Tenant) -> None:
    victim = three_journals(school)[1]

    by_hand(school, f"DELETE FROM billing_transfer WHERE journal_id = {victim.pk}")

    assert ("L5", "journal", victim.pk) in found(school)
    assert sorted(promise for promise, _, _ in found(school)) == ["L2", "L2", "L5"]


@COMMITTED
def test_the_last_journal_cannot_be_cut_off(school: Tenant) -> None:
    victim = three_journals(school)[2]

    by_hand(school, f"DELETE FROM billing_transfer WHERE journal_id = {victim.pk}")
    by_hand(school, f"DELETE FROM billing_journal WHERE id = {victim.pk}")
    by_hand(school, "UPDATE billing_account SET credits = 300 WHERE kind = 'wallet'")
    by_hand(school, "UPDATE billing_account SET debits = 300 WHERE kind = 'clearing'")

    assert {(promise, table) for promise, table, _ in found(school)} == {("L5", "chain head")}


@COMMITTED
def test_a_journal_beyond_the_head_is_named(school: Tenant) -> None:
    three_journals(school)
    with scope(school):
        wallet, clearing = Account.objects.get(kind="wallet"), Account.objects.get(kind="clearing")
        no_hash = {"digest": b"", "tenant_id": school.pk}
        forged = Journal.objects.create(kind="top_up", key="forged", seq=99, at=NOON, link=b"", **no_hash)
        Transfer.objects.create(journal=forged, debit=clearing, credit=wallet, currency="CNY", amount=1, **no_hash)
        Account.objects.filter(kind="wallet").update(credits=601)
        Account.objects.filter(kind="clearing").update(debits=601)

    assert found(school) == {("L5", "journal", forged.pk)}


@COMMITTED
def test_a_chain_without_its_head_is_named(school: Tenant) -> None:
    posted = three_journals(school)

    by_hand(school, "DELETE FROM billing_chainhead")

    assert found(school) == {("L5", "journal", journal.pk) for journal in posted}


@COMMITTED
def test_an_account_that_changes_hands_is_named(school: Tenant) -> None:
    posted = three_journals(school)
    with scope(school):
        wallet, thief = Account.objects.get(kind="wallet"), make.member()

    by_hand(school, f"UPDATE billing_account SET member_id = {thief.pk} WHERE id = {wallet.pk}")
    assert found(school) == {("L1", "account", wallet.pk)}

    by_hand(school, f"UPDATE billing_account SET name = 'wallet/CNY/member/{thief.pk}' WHERE id = {wallet.pk}")
    assert ("L5", "journal", posted[0].pk) in found(school)


@COMMITTED
def test_a_changed_balance_is_named(school: Tenant) -> None:
    three_journals(school)

    by_hand(school, "UPDATE billing_account SET credits = credits + 1 WHERE kind = 'wallet'")

    with scope(school):
        wallet = Account.objects.get(kind="wallet").pk
    assert found(school) == {("L2", "account", wallet)}


@COMMITTED
def test_what_constraints_hold_is_asked_again(school: Tenant) -> None:
    with lifted("billing_transfer", "a_transfer_moves_something"):
        three_journals(school)
        by_hand(school, "UPDATE billing_transfer SET amount = -100 WHERE amount = 100")
        assert "L1" in {promise for promise, _, _ in found(school)}
    with lifted("billing_account", "no_account_falls_below_its_floor"):
        three_journals(school)
        by_hand(school, "UPDATE billing_account SET floor = 1000 WHERE kind = 'wallet'")
        assert "L3" in {promise for promise, _, _ in found(school)}
    with lifted("billing_journal", "a_key_is_one_journal"):
        three_journals(school)
        by_hand(school, "UPDATE billing_journal SET key = '1' WHERE seq = 2")
        assert "L6" in {promise for promise, _, _ in found(school)}


def test_refunds_and_captures_are_compared_with_what_is_booked(in_school: Tenant) -> None:
    order = bought(make.member(), shop.course_for(10_000))
    give_back(order, 4_000)

    type(shop.line_of(order)).objects.update(refunded=3_999)
    type(shop.payment_of(order)).objects.update(amount=9_999)

    assert {fault.promise for fault in queries.ledger_report().faults} == {"L7", "L9"}
    with pytest.raises(operations.LedgerBroken, match="3999 is noted"):
        operations.verify_ledger()


def test_a_refund_that_is_booked_must_be_known(in_school: Tenant) -> None:
    refund = give_back(bought(make.member(), shop.course_for(10_000)), 4_000)
    Refund.objects.update(amount=3_999, share=F("share") - 1)
    OrderLine.objects.update(refunded=3_999)
    assert found(in_school) == {("L9", "refund", refund.pk)}

    Refund.objects.all().delete()
    OrderLine.objects.update(refunded=0)
    assert found(in_school) == {("L7", "journal", refund.journal_id)}


@COMMITTED
def test_long_books_are_looked_at_once(school: Tenant, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.JOB_LEASE_S = 1.0
    with scope(school):
        job = enqueue("billing.tasks.verify_ledger")
        assert job is not None
    look, others = queries.ledger_report, []

    def look_for_long() -> queries.Report:
        sleep(1.5)
        with ThreadPoolExecutor(1) as thread:
            others.append(thread.submit(take).result())
        return look()

    def take() -> Job | None:
        try:
            with scope(school):
                return claim(job_id=job.pk, at=timezone.now())
        finally:
            connections.close_all()

    monkeypatch.setattr(queries, "ledger_report", look_for_long)

    assert run(tenant_id=school.pk, job_id=job.pk)
    with scope(school):
        assert (Job.objects.get(pk=job.pk).state, others) == ("done", [None])


@COMMITTED
def test_the_command_says_which_tenant_is_broken(
    school: Tenant, agency: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    for tenant in (school, agency):
        three_journals(tenant)
    call_command("verify_ledger", json=True)
    assert json.loads(capsys.readouterr().out)["ok"]

    by_hand(agency, "UPDATE billing_journal SET key = 'x' WHERE seq = 3")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", json=True)

    said = json.loads(capsys.readouterr().out)
    assert (ended.value.code, said["ok"]) == (1, False)
    assert [(t["tenant"], len(t["faults"])) for t in said["tenants"]] == [("school", 0), ("agency", 1)]
    call_command("verify_ledger", tenant="school")
    assert "school: good" in capsys.readouterr().out
