"""What can be told of ads."""

from billing.ads.queries.campaigns import (
    advertisers_seen_by,
    billed_offers,
    campaigns_of,
    changes_of_campaign,
    creatives_seen_by,
    flights_of,
    held_offers,
)
from billing.ads.queries.days import anomalies_seen_by, days_seen_by, make_goods_seen_by
from billing.ads.queries.load_results import LoadResults, load_results
from billing.ads.queries.loads import load_changes, load_trials, rules_for_all
from billing.ads.queries.rules import AdRules, ad_rules
from billing.ads.queries.shares import qualified_views, shares_of
from billing.ads.queries.statements import AdStatement, ad_statement
from billing.ads.queries.use import use_entries, use_statements_seen_by

__all__ = [
    "AdRules",
    "AdStatement",
    "LoadResults",
    "ad_rules",
    "ad_statement",
    "advertisers_seen_by",
    "anomalies_seen_by",
    "billed_offers",
    "campaigns_of",
    "changes_of_campaign",
    "creatives_seen_by",
    "days_seen_by",
    "flights_of",
    "held_offers",
    "load_changes",
    "load_results",
    "load_trials",
    "make_goods_seen_by",
    "qualified_views",
    "rules_for_all",
    "shares_of",
    "use_entries",
    "use_statements_seen_by",
]
