from rest_framework.routers import SimpleRouter

from creators.api.views import CreatorViewSet, FollowViewSet

router = SimpleRouter(use_regex_path=False)
router.register("creators", CreatorViewSet, basename="creator")
router.register("follows", FollowViewSet, basename="follow")

urlpatterns = router.urls
