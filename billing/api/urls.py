from django.urls import path
from rest_framework.routers import SimpleRouter

from billing.api.products import ProductViewSet
from billing.api.views import BalanceViewSet, JournalViewSet, OrderViewSet, PriceViewSet
from billing.api.webhooks import SandboxWebhook

router = SimpleRouter(use_regex_path=False)
router.register("prices", PriceViewSet, basename="price")
router.register("orders", OrderViewSet, basename="order")
router.register("products", ProductViewSet, basename="product")
router.register("balances", BalanceViewSet, basename="balance")
router.register("journals", JournalViewSet, basename="journal")

urlpatterns = [*router.urls, path("webhooks/sandbox/", SandboxWebhook.as_view(), name="sandbox-webhook")]
