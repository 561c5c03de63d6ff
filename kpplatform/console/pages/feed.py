"""What the feed shows, how evenly, and what is new in it: for the tenant's staff."""

from collections.abc import Mapping
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Item
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Shown, Table, Words
from kpplatform.console.pages.studio.wording import topic_name
from kpplatform.metrics.dictionary import MILLION
from kpplatform.metrics.queries import Figure, Span, items_with_most, series
from recommender.models import Impression

Source = Impression.Source

NOTHING = gettext_lazy("Nothing was shown these days.")
MEANS = ("exposure_gini", "topics_a_page", "topic_bits")  # of a day: they do not add up
RANKED_DAYS, MOST = 7, 15
SOURCES: Mapping[str, Words] = {
    Source.MODEL: gettext_lazy("the model"),
    Source.POPULAR: gettext_lazy("what is popular"),
    Source.FOLLOWED: gettext_lazy("followed creators"),
    Source.FRESH: gettext_lazy("trials of new items"),
    Source.EXPLORED: gettext_lazy("exploration"),
    Source.AGAIN: gettext_lazy("once more"),
    Source.SIMILAR: gettext_lazy("like what was watched"),
    Source.COLD: gettext_lazy("new to the model"),
    Source.INTERESTS: gettext_lazy("chosen interests"),
    Source.SOCIAL: gettext_lazy("liked by those one follows"),
}


def shown(look: Look) -> Shown:
    found = series(MEANS, look.span)
    before = series(MEANS, look.span.before())
    return Shown(
        cards=_cards(look, found, before),
        parts=[_sources(look), _shares(look), _evenness(look, found), _topics(look, found), _ranking(look)],
    )


def _mean(figures: list[Figure]) -> float | None:
    return sum(figure.value for figure in figures) / len(figures) / MILLION if figures else None


def _cards(look: Look, found: Mapping[str, list[Figure]], before: Mapping[str, list[Figure]]) -> list[Card]:
    def card(name: str, title: str, digits: int) -> Card:
        now, then = _mean(found[name]), _mean(before[name])
        told = "–" if now is None else f"{now:.{digits}f}"
        changed = None if now is None else words.change(now, then or 0)
        return Card(title, told, changed, metric=name, more_is_worse=name == "exposure_gini")

    return [
        words.card_of_ratio(look, "coverage", _("Items shown a day")),
        card("exposure_gini", _("Gini of the places"), 2),
        card("topics_a_page", _("Topics a page"), 1),
        card("topic_bits", _("Entropy of topics, bits"), 2),
        words.card_of_ratio(look, "explored_share", _("Explored")),
        words.card_of_ratio(look, "cold_start_share", _("New creators")),
        words.card_of_ratio(look, "small_creator_share", _("Small creators")),
    ]


def _sources(look: Look) -> Chart:
    """Draw how many places each source filled, the largest ones by themselves."""
    figures = series(["impressions"], look.span, by_part=True)["impressions"]
    sums: dict[str, int] = {}
    for figure in figures:
        sums[figure.part] = sums.get(figure.part, 0) + figure.value
    ranked = sorted(sums, key=lambda part: (-sums[part], part))
    lines = [
        Line(SOURCES.get(part, part), words.by_day(look, [of for of in figures if of.part == part])) for part in ranked
    ]
    title = _("Places of the feed, by what filled them")
    return Chart(title, look.labels, lines, kind="bar", is_stacked=True, metrics=["impressions"], when_empty=NOTHING)


def _shares(look: Look) -> Chart:
    names = {
        "explored_share": _("exploration and trials"),
        "cold_start_share": _("new creators"),
        "small_creator_share": _("small creators"),
    }
    lines = [words.line_of_ratio(look, name, title) for name, title in names.items()]
    title = _("What share of the places is given to the new and the small")
    return Chart(title, look.labels, lines, suffix="%", metrics=list(names), when_empty=NOTHING)


def _evenness(look: Look, found: Mapping[str, list[Figure]]) -> Chart:
    lines = [
        words.line_of_ratio(look, "coverage", _("items shown, of all")),
        Line(_("Gini of the places"), _daily(look, found["exposure_gini"], 100)),
    ]
    title = _("How evenly items are shown")
    return Chart(title, look.labels, lines, suffix="%", metrics=["coverage", "exposure_gini"], when_empty=NOTHING)


def _topics(look: Look, found: Mapping[str, list[Figure]]) -> Chart:
    lines = [
        Line(_("different topics on a page"), _daily(look, found["topics_a_page"], 1)),
        Line(_("entropy of all places, bits"), _daily(look, found["topic_bits"], 1)),
    ]
    return Chart(_("Topics"), look.labels, lines, metrics=["topics_a_page", "topic_bits"], when_empty=NOTHING)


def _daily(look: Look, figures: list[Figure], times: int) -> list[float | None]:
    """Return millionths as numbers, day by day; days without any are left open."""
    values = {figure.day: round(times * figure.value / MILLION, 2) for figure in figures}
    return [values.get(day) for day in look.days]


def _ranking(look: Look) -> Table:
    """Rank the items of the last days, however many days the page shows: a ranking is of now."""
    span = Span(look.until - timedelta(days=RANKED_DAYS - 1), look.until, using=look.span.using)
    ranked = items_with_most("impressions", span, most=MOST)
    everything = sum(figure.value for figure in series(["impressions"], span)["impressions"])
    known = Item.objects.select_related("creator", "topic").in_bulk([item for item, _total in ranked])
    rows = [
        [
            known[item].title,
            known[item].creator.name,
            topic_name(of) if (of := known[item].topic) else "–",
            words.count(total),
            f"{total / everything:.1%}",
        ]
        for item, total in ranked
        if item in known
    ]
    headers = [_("item"), _("creator"), _("topic"), _("places"), _("of all places")]
    return Table(_("Most shown in the last 7 days"), headers, rows, NOTHING, is_wide=True)
