"""Numbers made of two others."""

from django.utils.translation import gettext_lazy as _

from billing.ads.models import PlaceCount
from billing.ads.models.places import PLACEMENTS
from kpplatform.metrics.dictionary import Ratio

FEED = ("feed",)
# Who is a member without ads is asked for none.
FILLED = tuple(f"{place}:{PlaceCount.Outcome.FILLED}" for place in PLACEMENTS)
ASKED = tuple(f"{place}:{why}" for place in PLACEMENTS for why in PlaceCount.Outcome if why != PlaceCount.Outcome.TIER)
RATIOS = (
    Ratio(
        "click_rate",
        _("Plays from the feed by places of the feed, of members who consent to be remembered."),
        ("plays",),
        ("impressions_known",),
        over_parts=FEED,
    ),
    Ratio("completion", _("Finished plays by all plays."), ("finished",), ("plays",)),
    Ratio("watch_ms_a_play", _("Mean length of a play."), ("watch_ms",), ("plays",)),
    Ratio(
        "interaction_rate",
        _("Likes, saves, shares and comments by plays."),
        ("likes", "saves", "shares", "comments"),
        ("plays",),
    ),
    Ratio("share_rate", _("Shares by plays."), ("shares",), ("plays",)),
    Ratio("reply_rate", _("The creator's replies by comments of others."), ("replies",), ("comments",)),
    Ratio("dwell_ms", _("Mean time watched by a viewer of the day."), ("viewers_ms",), ("viewers",)),
    Ratio("coverage", _("Items shown on a day by items on show."), ("items_shown",), ("items_on_show",)),
    Ratio("cold_start_share", _("Places of new creators by all places."), ("new_creators",), ("impressions",)),
    Ratio("explored_share", _("Places of exploration and trials by all places."), ("explored",), ("impressions",)),
    Ratio("small_creator_share", _("Places of small creators by all places."), ("small_creators",), ("impressions",)),
    Ratio("product_rate", _("Looks at what something costs by plays."), ("product_visits",), ("plays",)),
    Ratio("checkout_rate", _("Things ordered by looks at what they cost."), ("checkouts",), ("product_visits",)),
    Ratio("paid_rate", _("Things paid by things ordered."), ("purchases",), ("checkouts",)),
    Ratio("ad_load", _("Ads by places of the feed."), ("ads_offered",), ("impressions",)),
    Ratio(
        "ad_fill",
        _("Places that found an ad by places that were asked for."),
        ("ad_places",),
        ("ad_places",),
        over_parts=FILLED,
        under_parts=ASKED,
    ),
    Ratio("ad_view_rate", _("Ads seen by ads offered."), ("ads_seen",), ("ads_offered",)),
    Ratio("ad_click_rate", _("Clicks by ads seen."), ("ads_clicked",), ("ads_seen",)),
    Ratio("quarantine_rate", _("Watches kept out by clean ones."), ("kept_out",), ("plays",)),
)
