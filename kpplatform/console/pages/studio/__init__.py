"""The creator's studio: what became of their work, and what to do next. Its pages are told to the creator and staff."""

from django.utils.translation import gettext_lazy as _

from kpplatform.console.pages.shapes import Audience, Page
from kpplatform.console.pages.studio import advice, brand, income, overview, portrait, ranking, replies, videos

STUDIO: tuple[Page, ...] = (
    Page(
        "studio",
        _("How you are doing"),
        _("Five sides of your work, each against as many days before."),
        "monitor_heart",
        Audience.CREATOR,
        overview.shown,
    ),
    Page(
        "studio-videos",
        _("Videos and courses"),
        _("What became of each, and where its viewers leave."),
        "play_circle",
        Audience.CREATOR,
        videos.shown,
    ),
    Page(
        "studio-income",
        _("Income"),
        _("What you earn by which ways, where the money is, and what the last weeks ask for."),
        "payments",
        Audience.CREATOR,
        income.shown,
    ),
    Page(
        "studio-audience",
        _("Your audience"),
        _("Who watches and follows you: counts of many, never a single viewer."),
        "groups",
        Audience.CREATOR,
        portrait.shown,
    ),
    Page(
        "studio-comments",
        _("Comments"),
        _("Who waits for your answer."),
        "forum",
        Audience.CREATOR,
        replies.shown,
    ),
    Page(
        "studio-brand",
        _("Brand score"),
        _("How strong your brand is beside the others here, of which parts, and how it went."),
        "workspace_premium",
        Audience.CREATOR,
        brand.shown,
    ),
    Page(
        "studio-advice",
        _("Advice"),
        _("What to make next and how, each with the numbers that speak for it."),
        "lightbulb",
        Audience.CREATOR,
        advice.shown,
    ),
    Page(
        "studio-ranking",
        _("Ranking"),
        _("What moves your items in the feed, and how you stand beside the others."),
        "trending_up",
        Audience.CREATOR,
        ranking.shown,
    ),
)
