"""Which tax is due where, from when on, and who is billed how."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from billing import queries
from billing.models import BillingProfile, OrderLine, TaxRule, WithholdingRule
from billing.money import WHOLE_BPS
from billing.operations.tax_ids import checked_tax_id
from billing.operations.terms import Terms, terms_of
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.once import insert_once
from kpplatform.tenancy.scope import current_tenant

TAXES = 0x6B7074  # "kpt": the advisory lock under which one rule of a tenant is set at a time
# What is owed to who has paid for it, until they spend it.
PREPAID = {OrderLine.Kind.COINS.value, OrderLine.Kind.AD_BALANCE.value}


class StaffSetTaxes(Forbidden):
    code = "staff_set_taxes"


class BadTaxRule(Invalid):
    code = "bad_tax_rule"


class TwoTaxes(Conflict):
    code = "two_taxes"


@transaction.atomic
def set_tax_rule(
    *, by: Member, place: str, bps: int, is_exclusive: bool, starts_on: date, ends_on: date | None, at: datetime
) -> TaxRule:
    """Ask for a tax on sales to a place between two days; one without an end ends the day before, or is interrupted.

    Raises StaffSetTaxes, BadTaxRule, and TwoTaxes for days that have another rule.
    """
    if not by.runs_the_tenant:
        raise StaffSetTaxes("Only the tenant's staff say what tax is due.")
    if not 0 <= bps <= WHOLE_BPS or (ends_on is not None and ends_on < starts_on):
        raise BadTaxRule("A tax is 0 to 100 percent, and ends after it begins.")
    if not make_room(TaxRule.objects.filter(place=place), by=by, starts_on=starts_on, ends_on=ends_on, at=at):
        raise TwoTaxes("Another tax is due on some of these days.")
    said = {"place": place, "bps": bps, "is_exclusive": is_exclusive, "starts_on": starts_on, "ends_on": ends_on}
    return TaxRule.objects.create(by=by, made_at=at, **said)


def make_room(
    rules: QuerySet[TaxRule] | QuerySet[WithholdingRule],
    *,
    by: Member,
    starts_on: date,
    ends_on: date | None,
    at: datetime,
) -> bool:
    """End the rule that has no end the day before, and tell whether the days are free; one at a time in a tenant.

    After days that have an end it goes on as it was, by a rule of its own.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [TAXES, by.tenant_id])
    if before := rules.filter(ends_on=None, starts_on__lt=starts_on).first():
        before.ends_on = starts_on - timedelta(days=1)
        before.save(update_fields=["ends_on"])
        if ends_on is not None and starts_on <= ends_on < date.max:
            said = {"starts_on": ends_on + timedelta(days=1), "ends_on": None, "by_id": by.pk, "made_at": at}
            type(before).objects.create(**_terms_of(before) | said)
    same_days = rules.filter(Q(ends_on=None) | Q(ends_on__gte=starts_on))
    return not (same_days if ends_on is None else same_days.filter(starts_on__lte=ends_on)).exists()


def _terms_of(rule: TaxRule | WithholdingRule) -> dict[str, Any]:
    """Return what a rule says, as columns of another one."""
    return {field.attname: getattr(rule, field.attname) for field in rule._meta.concrete_fields if field.name != "id"}


@transaction.atomic
def bill_to(*, member: Member, place: str, title: str, tax_id: str, at: datetime) -> BillingProfile:
    """Bill the member's purchases so from now on. Raises BadTaxId."""
    number = checked_tax_id(tax_id, place=place or queries.tenants_place()) if tax_id else ""
    told = {"place": place, "title": title, "tax_id": number, "changed_at": at}
    if not insert_once(BillingProfile, member_id=member.pk, **told):
        BillingProfile.objects.filter(member=member).update(**told)
    return BillingProfile.objects.get(member=member)


def terms_of_all(viewers: Collection[Member], at: datetime) -> dict[int, Terms]:
    """Return by which terms one sells to each viewer: with the tax of their place on the tenant's day."""
    rules = queries.tax_rules_on(queries.tenants_time(at).date())
    usual, places = terms_of(current_tenant()), queries.places_of(viewers) if rules else {}
    found = {viewer.pk: queries.rule_for(places.get(viewer.pk, ""), rules) for viewer in viewers}
    return {
        viewer: replace(usual, tax_bps=rule.bps, tax_is_added=rule.is_exclusive) if rule else usual
        for viewer, rule in found.items()
    }


def terms_for(viewer: Member, at: datetime) -> Terms:
    """Return by which terms one sells to a viewer now."""
    return terms_of_all([viewer], at)[viewer.pk]


def of_kind(terms: Terms, kind: str) -> Terms:
    """Return what of the terms holds for a kind of thing.

    Coins and a balance for ads are worth what was paid for them; the tax is due when they are spent.
    """
    return Terms(tax_bps=0, processor_bps=0, platform_bps=0) if kind in PREPAID else terms
