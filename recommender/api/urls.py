from django.urls import include, path
from rest_framework.routers import SimpleRouter

from recommender.api import (
    audience,
    campaigns,
    choices,
    duplicates,
    experiments,
    exposure,
    feed,
    feed_settings,
    groups,
    notices,
    portraits,
    ratings,
    runs,
    serving,
    texts,
    versions,
    why,
)

router = SimpleRouter(use_regex_path=False)
router.register("models", versions.ModelVersionViewSet, basename="model")
router.register("campaigns", campaigns.CampaignViewSet, basename="campaign")
router.register("viewer-groups", groups.ViewerGroupViewSet, basename="viewer-group")
router.register("notices", notices.NoticeViewSet, basename="notice")
router.register("experiments", experiments.ExperimentViewSet, basename="experiment")
router.register("training-runs", runs.TrainingRunViewSet, basename="training-run")
router.register("portraits", portraits.PortraitViewSet, basename="portrait")
router.register("segments", portraits.SegmentViewSet, basename="segment")
router.register("alike-items", duplicates.AlikePairViewSet, basename="alike-item")
router.register("rules", audience.RuleViewSet, basename="rule")
router.register("topic-suggestions", texts.TopicSuggestionViewSet, basename="topic-suggestion")
router.register("text-runs", texts.TextRunViewSet, basename="text-run")
router.register("span-labels", texts.SpanLabelViewSet, basename="span-label")
router.register("ratings/changes", ratings.RatingMappingViewSet, basename="rating-mapping")
router.register("feed-settings/changes", feed_settings.FeedSettingsChangeViewSet, basename="feed-settings-change")

urlpatterns = [
    path("feed/", feed.FeedView.as_view(), name="feed"),
    path("exposure/", exposure.ExposureView.as_view(), name="exposure"),
    path("feed-settings/", feed_settings.FeedSettingsView.as_view(), name="feed-settings"),
    path("ratings/", ratings.RatingsView.as_view(), name="ratings"),
    path("interests/", choices.InterestsView.as_view(), name="interests"),
    path("interests/<path:name>/", choices.InterestView.as_view(), name="interest"),
    path("personalisation/", choices.PersonalisationView.as_view(), name="personalisation"),
    path("campaign-notices/", notices.NoticesWantedView.as_view(), name="notices-wanted"),
    path("taste/", choices.TasteView.as_view(), name="taste"),
    path("portrait/", portraits.OwnPortraitView.as_view(), name="own-portrait"),
    path("items/<int:id>/fit/", portraits.FitView.as_view(), name="fit"),
    path("items/<int:id>/highlights/", texts.HighlightsView.as_view(), name="highlights"),
    path("items/<int:id>/why/", why.WhyView.as_view(), name="why"),
    path("creators/<slug:handle>/audience/", audience.AudienceView.as_view(), name="audience"),
    path("creators/<slug:handle>/advice/", audience.AdviceView.as_view(), name="advice"),
    path("models/serving/", serving.ServingView.as_view(), name="serving"),
    path("", include(router.urls)),
]
