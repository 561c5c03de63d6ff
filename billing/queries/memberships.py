"""Which memberships are offered, and who has which."""

from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet

from billing.models import PaymentMethod, Plan, Subscription, SubscriptionChange, Tier
from kpplatform.tenancy.models import Member

# Asked by verify_ledger: what was charged is booked, and what was booked lets the member in.
QUESTIONS = (
    (
        "L8",
        """
        SELECT 'charge', c.id, 'was paid, but is not booked'
        FROM billing_charge c JOIN billing_payment p ON p.tenant_id = c.tenant_id AND p.id = c.payment_id
        WHERE c.state = 'paid' AND p.state <> 'captured' ORDER BY c.id LIMIT %(most)s""",
    ),
    (
        "L8",
        """
        SELECT 'payment', p.id, 'was booked without the buyer, but is of no charge that was paid'
        FROM billing_payment p
        JOIN billing_charge c ON c.tenant_id = p.tenant_id AND c.payment_id = p.id
        WHERE p.state = 'captured' GROUP BY p.id
        HAVING count(*) FILTER (WHERE c.state = 'paid') <> 1 AND (p.checkout_url = '' OR bool_or(c.state = 'paid'))
        ORDER BY p.id LIMIT %(most)s""",
    ),
    (
        "L13",
        """
        SELECT 'period', p.id, 'was paid, but nothing was opened for it'
        FROM billing_period p JOIN billing_order o ON o.tenant_id = p.tenant_id AND o.id = p.order_id
        WHERE o.state = 'paid' AND o.paid_at < p.ends_at
          AND NOT EXISTS (SELECT FROM catalog_pass a WHERE a.tenant_id = p.tenant_id AND a.source = p.source)
          AND NOT EXISTS (SELECT FROM catalog_access a WHERE a.tenant_id = p.tenant_id AND a.source = p.source)
        ORDER BY p.id LIMIT %(most)s""",
    ),
)


def tiers_seen_by(viewer: Member, *, at: datetime, creator: str | None = None) -> QuerySet[Tier]:
    """Return the tiers that can be joined, newest first; to its creator and to staff also what was withdrawn."""
    plans = Prefetch("plans", Plan.objects.select_related("product").order_by("pk"))
    tiers = Tier.objects.select_related("creator").prefetch_related(plans, "items").order_by("-pk")
    if not viewer.runs_the_tenant:
        tiers = tiers.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=at) | Q(creator__member=viewer))
    return tiers if creator is None else tiers.filter(creator__handle=creator)


def plans_offered(*, at: datetime) -> QuerySet[Plan]:
    """Return the plans that can be joined."""
    tier = Q(tier__withdrawn_at=None) | Q(tier__withdrawn_at__gt=at)
    product = Q(product__withdrawn_at=None) | Q(product__withdrawn_at__gt=at)
    return Plan.objects.filter(tier, product).select_related("tier__creator", "product").order_by("pk")


def subscriptions_of(viewer: Member) -> QuerySet[Subscription]:
    """Return the viewer's subscriptions with all that is told of them, newest first."""
    return _whole(Subscription.objects.filter(viewer=viewer))


def subscriptions_seen_by(member: Member) -> QuerySet[Subscription]:
    """Return the subscriptions that the member may see: their own; all of them for the tenant's staff."""
    return _whole(Subscription.objects.all()) if member.runs_the_tenant else subscriptions_of(member)


def changes_of_subscription(subscription: Subscription) -> QuerySet[SubscriptionChange]:
    """Return what was done to the subscription, the latest first."""
    return SubscriptionChange.objects.filter(subscription=subscription).select_related("by").order_by("-pk")


def methods_of(member: Member) -> QuerySet[PaymentMethod]:
    """Return what the member has saved to pay by, and not removed, newest first."""
    return PaymentMethod.objects.filter(member=member, removed_at=None).order_by("-pk")


def _whole(subscriptions: QuerySet[Subscription]) -> QuerySet[Subscription]:
    related = ("viewer", "tier__creator", "plan__product", "method")
    return subscriptions.select_related(*related).prefetch_related("periods").order_by("-pk")
