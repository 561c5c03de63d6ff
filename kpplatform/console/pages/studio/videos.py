"""What became of each of a creator's items; of one, where its viewers leave and where they come from."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Item
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Panel, Shown, Table
from kpplatform.console.pages.studio import links, score
from kpplatform.metrics.dictionary import MILLION
from kpplatform.metrics.queries import Span, by_part, items_of, of_items, overall, retention_curve, series, totals
from kpplatform.metrics.queries.ratios import RATIOS
from kpplatform.metrics.queries.watching import BINS

MOST = 100
NAMES = ("plays", "impressions", "impressions_known", "watch_ms", "finished")
NOBODY = gettext_lazy("Nobody watched these days.")
BY_NAME = {of.name: of for of in RATIOS}


def shown(look: Look) -> Shown:
    """Show all items, or the one that the address names. Raises Http404 when it is none of the creator's."""
    if not look.asked.get("item"):
        return Shown(parts=[_table(look), score.unpublished(look)])
    item = Item.objects.filter(creator=look.creator, pk=look.id_of("item")).select_related("topic").first()
    if item is None:
        raise Http404
    return _one(look, item)


def _table(look: Look) -> Table:
    rows = items_of(NAMES, look.span, most=MOST)
    clicks = _clicks(look, [row["item"] for row in rows])
    return Table(
        _("What you published, the most played first"),
        [_("title"), _("impressions"), _("click rate"), _("plays"), _("time"), _("watched to the end")],
        [_row(look, row, clicks.get(row["item"], 0)) for row in rows],
        NOBODY,
        is_wide=True,
    )


def _row(look: Look, row: dict[str, Any], clicks: int) -> list[Any]:
    return [
        words.link(links.to(look, "studio-videos", item=row["item"]), row["title"]),
        words.count(row["impressions"]),
        words.share(_share(clicks, row["impressions_known"])),
        words.count(row["plays"]),
        words.time(row["watch_ms"]),
        words.share(_share(row["finished"], row["plays"])),
    ]


def _clicks(look: Look, items: Sequence[int]) -> dict[int, int]:
    """Return how often each of the items was played from the feed."""
    return of_items("plays", items, look.span, part="feed")


def _share(of: int, whole: int) -> int | None:
    return round(MILLION * of / whole) if whole else None


def _one(look: Look, item: Item) -> Shown:
    span = replace(look.span, item=item)
    charts = [_curve(look, span), _sources(span), _days(look, span), _time(look, span)]
    told = [score.parts(look, item)] if item.kind == Item.Kind.VIDEO else []
    drawn = [replace(chart, item=item.pk) for chart in charts]
    return Shown(cards=_cards(span), parts=[_about(look, item), *told, *drawn])


def _about(look: Look, item: Item) -> Panel:
    facts = [
        Card(_("Likes"), words.count(item.likes)),
        Card(_("Saves"), words.count(item.saves)),
        Card(_("Shares"), words.count(item.shares)),
        Card(_("Comments"), words.count(item.comments)),
    ]
    return Panel(
        item.title, facts, _("Since it was published:"), href=links.to(look, "studio-videos"), more=_("All items")
    )


def _cards(span: Span) -> list[Card]:
    now, before = totals(NAMES, span), totals(NAMES, span.before())
    return [
        *(
            Card(title, words.count(now[name]), words.change(now[name], before[name]), metric=name)
            for name, title in (("impressions", _("Impressions")), ("plays", _("Plays")))
        ),
        Card(_("Click rate"), words.share(overall(BY_NAME["click_rate"], span)), metric="click_rate"),
        Card(_("Watched to the end"), words.share(overall(BY_NAME["completion"], span)), metric="completion"),
        Card(_("Time watched"), words.time(now["watch_ms"]), metric="watch_ms"),
    ]


def _curve(look: Look, span: Span) -> Chart:
    own, usual = retention_curve(span), retention_curve(look.span)
    lines = [Line(_("this one"), _percent(own)), Line(_("all of yours"), _percent(usual))] if own else []
    labels = [f"{100 * place // BINS}%" for place in range(BINS + 1)]
    return Chart(
        _("Who is still watching, by how much was played"),
        labels if own else [],
        lines,
        suffix="%",
        metrics=["stops"],
        when_empty=NOBODY,
    )


def _percent(curve: Sequence[float]) -> list[float | None]:
    return [round(100 * left, 1) for left in curve[: BINS + 1]]


def _sources(span: Span) -> Chart:
    plays = by_part("plays", span)
    return Chart(
        _("Where plays began"),
        [words.SOURCES.get(part, part) for part in plays],
        [Line(_("plays"), list(plays.values()))],
        kind="bar",
        metrics=["plays"],
        when_empty=NOBODY,
    )


def _days(look: Look, span: Span) -> Chart:
    found = series(["impressions", "plays"], span)
    titles = {"impressions": _("impressions"), "plays": _("plays")}
    lines = [Line(title, words.by_day(look, found[name])) for name, title in titles.items()]
    return Chart(_("Impressions and plays"), look.labels, lines, metrics=list(titles), when_empty=NOBODY)


def _time(look: Look, span: Span) -> Chart:
    found = series(["watch_ms"], span)["watch_ms"]
    line = Line(_("minutes"), words.by_day(look, found, per=words.MINUTE_MS))
    return Chart(_("Minutes watched"), look.labels, [line], kind="bar", metrics=["watch_ms"], when_empty=NOBODY)
