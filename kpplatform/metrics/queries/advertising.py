"""What became of ads on a day."""

from django.utils.translation import gettext_lazy as _

from kpplatform.metrics.dictionary import Counting, Metric, Unit
from kpplatform.metrics.queries.watching import OF_ITEM

OFFERED = "ads_offer"
OF_CAMPAIGN = "JOIN ads_campaign c ON c.tenant_id = %(tenant)s AND c.id = o.campaign_id"

# Of a flight's day of which offers have gone those that are there are counted as ever, the rest of what was summed up
# of no creator and item any more. What was billed of the gone counts on the day on which it was offered.
GONE = f"FROM ads_offerday s JOIN ads_flight o ON o.tenant_id = %(tenant)s AND o.id = s.flight_id {OF_CAMPAIGN}"
REST = """SELECT count(*) AS offers, count(viewed_at) AS views, count(clicked_at) AS clicks,
                     count(*) FILTER (WHERE odd <> '') AS held
              FROM ads_offer WHERE tenant_id = %(tenant)s AND flight_id = s.flight_id
                  AND offered_at >= s.starts_at AND offered_at < s.ends_at"""

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
              GROUP BY 1, 2
              UNION ALL
              SELECT NULL, c.tier, s.offers - r.offers, greatest(s.views - r.views, 0), s.clicks - r.clicks,
                     s.held - r.held
              {GONE} CROSS JOIN LATERAL ({REST}) r
              WHERE s.tenant_id = %(tenant)s AND s.day = %(day)s AND s.gone > 0) e LEFT {OF_ITEM}""",  # noqa: S608  only our own words
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
        FROM (SELECT campaign_id, price FROM ads_offer
              WHERE tenant_id = %(tenant)s AND billed_at >= %(begins)s AND billed_at < %(ends)s
              UNION ALL
              SELECT o.campaign_id, s.gone_spent {GONE}
              WHERE s.tenant_id = %(tenant)s AND s.day = %(day)s AND s.gone > 0) o {OF_CAMPAIGN}
        GROUP BY 3""",  # noqa: S608
)
PLACES = Counting(
    metrics=(
        Metric("ad_places", Unit.COUNT, _("Places for ads, by what they came to."), "ads_placecount", "place:outcome"),
    ),
    sql="""SELECT NULL::bigint AS creator, NULL::bigint AS item, placement || ':' || outcome AS part,
               sum(places) AS ad_places
        FROM ads_placecount WHERE tenant_id = %(tenant)s AND day = %(day)s GROUP BY 3""",
)
COUNTINGS = (OFFERS, SPEND, PLACES)
