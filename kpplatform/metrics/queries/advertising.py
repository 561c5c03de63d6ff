"""What became of ads on a day."""

from django.utils.translation import gettext_lazy as _

from kpplatform.metrics.dictionary import Counting, Metric, Unit
from kpplatform.metrics.queries.watching import OF_ITEM

OFFERED = "ads_offer"
OF_CAMPAIGN = "JOIN ads_campaign c ON c.tenant_id = %(tenant)s AND c.id = o.campaign_id"

OFFERS = Counting(
    metrics=(
        Metric("ads_offered", Unit.COUNT, _("Ads put into places of the feed."), OFFERED, "tier"),
        Metric("ads_seen", Unit.COUNT, _("Of these, seen as the published rules say."), OFFERED, "tier"),
        Metric("ads_clicked", Unit.COUNT, _("Of these, clicked."), OFFERED, "tier"),
        Metric("ads_held", Unit.COUNT, _("Of these, held because something is odd."), OFFERED, "tier"),
    ),
    sql=f"""SELECT i.creator_id AS creator, e.item_id AS item, e.tier AS part,
               ads_offered, ads_seen, ads_clicked, ads_held
        FROM (SELECT o.item_id, c.tier, count(*) AS ads_offered, count(o.viewed_at) AS ads_seen,
                     count(o.clicked_at) AS ads_clicked, count(*) FILTER (WHERE o.odd <> '') AS ads_held
              FROM ads_offer o {OF_CAMPAIGN}
              WHERE o.tenant_id = %(tenant)s AND o.offered_at >= %(begins)s AND o.offered_at < %(ends)s
              GROUP BY 1, 2) e LEFT {OF_ITEM}""",  # noqa: S608  only our own words
)
SPEND = Counting(
    metrics=(
        Metric(
            "ad_spend",
            Unit.MICROS,
            _("What the day's billed events cost their advertisers, in millionths of a minor unit."),
            OFFERED,
            "tier:currency",
        ),
    ),
    sql=f"""SELECT NULL::bigint AS creator, NULL::bigint AS item, c.tier || ':' || c.currency AS part,
               sum(o.price) AS ad_spend
        FROM ads_offer o {OF_CAMPAIGN}
        WHERE o.tenant_id = %(tenant)s AND o.billed_at >= %(begins)s AND o.billed_at < %(ends)s GROUP BY 3""",  # noqa: S608
)
COUNTINGS = (OFFERS, SPEND)
