"""Posting: one call of one function in the database (billing/migrations/0002_post.py)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, connection

from billing.ledger.names import Name
from billing.models import Account, ChainHead, Journal
from billing.models.ledger import FLOOR
from billing.money import MixedCurrencies, Money
from kpplatform.errors import Conflict, PaymentNeeded

Transfers = Sequence[tuple[Name, Name, Money]]

POST = (
    "SELECT id, seq, at, digest, link, is_same FROM billing_post("
    "%s, %s, %s, %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],"
    " %s::int[], %s::int[], %s::bigint[])"
)


class NotEnoughMoney(PaymentNeeded):
    code = "not_enough_money"


class KeyTaken(Conflict):
    code = "ledger_key_taken"


def post(*, kind: Journal.Kind, key: str, transfers: Transfers, at: datetime) -> Journal:
    """Move each amount from the first account to the second, all or nothing, in the caller's transaction.

    The same key with the same content gives the same journal. Amounts of nothing are left out.
    Raises KeyTaken for a key with other content, NotEnoughMoney when an account would fall below its floor,
    and MixedCurrencies.
    """
    moved = [(debit, credit, money) for debit, credit, money in transfers if money]
    for debit, credit, money in moved:
        if not debit.currency == credit.currency == money.currency:
            raise MixedCurrencies(f"{money} cannot go from {debit} to {credit}.")
    names = list(dict.fromkeys(name for debit, credit, _ in moved for name in (debit, credit)))
    places = {name: place for place, name in enumerate(names, start=1)}
    with connection.cursor() as cursor:
        try:
            cursor.execute(
                POST,
                [
                    *(str(kind), key, at),
                    *([str(name) for name in names], [str(name.kind) for name in names]),
                    *([name.currency for name in names], [name.creator_id for name in names]),
                    *([name.member_id for name in names], [name.floor for name in names]),
                    *([places[debit] for debit, _, _ in moved], [places[credit] for _, credit, _ in moved]),
                    [money.minor for _, _, money in moved],
                ],
            )
        except IntegrityError as error:
            if FLOOR in str(error):
                raise NotEnoughMoney(f"There is not enough money for {kind} {key}.") from error
            raise
        pk, seq, posted_at, digest, link, is_same = cursor.fetchone()
    if not is_same:
        raise KeyTaken(f"{key} was posted before, with other content.")
    row = {"id": pk, "kind": kind, "key": key, "seq": seq, "at": posted_at, "digest": digest, "link": link}
    return Journal.from_db(connection.alias, list(row), list(row.values()))


def held(name: Name) -> Money:
    """Return the account's balance, which nobody else changes before the end of the transaction.

    The chain's head is held first, as `post` does: one order of locks.
    """
    return held_all([name])[name]


def held_all(names: Sequence[Name]) -> dict[Name, Money]:
    """Return the balances of several accounts, which nobody else changes before the end of the transaction."""
    list(ChainHead.objects.select_for_update(no_key=True))
    accounts = Account.objects.select_for_update(no_key=True).filter(name__in=[str(name) for name in names])
    there = {account.name: account.balance for account in accounts.order_by("pk")}
    return {name: there.get(str(name), Money(0, name.currency)) for name in names}


def reversal(journal: Journal) -> Transfers:
    """Return a journal's transfers turned round: posted, they undo it to the minor unit."""
    posted = journal.transfers.select_related("debit", "credit").order_by("pk")
    return [(_name_of(transfer.credit), _name_of(transfer.debit), transfer.money) for transfer in posted]


def _name_of(account: Account) -> Name:
    kind = Account.Kind(account.kind)
    return Name(kind, account.currency, account.creator_id, account.member_id, account.floor)
