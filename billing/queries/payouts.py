"""What leaves for creators, and what holds it up; and questions about both, for `verify_ledger`."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from billing.models import Payout, PayoutAccount, PayoutBatch, PayoutHold
from kpplatform.tenancy.models import Member

R = TypeVar("R", bound=Model)


def payouts_seen_by(member: Member) -> QuerySet[Payout]:
    """Return the payouts to the member's own creator, newest first; all of them for the tenant's staff."""
    rows = Payout.objects.select_related("creator", "account").prefetch_related("changes__by")
    return _seen(rows.order_by("-pk"), member)


def holds_seen_by(member: Member) -> QuerySet[PayoutHold]:
    """Return what holds or has held payouts up, newest first."""
    return _seen(PayoutHold.objects.select_related("creator").order_by("-pk"), member)


def payout_accounts_seen_by(member: Member) -> QuerySet[PayoutAccount]:
    """Return where creators are paid now."""
    rows = PayoutAccount.objects.filter(withdrawn_at=None).select_related("creator")
    return _seen(rows.order_by("-pk"), member)


def payout_batches() -> QuerySet[PayoutBatch]:
    """Return the files for the bank, newest first."""
    return PayoutBatch.objects.order_by("-pk")


def _seen(rows: QuerySet[R], member: Member) -> QuerySet[R]:
    return rows if member.runs_the_tenant else rows.filter(creator__member=member)


# Each returns the table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L8",
        """
        SELECT 'payout', p.id, format('is %%s, but was booked as paid %%s times, failed %%s, reversed %%s', p.state,
                                      coalesce(j.paid, 0), coalesce(j.failed, 0), coalesce(j.reversed, 0))
        FROM billing_payout p
        LEFT JOIN (
            SELECT substr(key, strpos(key, ':') + 1) AS key, count(*) FILTER (WHERE kind = 'payout_paid') AS paid,
                   count(*) FILTER (WHERE kind = 'payout_failed') AS failed,
                   count(*) FILTER (WHERE kind = 'payout_reversed') AS reversed
            FROM billing_journal WHERE kind IN ('payout_paid', 'payout_failed', 'payout_reversed') GROUP BY 1
        ) j ON j.key = p.key
        WHERE (coalesce(j.paid, 0), coalesce(j.failed, 0), coalesce(j.reversed, 0))
              <> ((p.state IN ('paid', 'reversed'))::int, (p.state = 'failed')::int, (p.state = 'reversed')::int)
        ORDER BY p.id LIMIT %(most)s""",
    ),
    (
        "L8",
        """
        SELECT 'journal', j.id, format('%%s of %%s under the key of no such payout', j.kind, t.amount)
        FROM billing_journal j
        JOIN LATERAL (
            SELECT sum(t.amount) AS amount, min(d.creator_id) AS debit, max(c.creator_id) AS credit
            FROM billing_transfer t
            JOIN billing_account d ON d.id = t.debit_id
            JOIN billing_account c ON c.id = t.credit_id
            WHERE t.tenant_id = j.tenant_id AND t.journal_id = j.id
        ) t ON true
        LEFT JOIN billing_payout p ON p.tenant_id = j.tenant_id AND p.key = substr(j.key, strpos(j.key, ':') + 1)
        WHERE j.kind IN ('payout_paid', 'payout_failed', 'payout_reversed')
              AND (p.amount, p.creator_id, p.creator_id)
                  IS DISTINCT FROM (t.amount, coalesce(t.debit, t.credit), coalesce(t.credit, t.debit))
        ORDER BY j.id LIMIT %(most)s""",
    ),
    (
        "L8",
        """
        SELECT 'account', a.id, format('%%s holds %%s, but %%s is on its way', a.name,
                                       a.credits - a.debits, coalesce(p.amount, 0))
        FROM billing_account a
        LEFT JOIN (
            SELECT creator_id, currency, sum(amount) AS amount FROM (
                SELECT creator_id, currency, amount FROM billing_payout
                WHERE state IN ('draft', 'approved', 'submitted', 'unknown')
                UNION ALL
                SELECT creator_id, currency, amount FROM billing_split WHERE state = 'asked'
            ) away GROUP BY 1, 2
        ) p ON p.creator_id = a.creator_id AND p.currency = a.currency
        WHERE a.kind = 'in_transit' AND a.credits - a.debits <> coalesce(p.amount, 0) ORDER BY a.id LIMIT %(most)s""",
    ),
    (
        "L12",
        """
        SELECT 'journal', j.id, format('books %%s kept of payouts, but what was kept of them is %%s', t.amount, p.fee)
        FROM billing_journal j
        JOIN (SELECT t.journal_id, sum(t.amount) AS amount FROM billing_transfer t GROUP BY 1) t ON t.journal_id = j.id
        LEFT JOIN (
            SELECT fee_journal_id, sum(fee) AS fee FROM billing_payout WHERE fee_journal_id IS NOT NULL GROUP BY 1
        ) p ON p.fee_journal_id = j.id
        WHERE j.kind = 'payout_fee' AND t.amount IS DISTINCT FROM p.fee ORDER BY j.id LIMIT %(most)s""",
    ),
    (
        "L12",
        """
        SELECT 'payout', p.id, format('what was kept of it was booked as %%s', j.kind)
        FROM billing_payout p JOIN billing_journal j ON j.tenant_id = p.tenant_id AND j.id = p.fee_journal_id
        WHERE j.kind <> 'payout_fee' ORDER BY p.id LIMIT %(most)s""",
    ),
    (
        "L14",
        """
        SELECT 'hold', id, 'does not say why, until when and what to do' FROM billing_payouthold
        WHERE coalesce(reason, '') = '' OR coalesce(required_action, '') = '' OR expected_on IS NULL
        ORDER BY id LIMIT %(most)s""",
    ),
    (
        "L14",
        """
        SELECT 'payout', p.id, format('left while hold %%s was in force', h.id)
        FROM billing_payout p
        JOIN billing_payouthold h ON h.tenant_id = p.tenant_id AND h.creator_id = p.creator_id
        WHERE p.state IN ('submitted', 'unknown', 'paid', 'reversed') AND p.submitted_at > h.placed_at
              AND p.submitted_at < coalesce(h.released_at, 'infinity')
        ORDER BY p.id LIMIT %(most)s""",
    ),
)
