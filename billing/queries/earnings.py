"""Questions about creators' money, for `verify_ledger`."""

# Each returns the table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L7",
        """
        SELECT 'account', id, format('%%s: nobody is owed a debt', name) FROM billing_account
        WHERE kind IN ('clawback', 'pool_debt') AND credits > debits ORDER BY id LIMIT %(most)s""",
    ),
    (
        "L7",
        """
        SELECT 'account', d.id, format('%%s is owed, but %%s can be paid out', d.debits - d.credits,
                                       a.credits - a.debits)
        FROM billing_account d
        JOIN billing_account a ON a.tenant_id = d.tenant_id AND a.creator_id = d.creator_id
                              AND a.currency = d.currency AND a.kind = 'available'
        WHERE d.kind = 'clawback' AND d.credits < d.debits AND a.credits > a.debits ORDER BY d.id LIMIT %(most)s""",
    ),
    (
        "L7",
        """
        SELECT 'order line', m.line_id, format('%%s of it has matured for creator %%s, whose part is %%s',
                                               m.amount, m.creator_id, coalesce(s.amount, l.share))
        FROM (
            SELECT line_id, creator_id, sum(amount) AS amount FROM billing_maturity GROUP BY 1, 2
        ) m
        JOIN billing_orderline l ON l.id = m.line_id
        LEFT JOIN billing_lineshare s ON s.line_id = m.line_id AND s.creator_id = m.creator_id
        WHERE m.amount > coalesce(s.amount, l.share) ORDER BY m.line_id LIMIT %(most)s""",
    ),
    (
        "L7",
        """
        SELECT 'journal', j.id, format('%%s has matured, but %%s was booked', coalesce(m.amount, 0), t.amount)
        FROM billing_journal j
        JOIN (
            SELECT journal_id, sum(amount) AS amount FROM billing_transfer GROUP BY journal_id
        ) t ON t.journal_id = j.id
        LEFT JOIN (
            SELECT journal_id, sum(amount) AS amount FROM billing_maturity GROUP BY journal_id
        ) m ON m.journal_id = j.id
        WHERE j.kind = 'maturity' AND t.amount IS DISTINCT FROM m.amount ORDER BY j.id LIMIT %(most)s""",
    ),
)
