"""Numbers as people read them."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.money import Money
from catalog.models import Source
from kpplatform.console.pages.shapes import Card, Line, Look, Words
from kpplatform.metrics.dictionary import MILLION, Ratio
from kpplatform.metrics.queries import METRICS, Figure, in_currency, overall, parts_of, ratio, series

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
SOURCES: Mapping[str, Words] = {
    Source.UNTOLD: gettext_lazy("not told"),
    Source.FEED: gettext_lazy("the feed"),
    Source.FOLLOWING: gettext_lazy("followed creators"),
    Source.RELATED: gettext_lazy("beside another video"),
    Source.SEARCH: gettext_lazy("search"),
    Source.PROFILE: gettext_lazy("a profile"),
    Source.COURSE: gettext_lazy("a course"),
    Source.SHARE: gettext_lazy("shared by others"),
    Source.NOTIFICATION: gettext_lazy("a message"),
    Source.AD: gettext_lazy("an ad"),
    Source.EXTERNAL: gettext_lazy("a page elsewhere"),
    Source.DIRECT: gettext_lazy("its own address"),
    Source.OTHER: gettext_lazy("something else"),
}


def count(number: float) -> str:
    return f"{number:,.0f}"


def share(millionths: int | None, *, digits: int = 1) -> str:
    """Return a ratio of the dictionary in per cent; a dash where there is none."""
    return "–" if millionths is None else f"{millionths / MILLION:.{digits}%}"


def time(ms: float) -> str:
    """Return a length of time by its largest unit."""
    if ms >= HOUR_MS:
        return _("%(many)s h") % {"many": f"{ms / HOUR_MS:,.1f}"}
    if ms >= MINUTE_MS:
        return _("%(many)s min") % {"many": f"{ms / MINUTE_MS:.1f}"}
    return _("%(many)s s") % {"many": f"{ms / 1000:.1f}"}


def money(minor: int, currency: str) -> str:
    return str(Money(minor, currency))


def link(href: str, said: Words) -> SafeString:
    """Return words that lead to a page."""
    return format_html('<a class="text-primary-600 underline dark:text-primary-500" href="{}">{}</a>', href, said)


def change(now: float, before: float) -> float | None:
    """Return by which share it is more than before; None: there was nothing before, or less than nothing."""
    return now / before - 1 if before > 0 else None


def by_day(look: Look, figures: Sequence[Figure], *, per: float = 1) -> list[float | None]:
    """Return a value for each day of the page; days without any are 0."""
    found: dict[date, int] = {}
    for figure in figures:
        found[figure.day] = found.get(figure.day, 0) + figure.value
    return [round(found.get(day, 0) / per, 2) for day in look.days]


def lines(look: Look, names: Mapping[str, Words], *, per: float = 1) -> list[Line]:
    """Return the metrics day by day, as lines of these names."""
    found = series(list(names), look.span)
    return [Line(title, by_day(look, found[name], per=per)) for name, title in names.items()]


def line_of_ratio(look: Look, name: str, title: Words) -> Line:
    """Return a ratio day by day in per cent; days that have none are left open."""
    found = {figure.day: round(100 * figure.value / MILLION, 2) for figure in ratio(_ratio(name), look.span)}
    return Line(title, [found.get(day) for day in look.days])


def card_of_ratio(look: Look, name: str, title: Words, *, more_is_worse: bool = False) -> Card:
    """Return a ratio of the page's days as a card, beside that of the days before."""
    now, before = overall(_ratio(name), look.span), overall(_ratio(name), look.span.before())
    changed = None if now is None else change(now, before or 0)
    return Card(title, share(now), changed, metric=name, more_is_worse=more_is_worse)


def cards_of_income(look: Look, currency: str) -> list[Card]:
    """Return what came in and what was given back, in a currency, beside the days before."""
    now, before = (parts_of(["creator_income", "refunds"], of) for of in (look.span, look.span.before()))
    titles = {"creator_income": _("Income"), "refunds": _("Refunds")}
    sums = {name: [in_currency(found[name], currency) for found in (now, before)] for name in titles}
    return [
        Card(title, money(sums[name][0], currency), change(*sums[name]), metric=name, more_is_worse=name == "refunds")
        for name, title in titles.items()
    ]


def _ratio(name: str) -> Ratio:
    found = METRICS[name]
    assert isinstance(found, Ratio), f"{name} is counted, not made of others."
    return found
