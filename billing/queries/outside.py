"""What creators told of other platforms; and questions about it, for `verify_ledger`."""

from django.db.models import QuerySet

from billing.models import Channel, OutsideIncome, OutsideStatement
from kpplatform.tenancy.models import Member


def channels_seen_by(member: Member) -> QuerySet[Channel]:
    """Return the accounts elsewhere of the member's own creator, newest first; all of them for the tenant's staff."""
    rows = Channel.objects.select_related("creator").order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(creator__member=member)


def outside_statements_seen_by(member: Member) -> QuerySet[OutsideStatement]:
    """Return the statements about the member's own channels, newest first; all of them for the tenant's staff."""
    rows = OutsideStatement.objects.select_related("channel__creator").order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(channel__creator__member=member)


def rows_of_statement(statement: OutsideStatement) -> QuerySet[OutsideIncome]:
    """Return what a statement tells, in its order; of a duplicate, also which statement has told it before."""
    return OutsideIncome.objects.filter(statement=statement).select_related("duplicate_of").order_by("line", "pk")


# Each returns the table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L1",
        """
        SELECT 'transfer', t.id, format('moves what is earned elsewhere between %%s and %%s', d.name, c.name)
        FROM billing_transfer t
        JOIN billing_account d ON d.id = t.debit_id
        JOIN billing_account c ON c.id = t.credit_id
        WHERE d.channel_id IS DISTINCT FROM c.channel_id ORDER BY t.id LIMIT %(most)s""",
    ),
    (
        "L1",
        """
        SELECT 'account', id, format('%%s: what is earned elsewhere is a channel''s, and nothing else is', name)
        FROM billing_account
        WHERE (kind IN ('outside', 'outside_income', 'outside_fees')) <> (channel_id IS NOT NULL)
        ORDER BY id LIMIT %(most)s""",
    ),
    (
        "L2",
        """
        SELECT 'channel', coalesce(a.channel_id, s.channel_id),
               format('%%s/%%s: statements tell %%s, but %%s is booked', coalesce(a.kind, s.kind),
                      coalesce(a.currency, s.currency), coalesce(s.amount, 0), coalesce(a.amount, 0))
        FROM (
            SELECT channel_id, kind, currency, credits - debits AS amount FROM billing_account
            WHERE channel_id IS NOT NULL
        ) a
        FULL JOIN (
            SELECT r.channel_id, e.kind, r.currency, sum(e.amount) AS amount
            FROM billing_outsideincome r
            CROSS JOIN LATERAL (
                VALUES ('outside', r.fee - r.gross), ('outside_income', r.gross), ('outside_fees', -r.fee)
            ) e (kind, amount)
            WHERE r.is_counted GROUP BY 1, 2, 3
        ) s ON s.channel_id = a.channel_id AND s.kind = a.kind AND s.currency = a.currency
        WHERE coalesce(a.amount, 0) <> coalesce(s.amount, 0) ORDER BY 2 LIMIT %(most)s""",
    ),
    (
        "L6",
        """
        SELECT 'outside income', max(id), format('%%s counts %%s times', reference, count(*))
        FROM billing_outsideincome WHERE is_counted
        GROUP BY channel_id, reference HAVING count(*) > 1 ORDER BY 2 LIMIT %(most)s""",
    ),
    (
        "L6",
        """
        SELECT 'outside income', r.id, format('%%s counts, though its statement was withdrawn', r.reference)
        FROM billing_outsideincome r JOIN billing_outsidestatement s ON s.id = r.statement_id
        WHERE r.is_counted AND s.withdrawn_at IS NOT NULL ORDER BY r.id LIMIT %(most)s""",
    ),
    (
        "L6",
        """
        SELECT 'outside income', r.id, format('%%s counts nowhere: what it repeats was withdrawn', r.reference)
        FROM billing_outsideincome r
        JOIN billing_outsidestatement s ON s.id = r.statement_id
        LEFT JOIN billing_outsideincome b ON b.id = r.duplicate_of_id
        WHERE NOT r.is_counted AND s.withdrawn_at IS NULL AND b.is_counted IS NOT TRUE
        ORDER BY r.id LIMIT %(most)s""",
    ),
)
