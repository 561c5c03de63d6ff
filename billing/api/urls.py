from django.urls import path
from rest_framework.routers import SimpleRouter

from billing.api.accounts import ProviderAccountViewSet
from billing.api.books import BalanceViewSet, JournalViewSet, TrialBalanceView
from billing.api.consultations import ConsultationOfferViewSet, ConsultationViewSet
from billing.api.coupons import CouponViewSet
from billing.api.disputes import DisputeFileViewSet, DisputeViewSet
from billing.api.ebooks import DownloadView, EbookFileViewSet, EbookViewSet
from billing.api.giving import CoinPackViewSet, CoinView, GivingViewSet, VirtualGiftViewSet
from billing.api.income import ExchangeRateViewSet, IncomeView
from billing.api.instalments import InstalmentOfferViewSet, InstalmentPlanViewSet
from billing.api.invoices import BillingView, InvoiceRequestViewSet, InvoiceViewSet, TaxRuleViewSet
from billing.api.memberships import PaymentMethodViewSet, SubscriptionViewSet
from billing.api.offline import BankAccountView, OfflineRefundViewSet, PaymentProofViewSet
from billing.api.outside import ChannelViewSet, OutsideFileViewSet, OutsideStatementViewSet
from billing.api.payouts import HoldViewSet, PayoutAccountViewSet, PayoutBatchViewSet, PayoutViewSet
from billing.api.price_experiments import PriceExperimentViewSet
from billing.api.products import ProductViewSet
from billing.api.reconciliation import ReconciliationExceptionViewSet, ReconciliationViewSet, ReportFileViewSet
from billing.api.remittances import RemittanceViewSet
from billing.api.settlements import SettlementViewSet
from billing.api.shares import (
    AffiliateTermsViewSet,
    AffiliateViewSet,
    CollaborationViewSet,
    ReferralViewSet,
    ShareViewSet,
)
from billing.api.splits import SplitReceiverViewSet, SplitViewSet
from billing.api.tiers import TierViewSet
from billing.api.views import OrderViewSet, PriceViewSet
from billing.api.webhooks import AlipayWebhook, SandboxWebhook, StripeWebhook, WechatWebhook
from billing.api.withholding import PayeeViewSet, WithheldView, WithholdingRuleViewSet

router = SimpleRouter(use_regex_path=False)
router.register("prices", PriceViewSet, basename="price")
router.register("orders", OrderViewSet, basename="order")
router.register("price-experiments", PriceExperimentViewSet, basename="price-experiment")
router.register("products", ProductViewSet, basename="product")
router.register("coupons", CouponViewSet, basename="coupon")
router.register("tiers", TierViewSet, basename="tier")
router.register("subscriptions", SubscriptionViewSet, basename="subscription")
router.register("instalment-offers", InstalmentOfferViewSet, basename="instalment-offer")
router.register("instalment-plans", InstalmentPlanViewSet, basename="instalment-plan")
router.register("payment-methods", PaymentMethodViewSet, basename="payment-method")
router.register("collaborations", CollaborationViewSet, basename="collaboration")
router.register("affiliates", AffiliateViewSet, basename="affiliate")
router.register("affiliate-terms", AffiliateTermsViewSet, basename="affiliate-terms")
router.register("referrals", ReferralViewSet, basename="referral")
router.register("shares", ShareViewSet, basename="share")
router.register("ebook-files", EbookFileViewSet, basename="ebook-file")
router.register("ebooks", EbookViewSet, basename="ebook")
router.register("balances", BalanceViewSet, basename="balance")
router.register("journals", JournalViewSet, basename="journal")
router.register("coin-packs", CoinPackViewSet, basename="coin-pack")
router.register("gifts", VirtualGiftViewSet, basename="gift")
router.register("givings", GivingViewSet, basename="giving")
router.register("remittances", RemittanceViewSet, basename="remittance")
router.register("channels", ChannelViewSet, basename="channel")
router.register("outside-statements", OutsideStatementViewSet, basename="outside-statement")
router.register("outside-files", OutsideFileViewSet, basename="outside-file")
router.register("exchange-rates", ExchangeRateViewSet, basename="exchange-rate")
router.register("provider-accounts", ProviderAccountViewSet, basename="provider-account")
router.register("consultation-offers", ConsultationOfferViewSet, basename="consultation-offer")
router.register("consultations", ConsultationViewSet, basename="consultation")
router.register("payment-proofs", PaymentProofViewSet, basename="payment-proof")
router.register("offline-refunds", OfflineRefundViewSet, basename="offline-refund")
router.register("reconciliations", ReconciliationViewSet, basename="reconciliation")
router.register("report-files", ReportFileViewSet, basename="report-file")
router.register("reconciliation-exceptions", ReconciliationExceptionViewSet, basename="reconciliation-exception")
router.register("payouts", PayoutViewSet, basename="payout")
router.register("payout-accounts", PayoutAccountViewSet, basename="payout-account")
router.register("payout-batches", PayoutBatchViewSet, basename="payout-batch")
router.register("splits", SplitViewSet, basename="split")
router.register("split-receivers", SplitReceiverViewSet, basename="split-receiver")
router.register("disputes", DisputeViewSet, basename="dispute")
router.register("dispute-files", DisputeFileViewSet, basename="dispute-file")
router.register("settlements", SettlementViewSet, basename="settlement")
router.register("holds", HoldViewSet, basename="hold")
router.register("tax-rules", TaxRuleViewSet, basename="tax-rule")
router.register("withholding-rules", WithholdingRuleViewSet, basename="withholding-rule")
router.register("payees", PayeeViewSet, basename="payee")
router.register("invoices", InvoiceViewSet, basename="invoice")
router.register("invoice-requests", InvoiceRequestViewSet, basename="invoice-request")

WEBHOOKS = (SandboxWebhook, StripeWebhook, WechatWebhook, AlipayWebhook)
urlpatterns = [
    *router.urls,
    path("bank-account/", BankAccountView.as_view(), name="bank-account"),
    path("downloads/<str:token>/", DownloadView.as_view(), name="download"),
    path("billing/", BillingView.as_view(), name="billing"),
    path("trial-balance/", TrialBalanceView.as_view(), name="trial-balance"),
    path("income/", IncomeView.as_view(), name="income"),
    path("withheld/", WithheldView.as_view(), name="withheld"),
    path("coins/", CoinView.as_view(), name="coins"),
    *(path(f"webhooks/{view.provider}/", view.as_view(), name=f"{view.provider}-webhook") for view in WEBHOOKS),
]
