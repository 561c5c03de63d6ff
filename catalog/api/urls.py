from rest_framework.routers import SimpleRouter

from catalog.api.consents import ConsentTermsViewSet, ConsentViewSet
from catalog.api.items import CommentViewSet, ItemViewSet, ReportViewSet, TopicViewSet
from catalog.api.making import CourseViewSet, LessonViewSet, SectionViewSet, VideoViewSet
from catalog.api.muting import MutedWordViewSet
from catalog.api.rulings import RulingViewSet
from catalog.api.watches import WatchViewSet

router = SimpleRouter(use_regex_path=False)
router.register("topics", TopicViewSet, basename="topic")
router.register("items", ItemViewSet, basename="item")
router.register("comments", CommentViewSet, basename="comment")
router.register("consents", ConsentViewSet, basename="consent")
router.register("consent-terms", ConsentTermsViewSet, basename="consent-terms")
router.register("muted-words", MutedWordViewSet, basename="muted-word")
router.register("reports", ReportViewSet, basename="report")
router.register("rulings", RulingViewSet, basename="ruling")
router.register("videos", VideoViewSet, basename="video")
router.register("courses", CourseViewSet, basename="course")
router.register("sections", SectionViewSet, basename="section")
router.register("lessons", LessonViewSet, basename="lesson")
router.register("watches", WatchViewSet, basename="watch")

urlpatterns = router.urls
