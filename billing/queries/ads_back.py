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
)
