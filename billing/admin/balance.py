"""The trial balance, as the console shows it."""

from collections import Counter
from typing import Any

from django.utils.translation import gettext as _

from billing import queries
from billing.models import Account
from billing.models.ledger import OUTSIDE
from billing.money import Money


def trial_balance() -> dict[str, Any]:
    """Return the accounts of the scope's tenant by kind, with their sums, and the sums of each currency.

    What is earned elsewhere is none of the tenant's money: it is summed up apart.
    """
    kinds, totals, rows = dict(Account.Kind.choices), Counter[tuple[bool, str, str]](), []
    for row in queries.trial_balance():
        rows.append([_(str(kinds[row.kind])), row.accounts, *_shown(row.currency, row.debits, row.credits)])
        totals[row.kind in OUTSIDE, row.currency, "debits"] += row.debits
        totals[row.kind in OUTSIDE, row.currency, "credits"] += row.credits
    for is_outside, currency in sorted({place[:2] for place in totals}):
        sums = (totals[is_outside, currency, "debits"], totals[is_outside, currency, "credits"])
        words = _("all of %(currency)s, earned elsewhere") if is_outside else _("all of %(currency)s")
        rows.append([words % {"currency": currency}, "", *_shown(currency, *sums)])
    headers = [_("kind"), _("accounts"), _("debits"), _("credits"), _("balance")]
    return {"title": _("Trial balance"), "table": {"headers": headers, "rows": rows}}


def _shown(currency: str, debits: int, credits_: int) -> list[str]:
    return [str(Money(minor, currency)) for minor in (debits, credits_, credits_ - debits)]
