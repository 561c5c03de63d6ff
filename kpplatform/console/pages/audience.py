"""Who watches, how long, and who comes back."""

from collections.abc import Mapping
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Cohorts, Line, Look, Shown
from kpplatform.metrics.dictionary import MILLION
from kpplatform.metrics.queries import Span, active, by_part, cohorts, series, totals
from kpplatform.metrics.queries.returning import NEW

NOBODY = gettext_lazy("Nobody watched.")
AGES = (1, 7, 30)
WEEKS = 8
OLD = 14  # days of a cohort that are shown


def shown(look: Look) -> Shown:
    return Shown(
        cards=_cards(look), parts=[_activity(look), _time(look), *_returning(look), _hours(look), _devices(look)]
    )


def _cards(look: Look) -> list[Card]:
    names = ["plays", "watch_ms", "viewers"]
    now, before = totals(names, look.span), totals(names, look.span.before())
    month = active(look.until, using=look.span.using)
    days = len(look.days)
    return [
        Card(_("Active in 28 days"), words.count(month)),
        Card(_("Viewers a day"), f"{now['viewers'] / days:,.1f}", words.change(now["viewers"], before["viewers"])),
        Card(_("Daily of monthly viewers"), words.share(_sticky(look))),
        Card(_("Plays"), words.count(now["plays"]), words.change(now["plays"], before["plays"]), metric="plays"),
        Card(_("Time watched"), words.time(now["watch_ms"]), words.change(now["watch_ms"], before["watch_ms"])),
        words.card_of_ratio(look, "interaction_rate", _("Interactions per play")),
    ]


def _sticky(look: Look) -> int | None:
    """Return the last whole day's viewers by those of the 28 days up to it: today is not over."""
    whole = look.until - timedelta(days=1)
    month = active(whole, using=look.span.using)
    day = totals(["viewers"], Span(whole, whole, using=look.span.using))["viewers"]
    return round(MILLION * day / month) if month else None


def _activity(look: Look) -> Chart:
    lines = words.lines(look, {"viewers": _("viewers"), "plays": _("plays")})
    return Chart(_("Viewers and plays"), look.labels, lines, metrics=["viewers", "plays"], when_empty=NOBODY)


def _time(look: Look) -> Chart:
    lines = words.lines(look, {"watch_ms": _("hours watched")}, per=words.HOUR_MS)
    return Chart(_("Hours watched"), look.labels, lines, kind="bar", metrics=["watch_ms"], when_empty=NOBODY)


def _returning(look: Look) -> list[Chart | Cohorts]:
    """Draw how many of each day's newcomers came again, and each week's newcomers day by day."""
    since = look.until - timedelta(weeks=WEEKS, days=look.until.weekday())  # a Monday: weeks are told whole
    known = cohorts(Span(min(since, look.since), look.until, using=look.span.using))
    lines = [Line(_after(age), [_kept(known, day, age, look) for day in look.days]) for age in AGES]
    curve = Chart(
        _("Newcomers who came back"),
        look.labels,
        lines,
        suffix="%",
        metrics=["retained"],
        when_empty=_("Nobody new came."),
    )
    return [curve, _new(look), _table(known, since, look)]


def _after(days: int) -> str:
    return ngettext("after %(days)s day", "after %(days)s days", days) % {"days": days}


def _new(look: Look) -> Chart:
    found = series(["came_back"], look.span, by_part=True)["came_back"]
    lines = [
        Line(title, words.by_day(look, [figure for figure in found if (figure.part == NEW) == is_new]))
        for title, is_new in ((_("new"), True), (_("returning"), False))
    ]
    return Chart(
        _("New and returning viewers"),
        look.labels,
        lines,
        kind="bar",
        is_stacked=True,
        metrics=["came_back"],
        when_empty=NOBODY,
    )


def _kept(known: Mapping[date, Mapping[int, int]], day: date, age: int, look: Look) -> float | None:
    """Return how many of a hundred newcomers of a day came on that day after; None: none, or it is not over yet."""
    new = known.get(day, {}).get(0)
    if not new or day + timedelta(days=age) >= look.until:
        return None
    return round(100 * known[day].get(age, 0) / new, 1)


def _table(known: Mapping[date, Mapping[int, int]], monday: date, look: Look) -> Cohorts:
    rows = []
    for begins in (monday + timedelta(weeks=week) for week in range(WEEKS + 1)):
        week = [begins + timedelta(days=n) for n in range(7)]
        newcomers = sum(known.get(day, {}).get(0, 0) for day in week)
        if newcomers:
            shares = [_share(known, week, age, newcomers, look) for age in range(1, OLD + 1)]
            rows.append((date_format(begins, "SHORT_DATE_FORMAT"), newcomers, shares))
    return Cohorts(
        title=_("Each week's newcomers, by days since their first"),
        headers=[_("week of"), _("newcomers"), *map(str, range(1, OLD + 1))],
        rows=rows,
        when_empty=_("Nobody new came."),
    )


def _share(
    known: Mapping[date, Mapping[int, int]], week: list[date], age: int, newcomers: int, look: Look
) -> float | None:
    if week[-1] + timedelta(days=age) >= look.until:
        return None
    return sum(known.get(day, {}).get(age, 0) for day in week) / newcomers


def _hours(look: Look) -> Chart:
    plays = by_part("plays_by_hour", look.span)
    values = [plays.get(str(hour), 0) for hour in range(24)]
    return Chart(
        _("Plays by hour of the day"),
        [f"{hour}:00" for hour in range(24)],
        [Line(_("plays"), values)],
        kind="bar",
        metrics=["plays_by_hour"],
        when_empty=NOBODY,
    )


def _devices(look: Look) -> Chart:
    plays = by_part("plays_by_device", look.span)
    return Chart(
        _("Plays by device"),
        [_(part) for part in plays],
        [Line(_("plays"), list(plays.values()))],
        kind="bar",
        metrics=["plays_by_device"],
        when_empty=NOBODY,
    )
