"""Disputes, to be read; and questions for `verify_ledger`."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from billing.models import Dispute, DisputeAnswer, DisputeEvidence, DisputePart, OrderLine, StateChange
from kpplatform.tenancy import roles
from kpplatform.tenancy.models import Member

# From then on the lists remind of an answer that is due.
REMINDED = timedelta(days=3)


def disputes_seen_by(member: Member, state: str | None = None) -> QuerySet[Dispute]:
    """Return the disputes, newest first: all for the tenant's staff, those of their own sales for a creator."""
    rows = Dispute.objects.select_related("payment__order").annotate(is_answered=is_answered()).order_by("-pk")
    rows = rows.filter(state=state) if state else rows
    if member.runs_the_tenant:
        return rows
    return rows.filter(Exists(OrderLine.objects.filter(order=OuterRef("payment__order"), creator__member=member)))


def whole_disputes(member: Member) -> QuerySet[Dispute]:
    """Return the same, with what was held, said and answered; for a creator, as far as it is about own sales."""
    parts, pieces = DisputePart.objects.order_by("pk"), _pieces(member).defer("content").order_by("pk")
    if not member.runs_the_tenant:
        parts = parts.filter(line__creator__member=member)
    answers = Prefetch("answers", DisputeAnswer.objects.order_by("pk"))
    return disputes_seen_by(member).prefetch_related(Prefetch("parts", parts), Prefetch("evidence", pieces), answers)


def evidence_files(member: Member) -> QuerySet[DisputeEvidence]:
    """Return the evidence that is a file, of the disputes that the member may see."""
    files = _pieces(member).filter(kind=DisputeEvidence.Kind.FILE).order_by("-pk")
    return files.filter(dispute__in=disputes_seen_by(member).order_by().values("pk"))


def _pieces(member: Member) -> QuerySet[DisputeEvidence]:
    """Return the evidence that the member may see: what tells of others' sales, staff only."""
    pieces = DisputeEvidence.objects.all()
    if member.runs_the_tenant:
        return pieces
    others = OrderLine.objects.filter(order=OuterRef("dispute__payment__order")).exclude(creator__member=member)
    return pieces.filter(Q(by=member) | ~Exists(others))


def is_all_sold_by(member: Member, dispute: Dispute) -> bool:
    """Tell whether a creator has sold all that was paid with the disputed payment."""
    lines = OrderLine.objects.filter(order=dispute.payment.order_id)
    return not lines.exclude(creator__member=member).exists()


def changes_of_dispute(dispute: Dispute) -> QuerySet[StateChange]:
    """Return what became of a dispute, by whom, when and why."""
    return StateChange.objects.filter(of=StateChange.Of.DISPUTE, row=dispute.pk).select_related("by").order_by("pk")


def is_answered(*, using: str = roles.APP) -> Exists:
    """Return whether a dispute was answered, or is about to be; `using` tells through which role it is read.

    What was said to an enquiry says nothing to the dispute that it has become: answers count from the last change on.
    """
    changes = StateChange.objects.db_manager(using).filter(of=StateChange.Of.DISPUTE, row=OuterRef(OuterRef("pk")))
    now = changes.filter(after=OuterRef(OuterRef("state"))).order_by("-pk").values("changed_at")[:1]
    answers = DisputeAnswer.objects.db_manager(using).filter(dispute=OuterRef("pk"), asked_at__gte=now)
    return Exists(answers.exclude(state=DisputeAnswer.State.FAILED))


def reminder_of(dispute: Dispute, *, is_answered: bool, at: datetime) -> str:
    """Return whether an answer is "due" within three days, or "overdue"; else nothing."""
    if dispute.state not in Dispute.UNANSWERED or is_answered or dispute.due_at is None:
        return ""
    if at > dispute.due_at:
        return "overdue"
    return "due" if at > dispute.due_at - REMINDED else ""


