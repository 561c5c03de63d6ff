from rest_framework.routers import SimpleRouter

from creators.api.views import CreatorViewSet, FollowViewSet, HiddenCreatorViewSet

router = SimpleRouter(use_regex_path=False)
router.register("creators", CreatorViewSet, basename="creator")
router.register("follows", FollowViewSet, basename="follow")
router.register("hidden-creators", HiddenCreatorViewSet, basename="hidden-creator")

urlpatterns = router.urls
