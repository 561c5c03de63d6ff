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
        SELECT 'order line', m.line_id, format('%%s of it has matured or was given back before, for creator %%s, whose '
                                               'part is %%s', m.amount, m.creator_id, m.part)
        FROM (
            SELECT of.line_id, of.creator_id, sum(of.amount) AS amount,
                   max(coalesce(s.amount, CASE WHEN l.creator_id = of.creator_id THEN l.share ELSE 0 END)) AS part
            FROM (
                SELECT line_id, creator_id, amount FROM billing_maturity
                UNION ALL
                SELECT r.line_id, a.creator_id, t.amount
                FROM billing_refund r
                JOIN billing_transfer t ON t.tenant_id = r.tenant_id AND t.journal_id = r.journal_id
                JOIN billing_account a ON a.id = t.debit_id
                WHERE r.state <> 'failed' AND a.kind = 'pending'
                UNION ALL
                SELECT d.line_id, a.creator_id, t.amount
                FROM billing_disputepart d
                JOIN billing_transfer t ON t.tenant_id = d.tenant_id AND t.journal_id = d.journal_id
                JOIN billing_account a ON a.id = t.debit_id
                WHERE d.released_id IS NULL AND a.kind = 'pending'
            ) of
            JOIN billing_orderline l ON l.id = of.line_id
            LEFT JOIN billing_lineshare s ON s.line_id = of.line_id AND s.creator_id = of.creator_id
            GROUP BY 1, 2
        ) m
        WHERE m.amount > m.part ORDER BY m.line_id LIMIT %(most)s""",
    ),
    (
        "L7",
        """
        SELECT 'journal', t.journal_id, format('%%s has matured, but %%s was booked for creator %%s',
                                               coalesce(m.amount, 0), t.amount, t.creator_id)
        FROM (
            SELECT t.journal_id, d.creator_id, sum(t.amount) AS amount
            FROM billing_journal j
            JOIN billing_transfer t ON t.tenant_id = j.tenant_id AND t.journal_id = j.id
            JOIN billing_account d ON d.id = t.debit_id
            WHERE j.kind = 'maturity' GROUP BY 1, 2
        ) t
        LEFT JOIN (
            SELECT journal_id, creator_id, sum(amount) AS amount FROM billing_maturity GROUP BY 1, 2
        ) m ON m.journal_id = t.journal_id AND m.creator_id = t.creator_id
        WHERE t.amount IS DISTINCT FROM m.amount ORDER BY t.journal_id LIMIT %(most)s""",
    ),
    (
        "L9",
        """
        SELECT 'payment', coalesce(s.id, b.id), format('%%s of it is creator %%s''s, but %%s was booked',
                                                       coalesce(s.amount, 0), coalesce(s.creator_id, b.creator_id),
                                                       coalesce(b.amount, 0))
        FROM (
            SELECT p.id, coalesce(s.creator_id, l.creator_id) AS creator_id, sum(coalesce(s.amount, l.share)) AS amount
            FROM billing_payment p
            JOIN billing_orderline l ON l.tenant_id = p.tenant_id AND l.order_id = p.order_id
            LEFT JOIN billing_lineshare s ON s.tenant_id = l.tenant_id AND s.line_id = l.id
            WHERE p.journal_id IS NOT NULL AND coalesce(s.creator_id, l.creator_id) IS NOT NULL GROUP BY 1, 2
        ) s
        FULL JOIN (
            SELECT p.id, c.creator_id, sum(t.amount) AS amount
            FROM billing_payment p
            JOIN billing_transfer t ON t.tenant_id = p.tenant_id AND t.journal_id = p.journal_id
            JOIN billing_account c ON c.id = t.credit_id
            WHERE c.creator_id IS NOT NULL GROUP BY 1, 2
        ) b ON b.id = s.id AND b.creator_id = s.creator_id
        WHERE coalesce(s.amount, 0) <> coalesce(b.amount, 0) ORDER BY 2 LIMIT %(most)s""",
    ),
    (
        "L7",
        """
        SELECT 'account', a.id, format('the pool has %%s, but %%s was paid in and neither given back nor shared',
                                       a.amount, coalesce(s.amount, 0))
        FROM (
            SELECT currency, min(id) AS id, sum(credits - debits) AS amount FROM billing_account
            WHERE kind IN ('pool', 'pool_debt') GROUP BY 1
        ) a
        LEFT JOIN (
            SELECT currency, sum(amount) AS amount FROM (
                SELECT o.currency, l.share FROM billing_orderline l JOIN billing_order o ON o.id = l.order_id
                WHERE o.paid_at IS NOT NULL AND l.creator_id IS NULL AND l.kind NOT IN ('coins', 'ad_balance')
                UNION ALL
                SELECT r.currency, -r.share FROM billing_refund r JOIN billing_orderline l ON l.id = r.line_id
                WHERE r.state <> 'failed' AND l.creator_id IS NULL AND l.kind NOT IN ('coins', 'ad_balance')
                UNION ALL
                SELECT d.currency, -d.share FROM billing_disputepart d JOIN billing_orderline l ON l.id = d.line_id
                WHERE d.released_id IS NULL AND l.creator_id IS NULL AND l.kind NOT IN ('coins', 'ad_balance')
                UNION ALL
                SELECT t.currency, -t.amount
                FROM billing_journal j
                JOIN billing_transfer t ON t.tenant_id = j.tenant_id AND t.journal_id = j.id
                JOIN billing_account c ON c.id = t.credit_id
                WHERE j.kind = 'pool_share' AND c.kind <> 'pool_debt'
            ) moved (currency, amount) GROUP BY 1
        ) s ON s.currency = a.currency
        WHERE a.amount <> coalesce(s.amount, 0) ORDER BY a.id LIMIT %(most)s""",
    ),
)
