"""The trial balance, as the console shows it."""

from collections import Counter
from typing import Any

from django.utils.translation import gettext as _

from billing import queries
from billing.models import Account
from billing.money import Money


def trial_balance() -> dict[str, Any]:
    """Return the accounts of the scope's tenant by kind, with their sums, and the sums of each currency."""
    kinds, totals, rows = dict(Account.Kind.choices), Counter[tuple[str, str]](), []
    for row in queries.trial_balance():
        rows.append([_(str(kinds[row.kind])), row.accounts, *_shown(row.currency, row.debits, row.credits)])
        totals[row.currency, "debits"] += row.debits
        totals[row.currency, "credits"] += row.credits
    for currency in sorted({currency for currency, _side in totals}):
        sums = (totals[currency, "debits"], totals[currency, "credits"])
        rows.append([_("all of %(currency)s") % {"currency": currency}, "", *_shown(currency, *sums)])
    headers = [_("kind"), _("accounts"), _("debits"), _("credits"), _("balance")]
    return {"title": _("Trial balance"), "table": {"headers": headers, "rows": rows}}


def _shown(currency: str, debits: int, credits_: int) -> list[str]:
    return [str(Money(minor, currency)) for minor in (debits, credits_, credits_ - debits)]
