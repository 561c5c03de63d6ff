"""What is sold, earned and shared, by the names that people know."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from billing.money import EXPONENTS
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Line, Look, Words
from kpplatform.metrics.queries import Figure

MOST_KINDS = 7  # that are drawn by themselves
OTHER = "other"
NAMES: Mapping[str, Words] = {
    "item": _("videos and courses"),
    "tip": _("tips"),
    "bundle": _("bundles"),
    "rental": _("rentals"),
    "ebook": _("e-books"),
    "consultation": _("consultations"),
    "membership": _("memberships"),
    "coins": _("coins"),
    "ad_balance": _("ad balances"),
    "instalment": _("instalments"),
    "gift": _("gifts"),
    "pool_share": _("share of the members' pool"),
    "ad_share": _("share of the ads"),
    "sale": _("several at once"),
    OTHER: _("other"),
}
# What takes back, or gives back again, what was earned with something else.
UNDONE = {"gift_back": "gift", "ad_credit": "ad_share", "refund": "sale", "refund_failed": "sale"}


def name_of(kind: str) -> Words:
    return NAMES.get(kind, NAMES[OTHER])


def kind_of(part: str) -> str:
    """Return what was sold, of a part (`sale:item:CNY`, `tip:CNY`): a refund of an item is less of items."""
    kind = part.rpartition(":")[0].rpartition(":")[2]
    kind = UNDONE.get(kind, kind)
    return kind if kind in NAMES else OTHER


def by_kind(figures: Iterable[Figure], currency: str) -> dict[str, int]:
    """Return the sums of one currency by kind, the largest first."""
    found: dict[str, int] = defaultdict(int)
    for figure in figures:
        if figure.currency == currency:
            found[kind_of(figure.part)] += figure.value
    return dict(sorted(found.items(), key=lambda told: (-told[1], told[0])))


def lines_by_kind(look: Look, figures: Sequence[Figure], currency: str) -> list[Line]:
    """Return the largest kinds day by day in the currency's units, and the others together."""
    kinds = list(by_kind(figures, currency))
    own = {kind: kind if place < MOST_KINDS else OTHER for place, kind in enumerate(kinds)}
    of = [figure for figure in figures if figure.currency == currency]
    return [
        Line(
            name_of(kind),
            words.by_day(look, [one for one in of if own[kind_of(one.part)] == kind], per=unit(currency)),
        )
        for kind in dict.fromkeys(own.values())
    ]


def shares(lines: Sequence[Line]) -> list[Line]:
    """Return the lines in per cent of each day's sum; a day without any is left open."""
    days = [sum(value or 0 for value in day) for day in zip(*(line.values for line in lines), strict=True)]
    return [
        Line(
            line.name,
            [round(100 * (value or 0) / day, 1) if day else None for value, day in zip(line.values, days, strict=True)],
        )
        for line in lines
    ]


def unit(currency: str) -> int:
    """Return how many minor units the currency's unit has."""
    return int(10 ** EXPONENTS[currency])
