"""Which tax is due where, who is billed, and the documents."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from billing.models import BillingProfile, Invoice, InvoiceRequest, TaxRule
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

# What verify_ledger asks: has no number been lost, and does each document say what was paid or given back?
QUESTIONS = (
    (
        "L10",
        """
        SELECT 'invoice series', s.id, format('%%s has counted to %%s, but there are %%s invoices, up to %%s',
                                              s.series, s.last, count(i.id), coalesce(max(i.number), 0))
        FROM billing_invoiceseries s
        LEFT JOIN billing_invoice i ON i.tenant_id = s.tenant_id AND i.series = s.series
        GROUP BY s.id HAVING s.last <> count(i.id) OR s.last <> coalesce(max(i.number), 0)
        ORDER BY s.id LIMIT %(most)s""",
    ),
    (
        "L10",
        """
        SELECT 'invoice', i.id, format('says %%s with a tax of %%s, but %%s with %%s is booked', i.amount, i.tax,
                                       coalesce(r.amount, d.amount, l.amount), coalesce(r.tax, d.tax, l.tax))
        FROM billing_invoice i
        LEFT JOIN billing_refund r ON r.tenant_id = i.tenant_id AND r.id = i.refund_id
        LEFT JOIN billing_disputepart d ON d.tenant_id = i.tenant_id AND d.id = i.lost_id
        LEFT JOIN (
            SELECT tenant_id, order_id, sum(amount) AS amount, sum(tax) AS tax FROM billing_orderline GROUP BY 1, 2
        ) l ON l.tenant_id = i.tenant_id AND l.order_id = i.order_id
        WHERE i.amount <> coalesce(r.amount, d.amount, l.amount) OR i.tax <> coalesce(r.tax, d.tax, l.tax)
        ORDER BY i.id LIMIT %(most)s""",
    ),
    (
        "L10",
        """
        SELECT 'payment', p.id, 'was never billed'
        FROM billing_payment p
        LEFT JOIN billing_invoice i ON i.tenant_id = p.tenant_id AND i.order_id = p.order_id AND i.kind = 'invoice'
        WHERE p.state = 'captured' AND i.id IS NULL AND p.captured_at > (SELECT min(issued_at) FROM billing_invoice)
        ORDER BY p.id LIMIT %(most)s""",
    ),
    (
        "L10",
        """
        SELECT b.what, b.id, format('%%s was given back of %%s-%%s, and never credited', b.amount, i.series, i.number)
        FROM (
            SELECT 'refund' AS what, r.id, r.tenant_id, r.amount, r.line_id, r.id AS refund_id, NULL::bigint AS lost_id
            FROM billing_refund r WHERE r.state = 'sent'
            UNION ALL
            SELECT 'dispute part', d.id, d.tenant_id, d.amount, d.line_id, NULL, d.id
            FROM billing_disputepart d JOIN billing_dispute w ON w.tenant_id = d.tenant_id AND w.id = d.dispute_id
            WHERE w.state = 'lost' AND d.released_id IS NULL
        ) b
        JOIN billing_orderline l ON l.tenant_id = b.tenant_id AND l.id = b.line_id
        JOIN billing_invoice i ON i.tenant_id = l.tenant_id AND i.order_id = l.order_id AND i.kind = 'invoice'
        WHERE NOT EXISTS (
            SELECT FROM billing_invoice c
            WHERE c.tenant_id = b.tenant_id AND (c.refund_id = b.refund_id OR c.lost_id = b.lost_id)
        )
        ORDER BY 1, 2 LIMIT %(most)s""",
    ),
)


def tax_rules() -> QuerySet[TaxRule]:
    """Return what tax was, is and will be due, newest first."""
    return TaxRule.objects.order_by("-pk")


def tax_rules_on(day: date) -> dict[str, TaxRule]:
    """Return the rule of each place that has one on that day."""
    return {
        rule.place: rule for rule in TaxRule.objects.filter(Q(ends_on=None) | Q(ends_on__gte=day), starts_on__lte=day)
    }


def rule_for(place: str, rules: Mapping[str, TaxRule]) -> TaxRule | None:
    """Return the rule of the place; else of its country; else the one for wherever there is no other."""
    return rules.get(place) or rules.get(place.partition("-")[0]) or rules.get("")


def places_of(viewers: Collection[Member]) -> dict[int, str]:
    """Return where each viewer is billed; without a word of theirs, where the tenant is."""
    said = BillingProfile.objects.filter(member__in=[viewer.pk for viewer in viewers]).exclude(place="")
    here = tenants_place()
    return dict.fromkeys((viewer.pk for viewer in viewers), here) | dict(said.values_list("member_id", "place"))


def place_of(viewer: Member) -> str:
    """Return where the viewer is billed."""
    return places_of([viewer])[viewer.pk]


def tenants_place() -> str:
    """Return where the tenant is: `place` of its settings."""
    return str(current_tenant().settings.get("place", ""))


def billed_to(viewers: Collection[Member]) -> dict[int, dict[str, Any]]:
    """Return what an invoice says of its buyer, for each."""
    profiles = {of.member_id: of for of in BillingProfile.objects.filter(member__in=viewers)}
    here, told = tenants_place(), {}
    for viewer in viewers:
        profile = profiles.get(viewer.pk)
        named = {"name": profile.title or viewer.name, "tax_id": profile.tax_id} if profile else {"name": viewer.name}
        told[viewer.pk] = named | {"place": (profile and profile.place) or here, "member": viewer.pk}
    return told


def seller() -> dict[str, Any]:
    """Return what an invoice says of its seller."""
    tenant = current_tenant()
    return {"name": tenant.name, "place": tenants_place(), "tax_id": tenant.settings.get("tax_id", "")}


def invoices_seen_by(member: Member) -> QuerySet[Invoice]:
    """Return the member's invoices and credit notes, newest first; all of them for the tenant's staff."""
    seen = Invoice.objects.all() if member.runs_the_tenant else Invoice.objects.filter(order__viewer=member)
    return seen.select_related("lost").order_by("-pk")


def invoice_requests_seen_by(member: Member) -> QuerySet[InvoiceRequest]:
    """Return what the member asked for, newest first; all of it for the tenant's staff."""
    asked = InvoiceRequest.objects.all()
    return (asked if member.runs_the_tenant else asked.filter(viewer=member)).order_by("-pk")
