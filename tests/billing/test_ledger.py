"""The ledger as in a bookkeeping textbook: small amounts, two sides, and what must be refused."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing import ledger
from billing.models import Account, Journal, Transfer
from billing.money import MixedCurrencies, Money
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.conftest import NOON


def yuan(minor: int) -> Money:
    return Money(minor, "CNY")


def top_up(viewer: Member, amount: Money, key: str = "top-up") -> Journal:
    transfers = [(ledger.clearing(amount.currency), ledger.wallet(viewer, amount.currency), amount)]
    return ledger.post(kind=Journal.Kind.TOP_UP, key=key, transfers=transfers, at=NOON)


def test_what_one_account_gives_another_gets(viewer: Member) -> None:
    top_up(viewer, yuan(1_000))

    assert ledger.wallet(viewer, "CNY").balance == yuan(1_000)
    assert ledger.clearing("CNY").balance == yuan(-1_000)


def test_the_same_key_and_content_is_the_same_journal(viewer: Member) -> None:
    first = top_up(viewer, yuan(1_000))

    again = top_up(viewer, yuan(1_000))

    assert (again.pk, again.link) == (first.pk, first.link)
    assert ledger.wallet(viewer, "CNY").balance == yuan(1_000)


def test_the_same_key_with_other_content_is_refused(viewer: Member) -> None:
    top_up(viewer, yuan(1_000))

    with pytest.raises(ledger.KeyTaken):
        top_up(viewer, yuan(1_001))

    assert ledger.wallet(viewer, "CNY").balance == yuan(1_000)


def test_a_wallet_cannot_give_more_than_it_has(viewer: Member) -> None:
    top_up(viewer, yuan(100))

    with pytest.raises(ledger.NotEnoughMoney), transaction.atomic():
        ledger.post(
            kind=Journal.Kind.TIP,
            key="tip",
            transfers=[(ledger.wallet(viewer, "CNY"), ledger.fees("CNY"), yuan(101))],
            at=NOON,
        )

    assert ledger.wallet(viewer, "CNY").balance == yuan(100)
    assert Journal.objects.count() == 1


def test_two_currencies_do_not_meet_in_a_transfer(viewer: Member) -> None:
    with pytest.raises(MixedCurrencies):
        ledger.post(
            kind=Journal.Kind.TIP,
            key="tip",
            transfers=[(ledger.clearing("USD"), ledger.wallet(viewer, "CNY"), yuan(1))],
            at=NOON,
        )


def test_many_transfers_are_posted_at_once(in_school: Tenant) -> None:
    viewers = [make.member() for _ in range(3)]
    transfers = [(ledger.clearing("JPY"), ledger.wallet(v, "JPY"), Money(n + 1, "JPY")) for n, v in enumerate(viewers)]

    ledger.post(kind=Journal.Kind.OPENING, key="opening", transfers=transfers * 10, at=NOON)

    assert [ledger.wallet(v, "JPY").balance.minor for v in viewers] == [10, 20, 30]
    assert ledger.clearing("JPY").balance == Money(-60, "JPY")
    assert Transfer.objects.count() == 30


def test_journals_are_a_chain(viewer: Member) -> None:
    links = [bytes(top_up(viewer, yuan(1), key=str(n)).link) for n in range(3)]

    assert [j.seq for j in Journal.objects.order_by("seq")] == [1, 2, 3]
    assert len(set(links)) == 3


def test_each_tenant_has_its_own_accounts_and_chain(school: Tenant, agency: Tenant) -> None:
    for tenant in (school, agency):
        with scope(tenant):
            assert top_up(make.member(), yuan(5)).seq == 1
            assert ledger.clearing("CNY").balance == yuan(-5)


@pytest.mark.parametrize(
    ("debit", "credit", "amount"),
    [
        ("clearing/CNY", "wallet/CNY", 0),
        ("clearing/CNY", "wallet/CNY", -1),
        ("wallet/CNY", "wallet/CNY", 1),
        ("clearing/USD", "wallet/CNY", 1),
    ],
)
def test_the_database_refuses_what_the_ledger_would_never_do(
    viewer: Member, debit: str, credit: str, amount: int
) -> None:
    journal = top_up(viewer, yuan(100))
    top_up(viewer, Money(100, "USD"), key="dollars")

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_transfer(journal, debit, credit, amount)


def insert_transfer(journal: Journal, debit: str, credit: str, amount: int) -> None:
    """Write a transfer in yuan past the ledger, as the app's role."""
    ends = [Account.objects.get(name__startswith=name).pk for name in (debit, credit)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_transfer (tenant_id, journal_id, debit_id, credit_id, currency, amount, digest)"
            " VALUES (%s, %s, %s, %s, 'CNY', %s, '')",
            [journal.tenant_id, journal.pk, *ends, amount],
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_transfer SET amount = 1",
        "DELETE FROM billing_transfer",
        "TRUNCATE billing_transfer",
        "UPDATE billing_journal SET kind = 'tip'",
        "DELETE FROM billing_journal",
        "UPDATE billing_account SET floor = NULL",
        "UPDATE billing_account SET kind = 'fees'",
        "DELETE FROM billing_account",
        "DELETE FROM billing_chainhead",
        "UPDATE billing_webhookevent SET body = ''",
    ],
)
def test_the_app_cannot_change_what_was_posted(viewer: Member, statement: str) -> None:
    top_up(viewer, yuan(100))

    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
