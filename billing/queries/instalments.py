"""What is offered in parts, and who pays so."""

from django.db.models import Prefetch, QuerySet

from billing.models import InstalmentOffer, InstalmentPart, InstalmentPlan, StateChange
from kpplatform.tenancy.models import Member

# Asked by verify_ledger: parts sum to what is booked, as the price is divided; and the access is there unless it
# defaulted or was given back.
QUESTIONS = (
    (
        "L9",
        """
        SELECT 'instalment plan', id, format('%%s were booked for %%s of %%s parts of %%s', booked, paid, count, amount)
        FROM (
            SELECT p.id, p.paid, p.count, p.amount, coalesce(sum(t.amount), 0) AS booked,
                   p.paid * (p.amount / p.count) + least(p.paid, p.amount %% p.count) AS due
            FROM billing_instalmentplan p
            LEFT JOIN billing_instalmentpart i ON i.tenant_id = p.tenant_id AND i.plan_id = p.id
                      AND i.through <= p.paid AND i.voided_at IS NULL
            LEFT JOIN billing_payment y ON y.tenant_id = i.tenant_id AND y.order_id = i.order_id
                      AND y.state = 'captured'
            LEFT JOIN billing_transfer t ON t.tenant_id = y.tenant_id AND t.journal_id = y.journal_id
            GROUP BY p.id
        ) plans
        WHERE booked <> due ORDER BY id LIMIT %(most)s""",
    ),
    (
        "L13",
        """
        SELECT 'instalment plan', p.id, format('is %%s, and its buyer is %%s', p.state,
                                               CASE WHEN a.open THEN 'let in' ELSE 'not let in' END)
        FROM billing_instalmentplan p
        CROSS JOIN LATERAL (
            SELECT EXISTS (
                SELECT FROM catalog_access c
                WHERE c.tenant_id = p.tenant_id AND c.viewer_id = p.viewer_id AND c.revoked_at IS NULL
                  AND starts_with(c.source, 'instalments:' || p.id || ':')
            )
        ) a (open)
        WHERE a.open <> (p.state IN ('active', 'past_due', 'paid', 'forgiven')) ORDER BY p.id LIMIT %(most)s""",
    ),
)


def instalment_offers(*, item: int | None = None, product: int | None = None) -> QuerySet[InstalmentOffer]:
    """Return what is sold in parts now, newest first; of one thing, if that is said."""
    said = {name: pk for name, pk in (("item", item), ("product", product)) if pk is not None}
    return InstalmentOffer.objects.filter(withdrawn_at=None, **said).select_related("creator").order_by("-pk")


def plans_of(viewer: Member) -> QuerySet[InstalmentPlan]:
    """Return what the viewer pays in parts with all that is told of it, newest first."""
    return _whole(InstalmentPlan.objects.filter(viewer=viewer))


def plans_seen_by(member: Member) -> QuerySet[InstalmentPlan]:
    """Return the plans that the member may see: their own; all of them for the tenant's staff."""
    return _whole(InstalmentPlan.objects.all()) if member.runs_the_tenant else plans_of(member)


def changes_of_plan(plan: InstalmentPlan) -> QuerySet[StateChange]:
    """Return what became of a plan, the latest first."""
    changes = StateChange.objects.filter(of=StateChange.Of.INSTALMENT_PLAN, row=plan.pk)
    return changes.select_related("by").order_by("-pk")


def _whole(plans: QuerySet[InstalmentPlan]) -> QuerySet[InstalmentPlan]:
    parts = Prefetch("parts", InstalmentPart.objects.select_related("order").order_by("number", "pk"))
    return (
        plans.select_related("viewer", "item", "product", "creator", "method").prefetch_related(parts).order_by("-pk")
    )
