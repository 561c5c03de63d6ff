"""What holds for all ads of a tenant, and how that is said to everybody."""

from dataclasses import dataclass
from datetime import timedelta

from billing.ads.models.campaigns import MICROS
from billing.ads.queries.limits import must_be_rules
from billing.money import WHOLE_BPS
from kpplatform.tenancy.models import Tenant


@dataclass(frozen=True)
class AdRules:
    """A tenant changes them in its settings, each under its name with `ad_` before it, e.g. {"ad_every": 8}."""

    every: int = 6  # items between two ads of a session; 0: no ads
    floor: int = 500  # minor units for a thousand views, at least: 5.00 yuan
    least_taste: float = 0.1  # of the viewer for an ad's topic, from 0 to 1
    creators_bps: int = 5_500  # of what is earned with ads, to creators
    view_share: float = 0.5  # of the ad that has to be on the screen …
    view_ms: int = 1_000  # … for so long: a picture or a card
    video_view_ms: int = 2_000  # … a video
    click_ms: int = 300  # after its view, at the earliest
    clicks_an_hour: int = 20  # of one viewer; what is beyond is held
    qualified_ms: int = 5_000  # watched of an item, or all of it, that the view counts for its creator
    least_delivered: float = 0.98  # of a sponsorship's budget, else a make-good is proposed …
    make_good_bps: int = 1_000  # … of so much of what is missing, or more days
    hold_hours: int = 48  # after a day's end, until it is shared: what turns out to be no viewer is taken out before
    keep_days: int = 180  # that an offer is kept, once nothing needs it any more

    @property
    def reserve(self) -> int:
        """Return the least that a view brings, in micros."""
        return self.floor * MICROS // 1_000

    @property
    def hold(self) -> timedelta:
        return timedelta(hours=self.hold_hours)

    def told(self) -> dict[str, str]:
        """Return in words what is counted and paid, as it is done."""
        return {
            "viewable": f"{self.view_share:.0%} of the ad on the screen for {self.view_ms / 1000:g} s"
            f" ({self.video_view_ms / 1000:g} s of a video)",
            "qualified_view": f"an item watched for {self.qualified_ms / 1000:g} s or to its end, by a viewer who is"
            " neither its creator nor set aside by the cleaning rules; once for each viewer, item and day",
            "creators_share": f"{self.creators_bps / WHOLE_BPS:.0%} of a day's income from ads without tax, among the"
            " creators by their qualified views of that day",
            "frequency": f"{self.every} items at least between two ads",
        }


def ad_rules(tenant: Tenant) -> AdRules:
    """Return the tenant's rules: the usual ones, and what it has changed. Raises BadAdRules."""
    names = AdRules.__annotations__
    changed = {name: tenant.settings[f"ad_{name}"] for name in names if f"ad_{name}" in tenant.settings}
    must_be_rules(changed)
    return AdRules(**changed)
