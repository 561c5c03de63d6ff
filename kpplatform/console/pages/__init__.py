"""The pages of figures, in the order in which the sidebar shows them."""

from django.utils.translation import gettext_lazy as _

from kpplatform.console.pages import audience, campaigns
from kpplatform.console.pages.shapes import Audience, Page

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
)
BY_SLUG = {page.slug: page for page in PAGES}
