"""What can be told of tried prices: which the viewer sees, who may look at them, and what came of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from billing.models import PriceArm, PriceExperiment, PriceShown, Product, StateChange
from billing.money import WHOLE_BPS
from catalog.models import Item
from kpplatform.experiments import arm_of
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

PROMISE = timedelta(days=1)  # so long after the end, who was shown a lower price still gets it
Thing = tuple[str, int]  # "item" or "product", and its id

# Asked by verify_ledger: a line that says which price it was sold at costs that; and who had been shown a tried price
# was charged no other while it was tried.
QUESTIONS = (
    (
        "L9",
        """
        SELECT 'tried line', t.id, format('%%s is the price of its arm; it says %%s and %%s of tax, and cost %%s',
                                          a.amount, t.amount, t.added_tax, coalesce(p.amount, l.amount + l.discount))
        FROM billing_triedline t
        JOIN billing_pricearm a ON a.tenant_id = t.tenant_id AND a.id = t.arm_id
        JOIN billing_priceexperiment e ON e.tenant_id = a.tenant_id AND e.id = a.experiment_id
        JOIN billing_orderline l ON l.tenant_id = t.tenant_id AND l.id = t.line_id
        LEFT JOIN billing_instalmentpart i ON i.tenant_id = l.tenant_id AND i.order_id = l.order_id AND i.number = 1
        LEFT JOIN billing_instalmentplan p ON p.tenant_id = i.tenant_id AND p.id = i.plan_id
        WHERE t.amount <> a.amount OR t.amount + t.added_tax <> coalesce(p.amount, l.amount + l.discount)
              OR (e.item_id, e.product_id) IS DISTINCT FROM (l.item_id, l.product_id)
        ORDER BY t.id LIMIT %(most)s""",
    ),
    (
        "L9",
        """
        SELECT 'order line', l.id, format('was sold at another price than %%s had been shown', o.viewer_id)
        FROM billing_priceshown s
        JOIN billing_priceexperiment e ON e.tenant_id = s.tenant_id AND e.id = s.experiment_id
        JOIN billing_order o ON o.tenant_id = s.tenant_id AND o.viewer_id = s.viewer_id AND o.currency = e.currency
             AND o.placed_at > s.shown_at AND o.placed_at < coalesce(e.ended_at, e.ends_at)
        JOIN billing_orderline l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
             AND (l.item_id = e.item_id OR l.product_id = e.product_id)
        LEFT JOIN billing_instalmentpart i ON i.tenant_id = l.tenant_id AND i.order_id = l.order_id
        LEFT JOIN billing_triedline t ON t.tenant_id = l.tenant_id AND t.line_id = l.id AND t.arm_id = s.arm_id
        WHERE t.id IS NULL AND coalesce(i.number, 1) = 1 ORDER BY l.id LIMIT %(most)s""",
    ),
)


@dataclass(frozen=True)
class Tried:
    """The arm that a viewer is in, and whether it was noted that they were shown its price."""

    arm: PriceArm
    is_noted: bool


def price_experiments_seen_by(member: Member) -> QuerySet[PriceExperiment]:
    """Return what the member tries, staff what the tenant does, newest first."""
    seen = PriceExperiment.objects.select_related("creator", "item__creator", "product__creator", "made_by")
    rows = seen.prefetch_related(_arms()).order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(creator__member=member)


def changes_of_price_experiment(experiment: PriceExperiment) -> QuerySet[StateChange]:
    """Return what became of it, the latest first."""
    changes = StateChange.objects.filter(of=StateChange.Of.PRICE_EXPERIMENT, row=experiment.pk)
    return changes.select_related("by").order_by("-pk")


def may_try_prices() -> bool:
    """Tell whether the scope's tenant lets prices be tried."""
    return bool(current_tenant().settings.get("price_experiments", True))


def is_tried(thing: Item | Product, *, at: datetime) -> bool:
    """Tell whether prices of the thing are being tried."""
    return running_of(thing).filter(ends_at__gt=at).exists()


def running_of(thing: Item | Product) -> QuerySet[PriceExperiment]:
    """Return the experiment of the thing that nobody, and no clock, has ended yet."""
    return _of(thing).filter(state=PriceExperiment.State.RUNNING)


def promised_of(thing: Item | Product, *, at: datetime) -> QuerySet[PriceExperiment]:
    """Return experiments of the thing whose prices may still be asked for."""
    return _of(thing).filter(_is_fresh(at))


def prices_tried(
    viewer: Member, *, items: Collection[int] = (), products: Collection[int] = (), at: datetime
) -> Mapping[Thing, Tried]:
    """Return the arms whose prices of these things the viewer sees. Nothing is known of them here but their id.

    When it is over, only who has been shown the price sees it, for a day; whether it is lower, the caller knows.
    """
    of = Q(item__in=list(items)) | Q(product__in=list(products))
    rows = PriceExperiment.objects.filter(of, _is_fresh(at), began_at__lte=at, currency=current_tenant().currency)
    experiments = list(rows.select_related("creator").prefetch_related(_arms()).order_by("pk"))
    if not experiments:
        return {}
    noted = PriceShown.objects.filter(viewer=viewer, experiment__in=experiments)
    shown = dict(noted.values_list("experiment_id", "arm_id"))
    may_try = may_try_prices()
    return {
        _thing(of): Tried(_shown(of, shown.get(of.pk)) or dealt(of, viewer_id=viewer.pk), of.pk in shown)
        for of in experiments
        if of.pk in shown or (may_try and of.state == PriceExperiment.State.RUNNING and at < of.ends_at)
    }


def _shown(experiment: PriceExperiment, arm: int | None) -> PriceArm | None:
    """Return the arm whose price a viewer was shown. It is theirs, however viewers are dealt by now."""
    return next((of for of in experiment.arms.all() if of.pk == arm), None)


def dealt(experiment: PriceExperiment, *, viewer_id: int) -> PriceArm:
    """Return the arm that a viewer is in: by a hash of their id and the experiment's name, always the same one.

    The moment it began, to the microsecond, is hashed too: else who names it could look for a name that gives somebody
    the higher price.
    """
    arms: list[PriceArm] = sorted(experiment.arms.all(), key=lambda arm: arm.name)
    shares = {arm.name: arm.share / WHOLE_BPS for arm in arms}
    salt = f"price:{experiment.name}:{experiment.began_at.timestamp():.6f}"
    name = arm_of(viewer_id, tenant=current_tenant_id(), experiment=salt, shares=shares)
    return next((arm for arm in arms if arm.name == name), arms[-1])


def _arms() -> Any:
    return Prefetch("arms", PriceArm.objects.order_by("name", "pk"))


def _of(thing: Item | Product) -> QuerySet[PriceExperiment]:
    named = {"item": thing} if isinstance(thing, Item) else {"product": thing}
    return PriceExperiment.objects.filter(**named).order_by("pk")


def _is_fresh(at: datetime) -> Q:
    """Return the condition that it is not over for longer than what was shown is promised."""
    since = at - PROMISE
    return Q(Q(ended_at=None) | Q(ended_at__gt=since), ends_at__gt=since)


def _thing(experiment: PriceExperiment) -> Thing:
    return ("item", experiment.item_id) if experiment.item_id else ("product", experiment.product_id or 0)
