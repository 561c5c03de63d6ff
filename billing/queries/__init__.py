"""What can be told of money: prices, orders, balances, journals, and whether the books are in order."""

from billing.queries.accounts import provider_accounts
from billing.queries.balances import balances_of_creator, next_maturity
from billing.queries.books import BalanceOfKind, balances_of, journals, trial_balance
from billing.queries.clock import latest_day, tenants_time, tenants_zone
from billing.queries.consultations import consultation_offers, consultations_seen_by
from billing.queries.coupons import coupons_of
from billing.queries.disputes import (
    changes_of_dispute,
    disputes_seen_by,
    evidence_files,
    is_all_sold_by,
    is_answered,
    reminder_of,
    whole_disputes,
)
from billing.queries.ebooks import copies_of
from billing.queries.evidence import LONGEST as LONGEST_EVIDENCE
from billing.queries.evidence import access_log_of, receipt_of
from billing.queries.giving import (
    coin_packs,
    coin_value,
    coins_of,
    given_on_day,
    givings_of,
    givings_to,
    leaders,
    virtual_gifts,
)
from billing.queries.income import HERE, Income, Used, income_of
from billing.queries.instalments import changes_of_plan, instalment_offers, plans_of, plans_seen_by
from billing.queries.invoices import (
    billed_to,
    invoice_requests_seen_by,
    invoices_seen_by,
    place_of,
    places_of,
    rule_for,
    seller,
    tax_rules,
    tax_rules_on,
    tenants_place,
)
from billing.queries.memberships import (
    changes_of_subscription,
    methods_of,
    plans_offered,
    subscriptions_of,
    subscriptions_seen_by,
    tiers_seen_by,
)
from billing.queries.offline import bank_instructions, proofs_seen_by
from billing.queries.outside import channels_seen_by, outside_statements_seen_by, rows_of_statement
from billing.queries.payouts import holds_seen_by, payout_accounts_seen_by, payout_batches, payouts_seen_by
from billing.queries.price_experiments import (
    changes_of_price_experiment,
    is_tried,
    may_try_prices,
    price_experiments_seen_by,
    prices_tried,
    promised_of,
    running_of,
)
from billing.queries.price_results import price_results
from billing.queries.products import changes_of, products_seen_by
from billing.queries.rates import exchange_rates
from billing.queries.reconciliation import (
    booked_and_never_reported,
    fee_of,
    is_to_be_reconciled,
    providers_used,
    reconciliation_exceptions,
    reconciliation_runs,
    reported_before,
    reported_on,
)
from billing.queries.remittances import account_of_tax, handed_over, owed_until, taxes_owed
from billing.queries.sales import current_prices, orders_of, orders_seen_by, price_of
from billing.queries.settlements import entries_of, settlements_seen_by
from billing.queries.shares import affiliate_offers, affiliates_seen_by, collaborations_of, shares_of
from billing.queries.splits import changes_of_split, split_receivers_seen_by, splits_seen_by
from billing.queries.verification import Fault, Report, ledger_report
from billing.queries.withholding import (
    paid_under,
    payees_seen_by,
    taxed_as,
    withheld_of,
    withholding_rule,
    withholding_rules,
)

__all__ = [
    "HERE",
    "LONGEST_EVIDENCE",
    "BalanceOfKind",
    "Fault",
    "Income",
    "Report",
    "Used",
    "access_log_of",
    "account_of_tax",
    "affiliate_offers",
    "affiliates_seen_by",
    "balances_of",
    "balances_of_creator",
    "bank_instructions",
    "billed_to",
    "booked_and_never_reported",
    "changes_of",
    "changes_of_dispute",
    "changes_of_plan",
    "changes_of_price_experiment",
    "changes_of_split",
    "changes_of_subscription",
    "channels_seen_by",
    "coin_packs",
    "coin_value",
    "coins_of",
    "collaborations_of",
    "consultation_offers",
    "consultations_seen_by",
    "copies_of",
    "coupons_of",
    "current_prices",
    "disputes_seen_by",
    "entries_of",
    "evidence_files",
    "exchange_rates",
    "fee_of",
    "given_on_day",
    "givings_of",
    "givings_to",
    "handed_over",
    "holds_seen_by",
    "income_of",
    "instalment_offers",
    "invoice_requests_seen_by",
    "invoices_seen_by",
    "is_all_sold_by",
    "is_answered",
    "is_to_be_reconciled",
    "is_tried",
    "journals",
    "latest_day",
    "leaders",
    "ledger_report",
    "may_try_prices",
    "methods_of",
    "next_maturity",
    "orders_of",
    "orders_seen_by",
    "outside_statements_seen_by",
    "owed_until",
    "paid_under",
    "payees_seen_by",
    "payout_accounts_seen_by",
    "payout_batches",
    "payouts_seen_by",
    "place_of",
    "places_of",
    "plans_of",
    "plans_offered",
    "plans_seen_by",
    "price_experiments_seen_by",
    "price_of",
    "price_results",
    "prices_tried",
    "products_seen_by",
    "promised_of",
    "proofs_seen_by",
    "provider_accounts",
    "providers_used",
    "receipt_of",
    "reconciliation_exceptions",
    "reconciliation_runs",
    "reminder_of",
    "reported_before",
    "reported_on",
    "rows_of_statement",
    "rule_for",
    "running_of",
    "seller",
    "settlements_seen_by",
    "shares_of",
    "split_receivers_seen_by",
    "splits_seen_by",
    "subscriptions_of",
    "subscriptions_seen_by",
    "tax_rules",
    "tax_rules_on",
    "taxed_as",
    "taxes_owed",
    "tenants_place",
    "tenants_time",
    "tenants_zone",
    "tiers_seen_by",
    "trial_balance",
    "virtual_gifts",
    "whole_disputes",
    "withheld_of",
    "withholding_rule",
    "withholding_rules",
]
