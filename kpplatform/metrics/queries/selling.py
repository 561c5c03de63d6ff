"""From a look at what something costs to the money: visits, orders, sales, refunds, fees and income."""

from django.utils.translation import gettext_lazy as _

from billing.queries.income import EARNED
from kpplatform.metrics.dictionary import Counting, Metric, Unit
from kpplatform.metrics.queries.watching import source_of

SOON = "interval '7 days'"  # a look so long before an order led to it

VISITS = Counting(
    metrics=(
        Metric("profile_visits", Unit.COUNT, _("Looks at creators' profiles."), "metrics_visit", "source"),
        Metric("product_visits", Unit.COUNT, _("Looks at what something costs."), "metrics_visit", "source"),
    ),
    sql=f"""SELECT coalesce(v.creator_id, i.creator_id, p.creator_id) AS creator, v.item_id AS item,
               {source_of("v.source")} AS part,
               count(*) FILTER (WHERE v.page = 'profile') AS profile_visits,
               count(*) FILTER (WHERE v.page = 'product') AS product_visits
        FROM metrics_visit v LEFT JOIN catalog_item i ON i.tenant_id = %(tenant)s AND i.id = v.item_id
        LEFT JOIN billing_product p ON p.tenant_id = %(tenant)s AND p.id = v.product_id
        WHERE v.tenant_id = %(tenant)s AND v.visited_at >= %(begins)s AND v.visited_at < %(ends)s GROUP BY 1, 2, 3""",  # noqa: S608
)
# The last look at the same thing within a week before the order says where the buyer came from.
CAME_FROM = f"""LEFT JOIN LATERAL (
        SELECT {source_of("v.source")} AS source FROM metrics_visit v
        WHERE v.tenant_id = %(tenant)s AND v.viewer_id = o.viewer_id AND v.page = 'product'
              AND (v.item_id = l.item_id OR v.product_id = l.product_id)
              AND v.visited_at <= o.placed_at AND v.visited_at > o.placed_at - {SOON}
        ORDER BY v.visited_at DESC LIMIT 1) v ON true"""  # noqa: S608  only our own words


def _lines(name: str, when: str) -> str:
    return f"""SELECT l.creator_id AS creator, l.item_id AS item, coalesce(v.source, '') AS part, count(*) AS {name}
        FROM billing_order o JOIN billing_orderline l ON l.tenant_id = %(tenant)s AND l.order_id = o.id {CAME_FROM}
        WHERE o.tenant_id = %(tenant)s AND o.{when} >= %(begins)s AND o.{when} < %(ends)s GROUP BY 1, 2, 3"""  # noqa: S608


CHECKOUTS = Counting(
    metrics=(
        Metric(
            "checkouts",
            Unit.COUNT,
            _("Things that were ordered, by the source of the last look at them within a week."),
            "billing_order",
            "source",
        ),
    ),
    sql=_lines("checkouts", "placed_at"),
)
PURCHASES = Counting(
    metrics=(
        Metric("purchases", Unit.COUNT, _("Things that were paid, by the same source."), "billing_order", "source"),
    ),
    sql=_lines("purchases", "paid_at"),
)
SALES = Counting(
    metrics=(
        Metric(
            "sales",
            Unit.MINOR,
            _("What was paid for things that day (GMV): tax and fees among it, refunds not taken off."),
            "billing_orderline",
            "kind:currency",
        ),
    ),
    sql="""SELECT l.creator_id AS creator, l.item_id AS item, l.kind || ':' || o.currency AS part,
               sum(l.amount) AS sales
        FROM billing_order o JOIN billing_orderline l ON l.tenant_id = %(tenant)s AND l.order_id = o.id
        WHERE o.tenant_id = %(tenant)s AND o.paid_at >= %(begins)s AND o.paid_at < %(ends)s GROUP BY 1, 2, 3""",
)
REFUNDS = Counting(
    metrics=(
        Metric(
            "refunds",
            Unit.MINOR,
            _("What was given back of sales, by the day it was asked for; what the provider refused is not."),
            "billing_refund",
            "kind:currency",
        ),
    ),
    sql="""SELECT l.creator_id AS creator, l.item_id AS item, l.kind || ':' || r.currency AS part,
               sum(r.amount) AS refunds
        FROM billing_refund r JOIN billing_orderline l ON l.tenant_id = %(tenant)s AND l.id = r.line_id
        WHERE r.tenant_id = %(tenant)s AND r.asked_at >= %(begins)s AND r.asked_at < %(ends)s AND r.state <> 'failed'
        GROUP BY 1, 2, 3""",
)
BUYERS = Counting(
    adds_up=False,
    metrics=(Metric("buyers", Unit.COUNT, _("Different members who paid."), "billing_order", days_overlap=True),),
    sql="""WITH bought AS MATERIALIZED (
            SELECT DISTINCT l.creator_id, o.viewer_id
            FROM billing_order o JOIN billing_orderline l ON l.tenant_id = %(tenant)s AND l.order_id = o.id
            WHERE o.tenant_id = %(tenant)s AND o.paid_at >= %(begins)s AND o.paid_at < %(ends)s)
        SELECT creator_id AS creator, NULL::bigint AS item, '' AS part, count(*) AS buyers FROM bought
        WHERE creator_id IS NOT NULL GROUP BY 1
        UNION ALL SELECT NULL, NULL, '', count(DISTINCT viewer_id) FROM bought""",
)
FEES = Counting(
    metrics=(
        Metric(
            "platform_fees",
            Unit.MINOR,
            _("What the ledger added to the platform's fees, less what it took off."),
            "billing_transfer",
            "currency",
        ),
    ),
    sql="""SELECT NULL::bigint AS creator, NULL::bigint AS item, t.currency AS part,
               sum(CASE WHEN c.kind = 'fees' THEN t.amount ELSE 0 END
                   - CASE WHEN d.kind = 'fees' THEN t.amount ELSE 0 END) AS platform_fees
        FROM billing_journal j JOIN billing_transfer t ON t.tenant_id = %(tenant)s AND t.journal_id = j.id
        JOIN billing_account c ON c.tenant_id = %(tenant)s AND c.id = t.credit_id
        JOIN billing_account d ON d.tenant_id = %(tenant)s AND d.id = t.debit_id
        WHERE j.tenant_id = %(tenant)s AND j.at >= %(begins)s AND j.at < %(ends)s
              AND (c.kind = 'fees' OR d.kind = 'fees') GROUP BY t.currency""",
)
INCOME = Counting(
    metrics=(
        Metric(
            "creator_income",
            Unit.MINOR,
            _("What the ledger added to creators' accounts for what they sold, were given and are shared."),
            "billing_transfer",
            "kind:currency",
        ),
    ),
    sql=f"""{EARNED}
        SELECT creator_id AS creator, NULL::bigint AS item, kind || ':' || currency AS part,
               sum(amount) AS creator_income FROM earned GROUP BY 1, 3""",  # noqa: S608  only our own words
)
COUNTINGS = (VISITS, CHECKOUTS, PURCHASES, SALES, REFUNDS, BUYERS, FEES, INCOME)
