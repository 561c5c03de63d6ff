"""Learning what is clicked: the counts of creatives, and what makes a chance of them."""

from datetime import datetime, timedelta

import numpy as np
from django.db import connection, transaction
from django.db.models import F

from billing.ads.market import chances
from billing.ads.market.chances import Chances
from billing.ads.models import ChanceModel, Offer
from billing.ads.operations.reporting import AFTER_VIEW
from billing.ads.serving.live import EVERYONE
from kpplatform.tenancy.scope import current_tenant_id

LEARNED_FROM = timedelta(days=28)
A_DAY = timedelta(days=1)  # after its end a campaign's counts change no more
JUDGED_BY = 0.2  # of the views, the latest
LEAST_VIEWS = 500
MOST_VIEWS = 500_000  # the latest

# A view that was told too late is none that could have been clicked.
COUNT = """
UPDATE ads_creative c SET views = n.views, clicks = n.clicks
FROM (
    SELECT creative_id, count(*) AS views, count(clicked_at) AS clicks FROM ads_offer
    WHERE tenant_id = %(tenant)s AND viewed_at < expires_at AND odd = '' AND flight_id IN (
        SELECT f.id FROM ads_flight f JOIN ads_campaign c ON c.tenant_id = f.tenant_id AND c.id = f.campaign_id
        WHERE f.tenant_id = %(tenant)s AND (c.state <> 'ended' OR c.ends_at > %(lately)s
                                            OR c.committed > 0 AND c.given_back IS NULL))
    GROUP BY creative_id
) n
WHERE c.tenant_id = %(tenant)s AND c.id = n.creative_id AND (c.views, c.clicks) <> (n.views, n.clicks)
"""


@transaction.atomic
def learn_clicks(*, at: datetime) -> ChanceModel | None:
    """Count the clicks of each creative and fit the chances anew; None while too little was viewed.

    They are fitted to all but the latest fifth of the views and judged on that, beside what is counted alone; the
    better of the two is kept.
    """
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"tenant": current_tenant_id(), "lately": at - A_DAY})
    # Who has just seen it may still click. The offers are read by the index of their times: there are many.
    recent = Offer.objects.filter(offered_at__gte=at - LEARNED_FROM, odd="")
    viewed = recent.filter(viewed_at__lte=at - AFTER_VIEW, viewed_at__lt=F("expires_at"))
    rows = list(viewed.order_by("-offered_at", "-pk").values_list("rate", "affinity", "clicked_at")[:MOST_VIEWS])[::-1]
    if len(rows) < LEAST_VIEWS:
        return None
    rate, taste = (np.array([row[column] for row in rows], np.float64) for column in (0, 1))
    clicked = np.array([row[2] is not None for row in rows], np.bool_)
    fit, judge = np.split(np.arange(len(rows)), [int(len(rows) * (1 - JUDGED_BY))])
    found = chances.fitted(rate[fit], taste[fit], clicked[fit])
    error, counted = (
        chances.calibration_error(of.of(rate[judge], taste[judge]), clicked[judge]) for of in (found, Chances())
    )
    surprise, plain = (chances.log_loss(of.of(rate[judge], taste[judge]), clicked[judge]) for of in (found, Chances()))
    kept = found if surprise <= plain else Chances()
    return ChanceModel.objects.create(
        offset=kept.offset,
        slope=kept.slope,
        taste=kept.taste,
        everyone=float(clicked.mean()) or EVERYONE,
        views=len(fit),
        judged_views=len(judge),
        error=error if kept is found else counted,
        counted_error=counted,
        fitted_at=at,
    )
