"""What is withheld of whom; and questions about it, for `verify_ledger`."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Sum, When
from django.db.models.functions import ExtractYear

from billing.models import Payee, Payout, WithholdingRule
from billing.queries.clock import tenants_time, tenants_zone
from billing.queries.invoices import tenants_place
from creators.models import Creator
from kpplatform.tenancy.models import Member

NOT_PAID = (Payout.State.FAILED, Payout.State.REVERSED)
# What of a payout counts as kept and as paid: of one that did not leave, less what was given back beyond its own tax.
KEPT = F("withheld") - F("withheld_back")
PAID = Case(When(state__in=NOT_PAID, then=KEPT), default=F("amount") + F("withheld"))


def withholding_rules() -> QuerySet[WithholdingRule]:
    """Return what was, is and will be withheld, newest first."""
    return WithholdingRule.objects.order_by("-pk")


def payees_seen_by(member: Member) -> QuerySet[Payee]:
    """Return as what creators were and are taxed, newest first: all of them for staff, else one's own."""
    rows = Payee.objects.select_related("creator").order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(creator__member=member)


def taxed_as(creator: Creator) -> tuple[str, str]:
    """Return where a creator is taxed and as what; of whom no papers were seen, as a person where the tenant is."""
    latest = Payee.objects.filter(creator=creator).order_by("-pk").first()
    return (latest.place if latest else "") or tenants_place(), latest.kind if latest else Payee.Kind.PERSON


def withholding_rule(creator: Creator, *, currency: str, day: date) -> WithholdingRule | None:
    """Return the rule that holds for a creator: the more precise place first, then the one for their kind."""
    place, kind = taxed_as(creator)
    on_day = WithholdingRule.objects.filter(Q(ends_on=None) | Q(ends_on__gte=day), starts_on__lte=day)
    found = on_day.filter(place__in={place, place.partition("-")[0], ""}, kind__in=[kind, ""], currency=currency)
    return max(found, key=lambda rule: (len(rule.place), len(rule.kind)), default=None)


def paid_under(
    rule: WithholdingRule, creator: Creator, *, at: datetime, without: Payout | None = None
) -> tuple[int, int]:
    """Return what a creator was paid under a rule in the tenant's month of then: before tax, and the tax."""
    begins = tenants_time(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends = (begins + timedelta(days=32)).replace(day=1)
    rows = Payout.objects.filter(creator=creator, withholding=rule, drafted_at__gte=begins, drafted_at__lt=ends)
    rows = rows.exclude(pk=without.pk) if without else rows
    sums = rows.aggregate(paid=Sum(PAID, default=0), kept=Sum(KEPT, default=0))
    return sums["paid"], sums["kept"]


def withheld_of(member: Member) -> list[dict[str, Any]]:
    """Return what the member's own creator was paid by year and currency: in all, and how much of it was withheld."""
    year = ExtractYear("drafted_at", tzinfo=tenants_zone())
    rows, sums = Payout.objects.filter(creator__member=member), {"gross": Sum(PAID), "kept": Sum(KEPT)}
    years = rows.annotate(year=year).values("year", "currency").annotate(**sums).order_by("-year", "currency")
    return [row for of in years if (row := dict(of))["gross"]]


# Each returns the table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L2",
        """
        SELECT 'account', a.id, format('%%s holds %%s, but %%s was withheld and not handed over', a.name,
                                       a.credits - a.debits, coalesce(p.withheld, 0) - coalesce(r.amount, 0))
        FROM billing_account a
        LEFT JOIN (
            SELECT currency, sum(withheld - withheld_back) AS withheld FROM billing_payout GROUP BY 1
        ) p ON p.currency = a.currency
        LEFT JOIN (
            SELECT currency, sum(amount) AS amount FROM billing_remittance
            WHERE of = 'withholding' AND state = 'paid' GROUP BY 1
        ) r ON r.currency = a.currency
        WHERE a.kind = 'withholding'
              AND a.credits - a.debits <> coalesce(p.withheld, 0) - coalesce(r.amount, 0)
        ORDER BY a.id LIMIT %(most)s""",
    ),
    (
        "L8",
        """
        SELECT 'payout', p.id, format('%%s was withheld of it and %%s given back, but %%s was booked, and %%s back',
                                      p.withheld, p.withheld_back, coalesce(w.amount, 0), coalesce(b.amount, 0))
        FROM billing_payout p
        LEFT JOIN (
            SELECT j.key, sum(t.amount) AS amount FROM billing_journal j JOIN billing_transfer t ON t.journal_id = j.id
            WHERE j.kind = 'withholding' GROUP BY 1
        ) w ON w.key = 'withheld:' || p.key
        LEFT JOIN (
            SELECT j.key, sum(t.amount) AS amount FROM billing_journal j JOIN billing_transfer t ON t.journal_id = j.id
            WHERE j.kind = 'withholding_back' GROUP BY 1
        ) b ON b.key = 'withheld-back:' || p.key
        WHERE (coalesce(w.amount, 0), coalesce(b.amount, 0)) <> (p.withheld, p.withheld_back)
        ORDER BY p.id LIMIT %(most)s""",
    ),
)
