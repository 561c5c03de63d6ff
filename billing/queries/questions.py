"""What is asked of sales beside the ledger: do lines, discounts and shares sum up, and was no coupon used too often."""

OF_SALES = (
    (
        "L9",
        """
        SELECT 'order', o.id, format('costs %%s, but its lines %%s', o.amount, coalesce(sum(l.amount), 0))
        FROM billing_order o LEFT JOIN billing_orderline l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
        GROUP BY o.id HAVING o.amount <> coalesce(sum(l.amount), 0) ORDER BY o.id LIMIT %(most)s""",
    ),
    (
        "L9",
        """
        SELECT 'order line', l.id, format('has a share of %%s, but %%s is told whose it is', l.share, sum(s.amount))
        FROM billing_orderline l JOIN billing_lineshare s ON s.tenant_id = l.tenant_id AND s.line_id = l.id
        GROUP BY l.id HAVING l.share <> sum(s.amount) ORDER BY l.id LIMIT %(most)s""",
    ),
    (
        "L6",
        """
        SELECT 'coupon', c.id, format('counts %%s uses of %%s, but there are %%s', c.uses, c.most_uses, count(u.id))
        FROM billing_coupon c LEFT JOIN billing_couponuse u
             ON u.tenant_id = c.tenant_id AND u.coupon_id = c.id AND u.freed_at IS NULL
        GROUP BY c.id HAVING c.uses <> count(u.id) OR c.uses > c.most_uses ORDER BY c.id LIMIT %(most)s""",
    ),
)
