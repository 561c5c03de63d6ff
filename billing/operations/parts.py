"""What a part of a price gives: the whole thing with the first one, for as long as the plan does not default."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import F

from billing.models import Charge, Content, InstalmentPart, InstalmentPlan, Order, OrderLine, PaymentMethod, StateChange
from billing.operations.memberships import saved_with
from billing.operations.terms import WINDOW
from billing.periods import anchor_of, following_after
from billing.queries import tenants_zone
from catalog.models import Access, Item
from catalog.operations import grant_access, revoke_source
from kpplatform.tenancy.models import Member

State = InstalmentPlan.State
OWING = (State.ACTIVE, State.PAST_DUE, State.DEFAULTED)  # something is left to be paid
WAITING = (State.PAST_DUE, State.DEFAULTED)  # a part that was asked for was not paid


def held_plans(pks: Iterable[int], *related: str) -> dict[int, InstalmentPlan]:
    """Return plans by id, each as it is now; nobody else changes them before the transaction ends."""
    rows = InstalmentPlan.objects.select_for_update(no_key=True, of=("self",)).select_related(*related)
    return {of.pk: of for of in rows.filter(pk__in=set(pks)).order_by("pk")}


def held_plan(pk: int) -> InstalmentPlan:
    """Return one plan with all that belongs to it."""
    return held_plans([pk], "viewer", "item", "product", "creator", "method")[pk]


def moved(plan: InstalmentPlan, to: State, *, at: datetime, by: Member | None = None, why: str = "") -> None:
    """Write a plan down in another state, or in the same for a reason, and who (none: time) has done it."""
    before, plan.state = plan.state, to
    plan.ended_at = None if to in {State.PLACED, *OWING} else at
    plan.due_at = plan.due_at if to in OWING else None
    plan.save()
    told = {"before": before, "after": to, "by": by, "why": why[:200], "changed_at": at}
    StateChange.objects.create(of=StateChange.Of.INSTALMENT_PLAN, row=plan.pk, **told)


def open_parts(lines: Sequence[OrderLine], at: datetime) -> None:
    """Count parts that were paid; let the buyer in with the first, and again when what was owed is paid.

    Of a second plan of the same thing no more is asked than the first part, which can be given back.
    """
    parts = list(InstalmentPart.objects.filter(order__in=[of.order_id for of in lines]).order_by("pk"))
    begun = {part.plan_id for part in parts if part.number == 1}
    viewers = InstalmentPlan.objects.filter(pk__in=begun).values("viewer")
    list(Member.objects.select_for_update(no_key=True).filter(pk__in=viewers).order_by("pk").values_list("pk"))
    plans = held_plans((part.plan_id for part in parts), "viewer", "item", "product", "method")
    saved = saved_with(lines)
    for part in parts:
        part.paid_at = at
        asked_again = InstalmentPart.objects.filter(plan=part.plan_id, number=part.number, voided_at=None)
        if part.voided_at and not asked_again.exists():
            part.voided_at = None  # it was charged after all
        part.save(update_fields=["paid_at", "voided_at"])
        _count(plans[part.plan_id], part, saved.get(part.order_id), at)


def _count(plan: InstalmentPlan, part: InstalmentPart, method: PaymentMethod | None, at: datetime) -> None:
    plan.method = method or plan.method
    if part.voided_at or plan.state not in {State.PLACED, *OWING}:
        plan.save(update_fields=["method"])  # it was ended meanwhile: staff give it back
        return
    zone, to, why = tenants_zone(), State.ACTIVE, f"part {part.through}"
    if plan.state == State.PLACED:
        if _has_another(plan):
            to, why = State.FORGIVEN, "it is paid for in parts already"
        part.due_at, plan.began_at, plan.anchor = at, at, anchor_of(at, zone=zone)
        part.save(update_fields=["due_at"])
    if plan.state in {State.PLACED, State.DEFAULTED}:
        let_in(plan, at)
    plan.paid, plan.failures = part.through, 0
    plan.due_at = following_after(part.due_at, at=at, anchor=plan.anchor, zone=zone)
    moved(plan, State.PAID if plan.paid == plan.count else to, at=at, why=why)


def _has_another(plan: InstalmentPlan) -> bool:
    """Tell whether another plan pays for the same thing: two can be ordered before one is paid. The buyer is held."""
    same = InstalmentPlan.objects.filter(viewer=plan.viewer_id, item=plan.item_id, product=plan.product_id)
    return same.exclude(pk=plan.pk).filter(state__in=[*OWING, State.PAID, State.FORGIVEN]).exists()


def let_in(plan: InstalmentPlan, at: datetime) -> None:
    """Let the buyer in: at first to what the thing opens, later to the same again."""
    before = Access.objects.filter(viewer=plan.viewer_id, source=plan.source).select_related("item").order_by("pk")
    opened = [access.item for access in before] or _contents(plan)
    plan.opened += 1
    plan.save(update_fields=["opened"])
    for item in opened:
        grant_access(viewer=plan.viewer, item=item, source=plan.source, starts_at=at)


def _contents(plan: InstalmentPlan) -> list[Item]:
    if plan.item:
        return [plan.item]
    contents = Content.objects.filter(product=plan.product_id).select_related("item").order_by("pk")
    return [of.item for of in contents]


def shut_out(plan: InstalmentPlan, at: datetime) -> None:
    """End the access that the plan gives."""
    revoke_source(viewer=plan.viewer, source=plan.source, at=at)


def plan_of(line: OrderLine) -> InstalmentPlan:
    """Return the plan that the line pays a part of; it is held."""
    return held_plan(InstalmentPart.objects.values_list("plan_id", flat=True).get(order=line.order_id))


def later_parts(line: OrderLine) -> int:
    """Return what of the line cannot be given back: all of it, while something is left of a later part.

    The plan is held, so that none is paid meanwhile.
    """
    plan, part = plan_of(line), InstalmentPart.objects.get(order=line.order_id)
    later = plan.parts.filter(number__gt=part.number, paid_at__isnull=False).values("order")
    some_left = OrderLine.objects.filter(order__in=later, refunded__lt=F("amount") - F("disputed"))
    return line.left if some_left.exists() else 0


def may_return(line: OrderLine) -> bool | None:
    """Tell whether buyers may have it back by themselves: as any sale within the window of the first part, then not."""
    began_at, paid_at = plan_of(line).began_at, line.order.paid_at
    return None if began_at and paid_at and paid_at <= began_at + WINDOW else False


def give_back(line: OrderLine, _source: str, at: datetime) -> None:
    """End the plan and the access with the last part that was paid: nothing more is charged."""
    plan = plan_of(line)
    paid = plan.parts.filter(paid_at__isnull=False).exclude(order=line.order_id)
    if plan.state != State.RETURNED and not paid.exclude(order__state=Order.State.REFUNDED).exists():
        shut_out(plan, at)
        moved(plan, State.RETURNED, at=at)


def take_again(line: OrderLine, _source: str, at: datetime) -> None:
    """Go on with the plan as it was, after a refund that failed."""
    plan = plan_of(line)
    if plan.state != State.RETURNED:
        return
    changes = StateChange.objects.filter(of=StateChange.Of.INSTALMENT_PLAN, row=plan.pk, after=State.RETURNED)
    to = State(changes.order_by("-pk").values_list("before", flat=True)[0])
    if to != State.DEFAULTED:
        let_in(plan, at)
    if to in {State.ACTIVE, State.PAST_DUE}:
        last = plan.parts.filter(paid_at__isnull=False, voided_at=None).latest("number")
        is_asked_for = plan.parts.filter(paid_at=None, voided_at=None).exists()
        following = following_after(last.due_at, at=at, anchor=plan.anchor, zone=tenants_zone())
        to, plan.due_at = (State.PAST_DUE, at) if is_asked_for else (State.ACTIVE, following)
    moved(plan, to, at=at, why="a refund failed")


def part_may_be_paid_by_hand(order: Order) -> bool:
    """Tell whether the order can be paid at the provider's page: of parts the first, and one that was declined.

    The plan is held, and no charge is under way.
    """
    part = InstalmentPart.objects.filter(order=order).first()
    if part is None or part.number == 1:
        return True
    is_waiting = held_plans([part.plan_id])[part.plan_id].state in WAITING and part.voided_at is None
    return is_waiting and not Charge.objects.filter(payment__order=order, state=Charge.State.NEW).exists()
