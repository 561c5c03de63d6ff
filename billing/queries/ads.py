"""What is promised of ads, asked of the rows: they lie in the annex's tables."""

QUESTIONS = (
    (
        "AD1",
        """
        SELECT 'flight', f.id, format('%%s is reserved and %%s spent, but its offers say %%s and %%s', f.reserved,
                                      f.spent, coalesce(o.reserved, 0), coalesce(o.spent, 0))
        FROM ads_flight f
        LEFT JOIN (
            SELECT flight_id, sum(reserved) AS reserved, sum(spent) AS spent FROM (
                SELECT flight_id, price AS reserved, 0 AS spent FROM ads_offer
                WHERE billed_at IS NULL AND lapsed_at IS NULL
                UNION ALL
                SELECT o.flight_id, 0, o.price
                FROM (
                    SELECT t.id, coalesce((SELECT max(ends_at) FROM ads_offerday d WHERE d.tenant_id = t.id),
                                          '-infinity') AS summed_up
                    FROM tenancy_tenant t
                ) s
                JOIN ads_offer o ON o.tenant_id = s.id AND o.offered_at >= s.summed_up
                WHERE o.billed_at IS NOT NULL
                UNION ALL
                SELECT flight_id, 0, spent FROM ads_offerday
            ) each GROUP BY flight_id
        ) o ON o.flight_id = f.id
        WHERE (f.reserved, f.spent) <> (coalesce(o.reserved, 0), coalesce(o.spent, 0)) ORDER BY f.id LIMIT %(most)s""",
    ),
    (
        "AD1",
        """
        SELECT 'flight', id, 'more is reserved and spent than its budget' FROM ads_flight
        WHERE reserved + spent > budget * 1000000 ORDER BY id LIMIT %(most)s""",
    ),
    (
        "AD1",
        """
        SELECT 'day of offers', d.id, format('of %%s offers for %%s are %%s for %%s gone, and %%s for %%s there',
                                             d.offers, d.spent, d.gone, d.gone_spent, o.offers, o.spent)
        FROM ads_offerday d
        CROSS JOIN LATERAL (
            SELECT count(*) AS offers, coalesce(sum(price) FILTER (WHERE billed_at IS NOT NULL), 0) AS spent
            FROM ads_offer WHERE tenant_id = d.tenant_id AND flight_id = d.flight_id
                AND offered_at >= d.starts_at AND offered_at < d.ends_at
        ) o
        WHERE (d.gone_at IS NOT NULL OR d.gone_spent > d.spent)
          AND (d.offers - d.gone, d.spent - d.gone_spent) <> (o.offers, o.spent) ORDER BY d.id LIMIT %(most)s""",
    ),
    (
        "AD2",
        """
        SELECT 'flight', f.id, format('%%s was charged, but its charges sum to %%s', f.charged, coalesce(c.amount, 0))
        FROM ads_flight f
        LEFT JOIN (SELECT flight_id, sum(amount) AS amount FROM ads_charge GROUP BY 1) c ON c.flight_id = f.id
        WHERE f.charged <> coalesce(c.amount, 0) OR f.charged * 1000000 > f.spent ORDER BY f.id LIMIT %(most)s""",
    ),
    (
        "AD3",
        """
        SELECT 'account', a.id, format('%%s has %%s, but %%s of it is set aside and not spent', a.name,
                                       a.credits - a.debits, coalesce(c.amount, 0))
        FROM billing_account a
        LEFT JOIN (
            SELECT d.member_id, c.currency,
                   sum(c.committed - coalesce(c.given_back, 0) - coalesce(f.charged, 0)) AS amount
            FROM ads_campaign c JOIN ads_advertiser d ON d.id = c.advertiser_id
            LEFT JOIN (SELECT campaign_id, sum(charged) AS charged FROM ads_flight GROUP BY 1) f ON f.campaign_id = c.id
            GROUP BY 1, 2
        ) c ON c.member_id = a.member_id AND c.currency = a.currency
        WHERE a.kind = 'ad_budget' AND a.credits - a.debits <> coalesce(c.amount, 0) ORDER BY a.id LIMIT %(most)s""",
    ),
    (
        "AD4",
        """
        SELECT 'account', a.id, format('%%s was charged and not shared, but %%s is there', coalesce(c.amount, 0),
                                       a.credits - a.debits)
        FROM billing_account a
        LEFT JOIN (
            SELECT c.currency, sum(c.amount) AS amount FROM (
                SELECT tenant_id, day, currency, amount - tax AS amount FROM ads_charge
                UNION ALL
                SELECT p.tenant_id, p.day, r.currency, p.tax - p.amount
                FROM ads_creditpart p JOIN ads_credit r ON r.id = p.credit_id WHERE p.sharing_id IS NULL
            ) c
            LEFT JOIN ads_sharing s ON s.tenant_id = c.tenant_id AND s.day = c.day AND s.currency = c.currency
            WHERE s.id IS NULL GROUP BY 1
        ) c ON c.currency = a.currency
        WHERE a.kind = 'ad_revenue' AND a.credits - a.debits <> coalesce(c.amount, 0) ORDER BY a.id LIMIT %(most)s""",
    ),
    (
        "AD5",
        """
        SELECT 'ad sharing', s.id, format('%%s was shared, but %%s was charged, and creators got %%s of %%s', s.amount,
                                          coalesce(c.amount, 0), coalesce(p.amount, 0), s.creators)
        FROM ads_sharing s
        LEFT JOIN (
            SELECT day, currency, sum(amount) AS amount FROM (
                SELECT day, currency, amount - tax AS amount FROM ads_charge
                UNION ALL
                SELECT p.day, r.currency, p.tax - p.amount
                FROM ads_creditpart p JOIN ads_credit r ON r.id = p.credit_id WHERE p.sharing_id IS NULL
            ) net GROUP BY 1, 2
        ) c
            ON c.day = s.day AND c.currency = s.currency
        LEFT JOIN (SELECT sharing_id, sum(amount) AS amount FROM ads_share GROUP BY 1) p ON p.sharing_id = s.id
        WHERE s.amount <> coalesce(c.amount, 0) OR s.creators <> coalesce(p.amount, 0) ORDER BY s.id LIMIT %(most)s""",
    ),
    (
        "AD6",
        """
        SELECT 'account', a.id, format('%%s holds %%s, but %%s was paid in, set aside, given back and credited', a.name,
                                       a.credits - a.debits, m.amount)
        FROM billing_account a
        CROSS JOIN LATERAL (
            SELECT coalesce((
                SELECT sum(l.amount - l.refunded) FROM billing_orderline l JOIN billing_order o ON o.id = l.order_id
                WHERE l.kind = 'ad_balance' AND o.paid_at IS NOT NULL AND o.viewer_id = a.member_id
                      AND o.currency = a.currency), 0)
            - coalesce((
                SELECT sum(c.committed - coalesce(c.given_back, 0)) FROM ads_campaign c
                JOIN ads_advertiser d ON d.id = c.advertiser_id
                WHERE d.member_id = a.member_id AND c.currency = a.currency), 0)
            + coalesce((
                SELECT sum(c.amount) FROM ads_credit c JOIN ads_advertiser d ON d.id = c.advertiser_id
                WHERE d.member_id = a.member_id AND c.currency = a.currency), 0)
            - coalesce((
                SELECT sum(t.amount) FROM billing_disputepart p JOIN billing_transfer t ON t.journal_id = p.journal_id
                WHERE p.released_id IS NULL AND t.debit_id = a.id), 0) AS amount
        ) m
        WHERE a.kind = 'advertiser' AND a.credits - a.debits <> m.amount ORDER BY a.id LIMIT %(most)s""",
    ),
)
