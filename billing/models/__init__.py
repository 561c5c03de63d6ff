"""What was paid: the ledger's rows, the sales, and what providers said."""

from billing.models.changes import StateChange
from billing.models.channels import Channel
from billing.models.charges import Charge
from billing.models.checkouts import ClosedCheckout
from billing.models.consultations import Consultation, ConsultationEntry, ConsultationOffer
from billing.models.coupons import Coupon, CouponHolder, CouponUse, Revocation
from billing.models.disputes import Dispute, DisputeAnswer, DisputeEvidence, DisputePart
from billing.models.earnings import Maturity
from billing.models.ebooks import EbookCopy, EbookFile
from billing.models.giving import Giving, VirtualGift
from billing.models.inbox import WebhookEvent
from billing.models.instalments import InstalmentOffer, InstalmentPart, InstalmentPlan
from billing.models.invoices import BillingProfile, Invoice, InvoiceRequest, InvoiceSeries, TaxRule
from billing.models.ledger import Account, ChainHead, Journal, Transfer
from billing.models.memberships import (
    GiftMembership,
    PaymentMethod,
    Period,
    Plan,
    Subscription,
    SubscriptionChange,
    Tier,
    TierItem,
)
from billing.models.offline import PaymentProof, ProofDecision
from billing.models.outside import OutsideIncome, OutsideStatement
from billing.models.payouts import Payout, PayoutAccount, PayoutBatch, PayoutChange, PayoutHold
from billing.models.price_experiments import PriceArm, PriceExperiment, PriceShown, TriedLine
from billing.models.prices import Price
from billing.models.products import Content, OfferChange, Product
from billing.models.providers import ProviderAccount, ProviderChange
from billing.models.rates import ExchangeRate
from billing.models.reconciliation import ReconciliationException, ReconciliationRun, ReportRow
from billing.models.remittances import Remittance
from billing.models.sales import LineShare, Order, OrderLine, Payment, Refund
from billing.models.settlements import Settlement, SettlementLine, SettlementPeriod
from billing.models.shares import Affiliate, AffiliateTerms, Collaboration, Referral
from billing.models.splits import Split, SplitOrder, SplitReceiver, SplitReturn
from billing.models.withholding import Payee, WithholdingRule

__all__ = [
    "Account",
    "Affiliate",
    "AffiliateTerms",
    "BillingProfile",
    "ChainHead",
    "Channel",
    "Charge",
    "ClosedCheckout",
    "Collaboration",
    "Consultation",
    "ConsultationEntry",
    "ConsultationOffer",
    "Content",
    "Coupon",
    "CouponHolder",
    "CouponUse",
    "Dispute",
    "DisputeAnswer",
    "DisputeEvidence",
    "DisputePart",
    "EbookCopy",
    "EbookFile",
    "ExchangeRate",
    "GiftMembership",
    "Giving",
    "InstalmentOffer",
    "InstalmentPart",
    "InstalmentPlan",
    "Invoice",
    "InvoiceRequest",
    "InvoiceSeries",
    "Journal",
    "LineShare",
    "Maturity",
    "OfferChange",
    "Order",
    "OrderLine",
    "OutsideIncome",
    "OutsideStatement",
    "Payee",
    "Payment",
    "PaymentMethod",
    "PaymentProof",
    "Payout",
    "PayoutAccount",
    "PayoutBatch",
    "PayoutChange",
    "PayoutHold",
    "Period",
    "Plan",
    "Price",
    "PriceArm",
    "PriceExperiment",
    "PriceShown",
    "Product",
    "ProofDecision",
    "ProviderAccount",
    "ProviderChange",
    "ReconciliationException",
    "ReconciliationRun",
    "Referral",
    "Refund",
    "Remittance",
    "ReportRow",
    "Revocation",
    "Settlement",
    "SettlementLine",
    "SettlementPeriod",
    "Split",
    "SplitOrder",
    "SplitReceiver",
    "SplitReturn",
    "StateChange",
    "Subscription",
    "SubscriptionChange",
    "TaxRule",
    "Tier",
    "TierItem",
    "Transfer",
    "TriedLine",
    "VirtualGift",
    "WebhookEvent",
    "WithholdingRule",
]
