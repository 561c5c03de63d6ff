"""What creators earn with, in words."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from kpplatform.metrics.queries import Figure

WAYS = {
    "item": gettext_noop("videos and courses"),
    "bundle": gettext_noop("bundles"),
    "rental": gettext_noop("rentals"),
    "ebook": gettext_noop("e-books"),
    "consultation": gettext_noop("consultations"),
    "membership": gettext_noop("memberships"),
    "instalment": gettext_noop("instalments"),
    "tip": gettext_noop("tips"),
    "gift": gettext_noop("gifts"),
    "pool_share": gettext_noop("share of the members' pool"),
    "ad_share": gettext_noop("share of the ads"),
}
OTHER = gettext_noop("other")
MOVES = {
    "sale": gettext_noop("sold"),
    "refund": gettext_noop("given back"),
    "refund_failed": gettext_noop("could not be given back"),
    "gift_back": gettext_noop("given back"),
    "dispute_held": gettext_noop("held for a dispute"),
    "dispute_released": gettext_noop("released after a dispute"),
    "dispute_withdrawn": gettext_noop("lost in a dispute"),
    "dispute_reinstated": gettext_noop("won in a dispute"),
    "payout": gettext_noop("set aside to be paid out"),
    "payout_paid": gettext_noop("paid out"),
    "payout_failed": gettext_noop("could not be paid out"),
    "payout_reversed": gettext_noop("paid out and came back"),
    "payout_fee": gettext_noop("fee of a payout"),
    "withholding": gettext_noop("tax withheld"),
    "withholding_back": gettext_noop("tax given back"),
}


def way_of(kind: str) -> str:
    """Return with what it was earned: a refund of a course counts with courses, a gift that was returned with gifts."""
    what, _colon, sold = kind.partition(":")
    if sold in WAYS:
        return sold
    return "gift" if what == "gift_back" else what if what in WAYS else "other"


def named(way: str) -> str:
    return _(WAYS.get(way, OTHER))


def told(kind: str) -> str:
    """Return a kind of movement of a statement in words: sold: courses."""
    what, _colon, sold = kind.partition(":")
    if what in MOVES:
        return f"{_(MOVES[what])}: {named(sold)}" if sold else _(MOVES[what])
    return named(way_of(kind)) if what in WAYS else kind.replace("_", " ")


def by_way(parts: Mapping[str, int], currency: str) -> dict[str, int]:
    """Return the sum of what is of this currency, of each way of earning, the largest first."""
    sums: dict[str, int] = defaultdict(int)
    for part, value in parts.items():
        kind, _colon, of = part.rpartition(":")
        if of == currency:
            sums[way_of(kind)] += value
    return dict(sorted(sums.items(), key=lambda way: (-way[1], way[0])))


def figures_by_way(figures: Iterable[Figure], currency: str) -> dict[str, list[Figure]]:
    """Return figures by their way of earning, those of other currencies left out."""
    found: dict[str, list[Figure]] = defaultdict(list)
    for figure in figures:
        kind, _colon, of = figure.part.rpartition(":")
        if of == currency:
            found[way_of(kind)].append(figure)
    return found
