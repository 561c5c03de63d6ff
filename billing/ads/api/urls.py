from django.urls import path
from rest_framework.routers import SimpleRouter

from billing.ads.api.invalid import BilledAdViewSet
from billing.ads.api.loads import LoadChangeViewSet, LoadTrialViewSet
from billing.ads.api.settings import AdSettingsView
from billing.ads.api.use import UseStatementViewSet
from billing.ads.api.views import (
    AdEventView,
    AdRulesView,
    AdShareViewSet,
    AdvertiserViewSet,
    CampaignViewSet,
    CreativeViewSet,
    HeldAdViewSet,
)
from billing.ads.api.watching import AnomalyViewSet, FlightDayViewSet, MakeGoodViewSet

router = SimpleRouter(use_regex_path=False)
router.register("advertisers", AdvertiserViewSet, basename="advertiser")
router.register("ad-campaigns", CampaignViewSet, basename="ad-campaign")
router.register("ad-creatives", CreativeViewSet, basename="ad-creative")
router.register("ad-holds", HeldAdViewSet, basename="ad-hold")
router.register("ad-billed", BilledAdViewSet, basename="ad-billed")
router.register("ad-statements", UseStatementViewSet, basename="ad-statement")
router.register("ad-days", FlightDayViewSet, basename="ad-day")
router.register("ad-anomalies", AnomalyViewSet, basename="ad-anomaly")
router.register("ad-make-goods", MakeGoodViewSet, basename="ad-make-good")
router.register("ad-load-trials", LoadTrialViewSet, basename="ad-load-trial")
router.register("ad-loads", LoadChangeViewSet, basename="ad-load")
router.register("ad-shares", AdShareViewSet, basename="ad-share")

urlpatterns = [
    *router.urls,
    path("ad-events/", AdEventView.as_view(), name="ad-events"),
    path("ad-settings/", AdSettingsView.as_view(), name="ad-settings"),
    path("ad-rules/", AdRulesView.as_view(), name="ad-rules"),
]
