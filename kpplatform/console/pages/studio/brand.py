"""How strong a creator's brand is beside the tenant's others: a score, what it is made of, and how it went."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Shown, Table
from kpplatform.metrics.dictionary import MILLION
from kpplatform.metrics.models import DailyFigure
from kpplatform.metrics.queries import Figure, Span, by_part, series, totals
from kpplatform.metrics.queries.branding import WEIGHTS

NOT_YET = gettext_lazy("You have no score yet: it needs something published.")
NAMES = {
    "followers": gettext_lazy("followers"),
    "reach": gettext_lazy("reach"),
    "engagement": gettext_lazy("engagement"),
    "conversion": gettext_lazy("conversion"),
    "consistency": gettext_lazy("consistency"),
    "focus": gettext_lazy("focus on a topic"),
}
MEANT = {
    "followers": gettext_lazy("Who follows you."),
    "reach": gettext_lazy("Viewers of each of 28 days, added up."),
    "engagement": gettext_lazy("Likes, saves, shares and comments by plays in 28 days."),
    "conversion": gettext_lazy("Things paid by plays in 28 days."),
    "consistency": gettext_lazy("In how many of the last eight weeks you published something."),
    "focus": gettext_lazy("How likely two of your items are about the same topic."),
}
COUNTED = ("followers", "reach")


FEWEST_CREATORS = 5  # of fewer a median says what one of the others has


def shown(look: Look) -> Shown:
    history = series(["brand"], look.span, by_part=True)["brand"]
    last = max((figure.day for figure in history), default=None)
    points = {figure.part: figure.value for figure in history if figure.day == last}
    return Shown(cards=_cards(look, points), parts=[_parts(look, last, points), _history(look, history)])


def score(points: int) -> str:
    """Return millionths as a score from 0 to 100."""
    return f"{100 * points / MILLION:.0f}"


def _cards(look: Look, points: dict[str, int]) -> list[Card]:
    if not points:
        return [Card(_("Brand score"), "–", metric="brand")]
    yesterday = look.since - timedelta(days=1)
    began = totals(["brand"], Span(yesterday, yesterday, look.creator))["brand"]
    whole = sum(points.values())
    strongest = max(WEIGHTS, key=lambda part: _percent(points, part))
    weakest = min(WEIGHTS, key=lambda part: _percent(points, part))
    return [
        Card(_("Brand score of 100"), score(whole), words.change(whole, began), metric="brand"),
        Card(_("Strongest part"), str(NAMES[strongest])),
        Card(_("Weakest part"), str(NAMES[weakest])),
    ]


def _percent(points: dict[str, int], part: str) -> int:
    """Return of how many of a hundred others the creator has more."""
    return round(100 * points.get(part, 0) / MILLION * sum(WEIGHTS.values()) / WEIGHTS[part])


def _parts(look: Look, day: date | None, points: dict[str, int]) -> Table:
    rows = []
    if points and day:
        own, usual = by_part("standing", Span(day, day, look.creator)), medians(day, WEIGHTS)
        rows = [
            [
                NAMES[part],
                MEANT[part],
                amount(part, own.get(part, 0)),
                usual[part],
                _("%(percent)s %% have less") % {"percent": _percent(points, part)},
                f"{100 * points.get(part, 0) / MILLION:.1f} / {weight}",
            ]
            for part, weight in WEIGHTS.items()
        ]
    headers = [_("part"), _("what it is"), _("yours"), _("median"), _("of the others"), _("points")]
    return Table(_("What it is made of"), headers, rows, NOT_YET, is_wide=True)


def medians(day: date, parts: Iterable[str]) -> dict[str, str]:
    """Return what is usual among the tenant's creators of each part; dashes where they are too few to tell it."""
    of_creators = DailyFigure.objects.filter(day=day, metric="standing", creator__isnull=False, item=None).order_by()
    if of_creators.values("creator").distinct()[:FEWEST_CREATORS].count() < FEWEST_CREATORS:
        return dict.fromkeys(parts, "–")
    usual = by_part("standing", Span(day, day))
    return {part: amount(part, usual.get(part, 0)) for part in parts}


def amount(part: str, millionths: int) -> str:
    """Return what somebody has of a part: a number, or a share."""
    return words.count(millionths / MILLION) if part in COUNTED else words.share(millionths, digits=2)


def _history(look: Look, history: list[Figure]) -> Chart:
    found = {(figure.day, figure.part): figure.value for figure in history}
    lines = [
        Line(NAMES[part], [round(100 * found.get((day, part), 0) / MILLION, 2) for day in look.days])
        for part in WEIGHTS
    ]
    return Chart(
        _("Points day by day"),
        look.labels,
        lines,
        kind="bar",
        is_stacked=True,
        metrics=["brand", "standing"],
        when_empty=NOT_YET,
        is_wide=True,
    )
