"""What can be told of the load of ads: what holds, what is tried, and what became of it."""

from dataclasses import replace
from datetime import datetime

from django.db.models import QuerySet

from billing.ads.models import LoadChange, LoadTrial
from billing.ads.queries.rules import AdRules, ad_rules
from billing.ads.serving.loads import trial_of_loads
from kpplatform.tenancy.scope import current_tenant


def load_trials() -> QuerySet[LoadTrial]:
    """Return the tenant's trials of loads, the newest first."""
    return LoadTrial.objects.select_related("made_by", "ended_by").order_by("-pk")


def load_changes() -> QuerySet[LoadChange]:
    """Return since when which load held for everybody, the newest first."""
    return LoadChange.objects.select_related("trial", "by").order_by("-pk")


def rules_for_all(*, at: datetime) -> AdRules:
    """Return the tenant's rules with the fewest items that stand between two ads for anybody: what may be published."""
    rules, trial = ad_rules(current_tenant()), trial_of_loads()
    tried = trial.loads if trial and trial.is_on(at) else []
    return replace(rules, every=min((every for every in (rules.every, *tried) if every), default=0))