# Each returns the table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L7",
        """
        SELECT 'order line', l.id, format('%%s of it is noted as disputed, but %%s is held; %%s was given back of %%s',
                                          l.disputed, coalesce(p.amount, 0), l.refunded, l.amount)
        FROM billing_orderline l
        LEFT JOIN (
            SELECT line_id, sum(amount) AS amount FROM billing_disputepart WHERE released_id IS NULL GROUP BY line_id
        ) p ON p.line_id = l.id
        WHERE l.disputed <> coalesce(p.amount, 0) OR l.disputed + l.refunded > l.amount
        ORDER BY l.id LIMIT %(most)s""",
    ),
    (
        "L7",
        """
        SELECT 'dispute', d.id, format('is %%s and says that %%s of %%s is held, but %%s is', d.state, d.held, d.amount,
                                       coalesce(p.amount, 0))
        FROM billing_dispute d
        LEFT JOIN (
            SELECT dispute_id, sum(amount) AS amount FROM billing_disputepart WHERE released_id IS NULL GROUP BY 1
        ) p ON p.dispute_id = d.id
        WHERE d.held <> coalesce(p.amount, 0)
              OR d.held > 0 AND d.state NOT IN ('needs_response', 'under_review', 'lost')
        ORDER BY d.id LIMIT %(most)s""",
    ),
    (
        "L7",
        """
        SELECT 'dispute', d.id, 'was given back by the provider, and is lost all the same'
        FROM billing_dispute d WHERE d.state = 'lost' AND d.reinstated_id IS NOT NULL ORDER BY d.id LIMIT %(most)s""",
    ),
    (
        "L9",
        """
        SELECT 'dispute part', p.id, format('of %%s, but %%s was booked and %%s released', p.amount,
                                            coalesce(h.amount, 0), r.amount)
        FROM billing_disputepart p
        LEFT JOIN (
            SELECT journal_id, sum(amount) AS amount FROM billing_transfer GROUP BY 1
        ) h ON h.journal_id = p.journal_id
        LEFT JOIN (
            SELECT journal_id, sum(amount) AS amount FROM billing_transfer GROUP BY 1
        ) r ON r.journal_id = p.released_id
        WHERE p.amount IS DISTINCT FROM h.amount OR p.released_id IS NOT NULL AND p.amount IS DISTINCT FROM r.amount
        ORDER BY p.id LIMIT %(most)s""",
    ),
    (
        "L6",
        """
        SELECT 'journal', j.id, format('%%s of a dispute that does not know of it', j.kind)
        FROM billing_journal j
        LEFT JOIN billing_disputepart h ON h.tenant_id = j.tenant_id AND h.journal_id = j.id
        LEFT JOIN billing_disputepart r ON r.tenant_id = j.tenant_id AND r.released_id = j.id
        LEFT JOIN billing_dispute w ON w.tenant_id = j.tenant_id AND w.withdrawn_id = j.id
        LEFT JOIN billing_dispute b ON b.tenant_id = j.tenant_id AND b.reinstated_id = j.id
        WHERE j.kind = 'dispute_held' AND h.id IS NULL OR j.kind = 'dispute_released' AND r.id IS NULL
              OR j.kind = 'dispute_withdrawn' AND w.id IS NULL OR j.kind = 'dispute_reinstated' AND b.id IS NULL
        ORDER BY j.id LIMIT %(most)s""",
    ),
    (
        "L8",
        """
        SELECT 'account', a.id, format('%%s holds %%s, but %%s is held and %%s withdrawn', a.name, a.credits - a.debits,
                                       coalesce(d.held, 0), coalesce(d.away, 0))
        FROM billing_account a
        LEFT JOIN (
            SELECT currency, sum(held) AS held,
                   sum(amount) FILTER (WHERE withdrawn_id IS NOT NULL AND reinstated_id IS NULL) AS away
            FROM billing_dispute GROUP BY currency
        ) d ON d.currency = a.currency
        WHERE a.kind = 'dispute' AND a.credits - a.debits <> coalesce(d.held, 0) - coalesce(d.away, 0)
        ORDER BY a.id LIMIT %(most)s""",
    ),
)
