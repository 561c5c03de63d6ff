"""What the feed showed on a day, and how evenly."""

from django.utils.translation import gettext_lazy as _

from kpplatform.metrics.dictionary import MILLION, Counting, Metric, Unit
from kpplatform.metrics.queries.watching import ANONYMOUS, NOBODYS, OF_ITEM
from recommender.queries.exposure import EXPOSURE

SHOWN = "recommender_impression"

IMPRESSIONS = Counting(
    metrics=(
        Metric("impressions", Unit.COUNT, _("Places of the feed, by where the item came from."), SHOWN, "source"),
        Metric(
            "impressions_known",
            Unit.COUNT,
            _("Of these, those of members who consent to be remembered: of others it is not kept where a play began."),
            SHOWN,
            "source",
        ),
    ),
    sql=f"""SELECT i.creator_id AS creator, e.item_id AS item, e.source AS part, impressions, impressions_known FROM (
        SELECT m.item_id, m.source, count(*) AS impressions,
               count(*) FILTER (WHERE m.viewer_id IS DISTINCT FROM {ANONYMOUS}) AS impressions_known
        FROM recommender_impression m
        WHERE m.tenant_id = %(tenant)s AND m.shown_at >= %(begins)s AND m.shown_at < %(ends)s
        GROUP BY m.item_id, m.source) e {OF_ITEM}""",  # noqa: S608  only our own words
)
EVENNESS = Counting(
    adds_up=False,
    metrics=(
        Metric("explored", Unit.COUNT, _("Places given to exploration and trials."), SHOWN),
        Metric("new_creators", Unit.COUNT, _("Places of creators who began within 30 days."), SHOWN),
        Metric("small_creators", Unit.COUNT, _("Places of creators with few followers."), SHOWN),
        Metric("items_shown", Unit.COUNT, _("Different items that were shown at all."), SHOWN, days_overlap=True),
        Metric("items_on_show", Unit.COUNT, _("Published items, when the day was counted."), SHOWN, days_overlap=True),
        Metric(
            "topic_bits",
            Unit.MILLIONTHS,
            _("Entropy of the places' topics, in bits."),
            SHOWN,
            days_overlap=True,
        ),
        Metric("topics_a_page", Unit.MILLIONTHS, _("Different topics on a page."), SHOWN, days_overlap=True),
        Metric(
            "exposure_gini",
            Unit.MILLIONTHS,
            _("Gini coefficient of the places over all published items: 0 alike, 1 all for one."),
            SHOWN,
            days_overlap=True,
        ),
    ),
    sql=f"""SELECT {NOBODYS}, '' AS part, round(x.explored * places) AS explored,
               round(x.new * places) AS new_creators, round(x.small * places) AS small_creators, met AS items_shown,
               items AS items_on_show, round(bits * {MILLION}) AS topic_bits,
               round(topics * {MILLION}) AS topics_a_page,
               round(x.gini * {MILLION}) AS exposure_gini
        FROM ({EXPOSURE}) x""",  # noqa: S608
)
COUNTINGS = (IMPRESSIONS, EVENNESS)
