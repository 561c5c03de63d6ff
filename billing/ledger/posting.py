"""Posting: one call of one function in the database (billing/migrations/0002_post.py)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection

from billing.ledger.names import Name
from billing.models import Account, ChainHead, Journal
from billing.models.ledger import FLOOR
from billing.money import MixedCurrencies, Money
from kpplatform.errors import Conflict, PaymentNeeded

Transfers = Sequence[tuple[Name, Name, Money]]

POST = (
    "SELECT %s::int, id, seq, at, digest, link, is_same FROM billing_post("
    "%s, %s, %s, %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],"
    " %s::bigint[], %s::int[], %s::int[], %s::bigint[])"
)


class NotEnoughMoney(PaymentNeeded):
    code = "not_enough_money"


class KeyTaken(Conflict):
    code = "ledger_key_taken"


class OutsideMoney(TypeError):
    """What a creator earned elsewhere was to become money here, or the reverse: a bug, said aloud."""


@dataclass(frozen=True)
class Entry:
    """What a journal is to be: its kind, its key, and each amount from one account to another."""

    kind: Journal.Kind
    key: str
    transfers: Transfers

    def asked(self, at: datetime) -> list[Any]:
        """Return what the function in the database is told. Amounts of nothing are left out. Raises as `post`."""
        moved = [(debit, credit, money) for debit, credit, money in self.transfers if money]
        for debit, credit, money in moved:
            if not debit.currency == credit.currency == money.currency:
                raise MixedCurrencies(f"{money} cannot go from {debit} to {credit}.")
            if debit.channel_id != credit.channel_id:
                raise OutsideMoney(f"{money} cannot go from {debit} to {credit}.")
        names = list(dict.fromkeys(name for debit, credit, _ in moved for name in (debit, credit)))
        places = {name: place for place, name in enumerate(names, start=1)}
        return [
            *(str(self.kind), self.key, at),
            *([str(name) for name in names], [str(name.kind) for name in names]),
            *([name.currency for name in names], [name.creator_id for name in names]),
            *([name.member_id for name in names], [name.channel_id for name in names]),
            [name.floor for name in names],
            *([places[debit] for debit, _, _ in moved], [places[credit] for _, credit, _ in moved]),
            [money.minor for _, _, money in moved],
        ]


def post(*, kind: Journal.Kind, key: str, transfers: Transfers, at: datetime) -> Journal:
    """Move each amount from the first account to the second, all or nothing, in the caller's transaction.

    The same key with the same content gives the same journal. Amounts of nothing are left out.
    Raises KeyTaken for a key with other content, NotEnoughMoney when an account would fall below its floor,
    MixedCurrencies, and OutsideMoney.
    """
    return post_all([Entry(kind, key, transfers)], at=at)[0]


def post_all(entries: Sequence[Entry], *, at: datetime) -> list[Journal]:
    """Post several journals, one after the other, in one round trip: all of them or none."""
    if not entries:
        return []
    with connection.cursor() as cursor:
        try:
            asked = [said for place, entry in enumerate(entries) for said in (place, *entry.asked(at))]
            cursor.execute(" UNION ALL ".join([POST] * len(entries)), asked)
        except IntegrityError as error:
            if FLOOR in str(error):
                about = " or ".join(f"{entry.kind} {entry.key}" for entry in entries)
                raise NotEnoughMoney(f"There is not enough money for {about}.") from error
            raise
        return [_journal(entries[place], posted) for place, *posted in sorted(cursor.fetchall())]


def _journal(entry: Entry, posted: Sequence[Any]) -> Journal:
    pk, seq, at, digest, link, is_same = posted
    if not is_same:
        raise KeyTaken(f"{entry.key} was posted before, with other content.")
    row = {"id": pk, "kind": entry.kind, "key": entry.key, "seq": seq, "at": at, "digest": digest, "link": link}
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
    return Name(kind, account.currency, account.creator_id, account.member_id, account.floor, account.channel_id)
