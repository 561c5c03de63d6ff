"""What providers divide, to be read; and questions about it, for `verify_ledger`."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from billing.models import Split, SplitOrder, SplitReceiver, SplitReturn, StateChange
from kpplatform.tenancy.models import Member

R = TypeVar("R", bound=Model)


def splits_seen_by(member: Member) -> QuerySet[Split]:
    """Return what the member's own creator gets from providers directly, newest first; all of it for staff."""
    rows = Split.objects.select_related("creator", "order__payment", "receiver").prefetch_related("returns")
    return _seen(rows.order_by("-pk"), member)


def split_receivers_seen_by(member: Member) -> QuerySet[SplitReceiver]:
    """Return to whom providers give creators' parts now."""
    rows = SplitReceiver.objects.filter(withdrawn_at=None).select_related("creator")
    return _seen(rows.order_by("-pk"), member)


def changes_of_split(order: SplitOrder) -> QuerySet[StateChange]:
    """Return what became of a payment's division, when and why."""
    return StateChange.objects.filter(of=StateChange.Of.SPLIT, row=order.pk).select_related("by").order_by("pk")


def splits_of_order(order_id: int) -> QuerySet[Split]:
    """Return what creators got of the payment of an order, and could be asked for."""
    return Split.objects.filter(order__payment__order=order_id, state=Split.State.DONE).order_by("pk")


def returns_of(split: Split) -> QuerySet[SplitReturn]:
    """Return what was asked back, oldest first."""
    return SplitReturn.objects.filter(split=split).order_by("pk")


def _seen(rows: QuerySet[R], member: Member) -> QuerySet[R]:
    return rows if member.runs_the_tenant else rows.filter(creator__member=member)


# Each returns the table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L8",
        """
        SELECT 'split', s.id, format('is %%s, but was booked as done %%s times, failed %%s', s.state,
                                     coalesce(j.done, 0), coalesce(j.failed, 0))
        FROM billing_split s
        LEFT JOIN (
            SELECT substr(key, strpos(key, ':') + 1) AS key, count(*) FILTER (WHERE kind = 'split_done') AS done,
                   count(*) FILTER (WHERE kind = 'split_failed') AS failed
            FROM billing_journal WHERE kind IN ('split_done', 'split_failed') GROUP BY 1
        ) j ON j.key = s.id::text
        WHERE (coalesce(j.done, 0), coalesce(j.failed, 0))
              <> ((s.state IN ('done', 'returned'))::int, (s.state = 'failed')::int)
        ORDER BY s.id LIMIT %(most)s""",
    ),
    (
        "L8",
        """
        SELECT 'journal', j.id, format('%%s was given under a key that no split of this amount has', t.amount)
        FROM billing_journal j
        JOIN (SELECT journal_id, sum(amount) AS amount FROM billing_transfer GROUP BY 1) t ON t.journal_id = j.id
        LEFT JOIN billing_split s ON s.tenant_id = j.tenant_id AND j.key = 'split-done:' || s.id
        WHERE j.kind = 'split_done' AND s.amount IS DISTINCT FROM t.amount ORDER BY j.id LIMIT %(most)s""",
    ),
    (
        "L8",
        """
        SELECT 'split', s.id, format('says that %%s came back, but %%s was booked', s.returned, coalesce(r.amount, 0))
        FROM billing_split s
        LEFT JOIN (
            SELECT r.split_id, sum(t.amount) AS amount
            FROM billing_splitreturn r JOIN billing_transfer t ON t.journal_id = r.journal_id
            WHERE r.state = 'done' GROUP BY 1
        ) r ON r.split_id = s.id
        WHERE s.returned <> coalesce(r.amount, 0) OR s.returned > s.amount ORDER BY s.id LIMIT %(most)s""",
    ),
    (
        "L9",
        """
        SELECT 'split order', o.id, format('sets %%s aside, but %%s is divided', coalesce(t.amount, 0),
                                           coalesce(s.amount, 0))
        FROM billing_splitorder o
        LEFT JOIN (SELECT order_id, sum(amount) AS amount FROM billing_split GROUP BY 1) s ON s.order_id = o.id
        LEFT JOIN (
            SELECT journal_id, sum(amount) AS amount FROM billing_transfer GROUP BY 1
        ) t ON t.journal_id = o.journal_id
        JOIN billing_payment p ON p.tenant_id = o.tenant_id AND p.id = o.payment_id
        WHERE coalesce(t.amount, 0) <> coalesce(s.amount, 0) OR coalesce(s.amount, 0) > p.amount
        ORDER BY o.id LIMIT %(most)s""",
    ),
)
