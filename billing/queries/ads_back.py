"""What is promised of prices that came back because no viewer saw the ad, asked of the rows."""

QUESTIONS = (
    (
        "AD7",
        """
        SELECT 'ad credit', c.id, format('gives %%s, but its parts sum to %%s, and %%s of them was taken of creators',
                                         c.amount, p.amount, coalesce(b.amount, 0))
        FROM ads_credit c
        JOIN (
            SELECT credit_id, sum(amount) AS amount, coalesce(sum(amount - tax) FILTER (WHERE sharing_id IS NOT NULL),
                   0) AS shared FROM ads_creditpart GROUP BY 1
        ) p ON p.credit_id = c.id
        LEFT JOIN (SELECT credit_id, sum(amount) AS amount FROM ads_shareback GROUP BY 1) b ON b.credit_id = c.id
        WHERE c.amount <> p.amount OR coalesce(b.amount, 0) > p.shared ORDER BY c.id LIMIT %(most)s""",
    ),
    (
        "AD7",
        """
        SELECT 'flight', p.flight_id, format('%%s came back, but events of %%s micros were found invalid', p.amount,
                                             coalesce(i.price, 0))
        FROM (SELECT flight_id, sum(amount) AS amount FROM ads_creditpart GROUP BY 1) p
        LEFT JOIN (SELECT flight_id, sum(price) AS price FROM ads_invalidevent GROUP BY 1) i
            ON i.flight_id = p.flight_id
        WHERE p.amount * 1000000 > coalesce(i.price, 0) ORDER BY 2 LIMIT %(most)s""",
    ),
    (
        "AD7",
        """
        SELECT 'ad charge', p.flight_id, format('of %%s charged on %%s came %%s back, of the tax of %%s came %%s',
                                                coalesce(c.amount, 0), p.day, p.amount, coalesce(c.tax, 0), p.tax)
        FROM (SELECT flight_id, day, sum(amount) AS amount, sum(tax) AS tax FROM ads_creditpart GROUP BY 1, 2) p
        LEFT JOIN (SELECT flight_id, day, sum(amount) AS amount, sum(tax) AS tax FROM ads_charge GROUP BY 1, 2) c
            ON c.flight_id = p.flight_id AND c.day = p.day
        WHERE p.amount > coalesce(c.amount, 0) OR p.tax > coalesce(c.tax, 0) ORDER BY 2 LIMIT %(most)s""",
    ),
    (
        "AD7",
        """
        SELECT 'ad share', s.id, format('of %%s came %%s back', s.amount, b.amount)
        FROM ads_share s
        JOIN (SELECT share_id, sum(amount) AS amount FROM ads_shareback GROUP BY 1) b ON b.share_id = s.id
        WHERE b.amount > s.amount ORDER BY s.id LIMIT %(most)s""",
    ),
    (
        "AD8",
        """
        SELECT 'ad credit', c.id, format('gives %%s and takes %%s of creators, but %%s and %%s is booked', c.amount,
                                         coalesce(b.amount, 0), coalesce(t.amount, 0), coalesce(t.creators, 0))
        FROM ads_credit c
        LEFT JOIN (SELECT credit_id, sum(amount) AS amount FROM ads_shareback GROUP BY 1) b ON b.credit_id = c.id
        LEFT JOIN (
            SELECT t.journal_id, sum(t.amount) AS amount,
                   coalesce(sum(t.amount) FILTER (WHERE d.creator_id IS NOT NULL), 0) AS creators
            FROM billing_transfer t JOIN billing_account d ON d.id = t.debit_id
            JOIN billing_account a ON a.id = t.credit_id AND a.kind = 'advertiser'
            WHERE t.journal_id IN (SELECT journal_id FROM ads_credit) GROUP BY 1
        ) t ON t.journal_id = c.journal_id
        WHERE (c.amount, coalesce(b.amount, 0)) IS DISTINCT FROM (coalesce(t.amount, 0), coalesce(t.creators, 0))
        ORDER BY c.id LIMIT %(most)s""",
    ),
    (
        "AD9",
        """
        SELECT 'statement of use', s.id, format('says %%s at its end, but the ledger says %%s', s.closing, l.amount)
        FROM ads_usestatement s
        JOIN billing_settlementperiod p ON p.id = s.period_id
        JOIN ads_advertiser a ON a.id = s.advertiser_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(CASE WHEN c.member_id = a.member_id AND c.kind IN ('advertiser', 'ad_budget')
                                     THEN t.amount ELSE 0 END), 0)
                 - coalesce(sum(CASE WHEN d.member_id = a.member_id AND d.kind IN ('advertiser', 'ad_budget')
                                     THEN t.amount ELSE 0 END), 0) AS amount
            FROM billing_account o
            JOIN billing_transfer t ON o.id IN (t.debit_id, t.credit_id)
            JOIN billing_account c ON c.id = t.credit_id
            JOIN billing_account d ON d.id = t.debit_id
            JOIN billing_journal j ON j.id = t.journal_id
            WHERE o.member_id = a.member_id AND o.kind IN ('advertiser', 'ad_budget') AND o.currency = s.currency
                  AND j.seq <= p.head_seq AND j.at < p.ends_at
        ) l
        WHERE s.closing <> l.amount ORDER BY s.id LIMIT %(most)s""",
    ),
    (
        "AD9",
        """
        SELECT 'statement of use', s.id, format('moved %%s by kind, of it %%s by campaign, and says %%s', k.amount,
                                                coalesce(c.amount, 0), s.movements)
        FROM ads_usestatement s
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS amount,
                   coalesce(sum(amount) FILTER (WHERE kind IN ('ad_charge', 'ad_credit')), 0) AS used
            FROM ads_useline WHERE statement_id = s.id
        ) k ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(credited - charged), 0) AS amount FROM ads_useofcampaign WHERE statement_id = s.id
        ) c ON true
        WHERE k.amount <> s.movements OR k.used <> c.amount ORDER BY s.id LIMIT %(most)s""",
    ),
)
