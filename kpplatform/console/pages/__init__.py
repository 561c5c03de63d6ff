"""The pages of figures, in the order in which the sidebar shows them."""

from django.utils.translation import gettext_lazy as _

from kpplatform.console.pages import (
    ads,
    audience,
    campaigns,
    feed,
    funnel,
    money,
    quality,
    tenants,
    trials,
    work,
)
from kpplatform.console.pages.shapes import Audience, Page
from kpplatform.console.pages.studio import STUDIO

PAGES: tuple[Page, ...] = (
    Page(
        "audience",
        _("Audience"),
        _("Who watches, how long, and who comes back."),
        "groups",
        Audience.STAFF,
        audience.shown,
    ),
    Page(
        "campaigns",
        _("Segments and campaigns"),
        _("Who was told what, and what that brought beside those who were left in peace."),
        "campaign",
        Audience.STAFF,
        campaigns.shown,
    ),
    Page(
        "money",
        _("Money"),
        _("What is sold, what of it is whose, and what waits."),
        "payments",
        Audience.STAFF,
        money.shown,
    ),
    Page(
        "funnel",
        _("From view to sale"),
        _("How many go on at each step from the feed to the money."),
        "filter_alt",
        Audience.STAFF,
        funnel.shown,
    ),
    Page(
        "feed",
        _("The feed"),
        _("What is shown, how evenly, and what is new in it."),
        "dynamic_feed",
        Audience.STAFF,
        feed.shown,
    ),
    Page(
        "trials",
        _("Models and experiments"),
        _("Which models serve, how good they are, and what is tried on viewers."),
        "science",
        Audience.STAFF,
        trials.shown,
    ),
    Page(
        "ads",
        _("Ads"),
        _("What ads earn, who sees and clicks them, and whether they keep to their plan."),
        "ads_click",
        Audience.STAFF,
        ads.shown,
    ),
    Page(
        "quality",
        _("Data quality"),
        _("What was kept out, what came late, what is unknown, and what has shifted."),
        "fact_check",
        Audience.STAFF,
        quality.shown,
    ),
    Page(
        "work",
        _("Work done"),
        _("Jobs that wait or are dead, and what is done again and again."),
        "work_history",
        Audience.STAFF,
        work.shown,
    ),
    Page(
        "tenants",
        _("Tenants compared"),
        _("What is watched, sold and earned at each tenant."),
        "domain",
        Audience.OPERATOR,
        tenants.shown,
    ),
    *STUDIO,
)
BY_SLUG = {page.slug: page for page in PAGES}
