"""Tax withheld of creators: taken when a payout is drafted, for it is due on what is paid, and given back if it is not.

At settlement it would be taken of money that may still be refunded, or never be paid out.
"""

from datetime import date, datetime

from django.db import transaction

from billing import ledger, queries
from billing.models import Account, Journal, Payee, Payout, WithholdingRule
from billing.money import WHOLE_BPS, Money
from billing.operations.earnings import credited
from billing.operations.tax_ids import checked_tax_id
from billing.operations.taxes import BadTaxRule, StaffSetTaxes, TwoTaxes, make_room
from creators.models import Creator
from kpplatform.tenancy.models import Member


@transaction.atomic
def set_withholding_rule(
    *,
    by: Member,
    place: str,
    kind: str,
    bps: int,
    threshold: Money,
    starts_on: date,
    ends_on: date | None,
    at: datetime,
) -> WithholdingRule:
    """Withhold so much of payouts between two days; a rule without an end ends the day before, or is interrupted.

    Raises StaffSetTaxes, BadTaxRule, and TwoTaxes for days that have another rule.
    """
    if not by.runs_the_tenant:
        raise StaffSetTaxes("Only the tenant's staff say what is withheld.")
    if not 0 <= bps <= WHOLE_BPS or threshold.minor < 0 or (ends_on is not None and ends_on < starts_on):
        raise BadTaxRule("A tax is 0 to 100 percent of more than nothing, and ends after it begins.")
    of = {"place": place, "kind": kind, "currency": threshold.currency}
    if not make_room(WithholdingRule.objects.filter(**of), by=by, starts_on=starts_on, ends_on=ends_on, at=at):
        raise TwoTaxes("Something else is withheld on some of these days.")
    said = {"bps": bps, "threshold": threshold.minor, "starts_on": starts_on, "ends_on": ends_on}
    return WithholdingRule.objects.create(by=by, made_at=at, **of, **said)


@transaction.atomic
def tax_as(*, creator: Creator, by: Member, place: str, kind: str, tax_id: str, at: datetime) -> Payee:
    """Tax a creator so from now on, by the papers that staff have seen. Raises StaffSetTaxes and BadTaxId."""
    if not by.runs_the_tenant:
        raise StaffSetTaxes("Only the tenant's staff say as what creators are taxed.")
    is_person = kind == Payee.Kind.PERSON
    number = checked_tax_id(tax_id, place=place or queries.tenants_place(), is_person=is_person) if tax_id else ""
    return Payee.objects.create(creator=creator, place=place, kind=kind, tax_id=number, by=by, made_at=at)


def due_of(creator: Creator, gross: Money, at: datetime) -> tuple[WithholdingRule | None, Money]:
    """Return by which rule how much of a payout is withheld, given that the creator's account is held.

    It is what is due on all that was paid this month under the rule, beyond what is free, less what was withheld:
    so it is the same however the month is divided into payouts. Rounded down.
    """
    rule = queries.withholding_rule(creator, currency=gross.currency, day=queries.tenants_time(at).date())
    if rule is None:
        return None, gross * 0
    paid, kept = queries.paid_under(rule, creator, at=at)
    return rule, Money(max(rule.due_on(paid + gross.minor) - kept, 0), gross.currency)


def is_taxed(creator: Creator, currency: str, at: datetime) -> bool:
    """Tell whether something is withheld of what a creator is paid now: then no provider gives it to them directly."""
    rule = queries.withholding_rule(creator, currency=currency, day=queries.tenants_time(at).date())
    return rule is not None and rule.bps > 0


def withhold(payout: Payout, at: datetime) -> None:
    """Book what a payout leaves behind for the tax office."""
    if payout.withheld:
        kept = Money(payout.withheld, payout.currency)
        available = ledger.creators(Account.Kind.AVAILABLE, payout.creator_id, payout.currency)
        moved = [(available, ledger.withholding(payout.currency), kept)]
        ledger.post(kind=Journal.Kind.WITHHOLDING, key=f"withheld:{payout.key}", transfers=moved, at=at)


def give_back(payout: Payout, at: datetime) -> None:
    """Book that a payout did not leave, or came back, and nothing is due on it: the creator has it, debts first.

    So is what was withheld of the month's others because of it: without it more of them is free.
    """
    payout.withheld_back = payout.withheld
    if payout.withholding:
        paid, kept = queries.paid_under(payout.withholding, payout.creator, at=payout.drafted_at, without=payout)
        payout.withheld_back += payout.withholding.too_much(paid, kept)
    if payout.withheld_back:
        back = Money(payout.withheld_back, payout.currency)
        owner = ledger.creators(Account.Kind.AVAILABLE, payout.creator_id, payout.currency)
        moved = credited(ledger.withholding(payout.currency), owner, back)
        ledger.post(kind=Journal.Kind.WITHHOLDING_BACK, key=f"withheld-back:{payout.key}", transfers=moved, at=at)
