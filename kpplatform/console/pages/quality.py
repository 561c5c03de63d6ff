"""May one trust what is counted? What was kept out, what came late, what is unknown, what has shifted."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Watch
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Shown, Table, Words
from kpplatform.metrics.queries import Drift, by_part, drifts, series, totals
from kpplatform.metrics.queries.drift import State
from recommender.models import PortraitRun
from recommender.queries import freshness, newest_run

NOTHING = gettext_lazy("Nobody watched.")
UNKNOWN = "unknown"
WITHIN: Mapping[str, Words] = {
    "minute": gettext_lazy("within a minute"),
    "hour": gettext_lazy("within an hour"),
    "day": gettext_lazy("within a day"),
    "later": gettext_lazy("later"),
}
DISTRIBUTIONS: Mapping[str, Words] = {
    "stops": gettext_lazy("how far is watched"),
    "plays_by_hour": gettext_lazy("the hours of the day"),
    "plays": gettext_lazy("where plays begin"),
    "plays_by_device": gettext_lazy("devices"),
}
STATES: Mapping[State, Words] = {
    State.UNKNOWN: gettext_lazy("too little to tell"),
    State.STABLE: gettext_lazy("stable"),
    State.MOVING: gettext_lazy("moving: watch it"),
    State.SHIFTED: gettext_lazy("shifted: look into it"),
}
MEASURES: Mapping[str, Words] = {
    "items_with_topic": gettext_lazy("items with a topic"),
    "items_with_tags": gettext_lazy("items with tags"),
    "events_with_topic": gettext_lazy("events with a topic"),
    "events_of_known_items": gettext_lazy("events of items that are there"),
    "agreement": gettext_lazy("likes agree with watches (AUC)"),
    "fresh_hours": gettext_lazy("hours since the last event"),
    "topics": gettext_lazy("drift of topics (PSI)"),
    "hours": gettext_lazy("drift of hours (PSI)"),
    "watched": gettext_lazy("drift of shares watched (PSI)"),
}
ALERTS: Mapping[str, Words] = {
    "items_with_topic_incomplete": gettext_lazy("most items have no topic"),
    "events_with_topic_incomplete": gettext_lazy("most events are of items without a topic"),
    "events_of_known_items_incomplete": gettext_lazy("most events are of items that are not there"),
    "events_are_old": gettext_lazy("no events have come in lately"),
    "likes_contradict_watches": gettext_lazy("what is liked is watched less"),
    "topics_have_shifted": gettext_lazy("other topics are watched than before"),
    "hours_have_shifted": gettext_lazy("viewers come at other hours than before"),
    "watched_have_shifted": gettext_lazy("viewers watch other shares than before"),
}


def shown(look: Look) -> Shown:
    run = newest_run()
    learned: dict[str, Any] = run.quality if run else {}
    found = drifts(until=look.until, using=look.span.using)
    alerts = _alerts(look, found, learned)
    return Shown(
        cards=_cards(look, alerts),
        parts=[_said(alerts), _drift(found), _kept_out(look), _lateness(look), _complete(look), _learned(run)],
    )


def _cards(look: Look, alerts: list[Words]) -> list[Card]:
    counts = totals(["kept_out", "plays"], look.span)
    late = by_part("received", look.span)
    everything = sum(late.values())
    runs = reverse("admin:recommender_portraitrun_changelist")
    return [
        Card(_("Alerts"), words.count(len(alerts)), is_alarming=bool(alerts), href=runs),
        Card(_("Kept out"), words.count(counts["kept_out"]), metric="kept_out",
             href=reverse("admin:catalog_watch_changelist")),
        words.card_of_ratio(look, "quarantine_rate", _("Kept out by clean"), more_is_worse=True),
        Card(_("Came in within a minute"), _share(late.get("minute", 0), everything), metric="received"),
        Card(_("Device unknown"), _unknown(look, "plays_by_device", UNKNOWN), metric="plays_by_device"),
        Card(_("Source unknown"), _unknown(look, "plays", ""), metric="plays"),
    ]  # fmt: skip


def _share(many: int, of: int) -> str:
    return f"{many / of:.1%}" if of else "–"


def _unknown(look: Look, metric: str, part: str) -> str:
    found = by_part(metric, look.span)
    return _share(found.get(part, 0), sum(found.values()))


def _alerts(look: Look, found: list[Drift], learned: Mapping[str, Any]) -> list[Words]:
    """Return what somebody should look at."""
    shifted = _("%(what)s: shifted")
    told: list[Words] = [shifted % {"what": DISTRIBUTIONS[of.metric]} for of in found if of.state == State.SHIFTED]
    told += [ALERTS.get(alert, alert) for alert in learned.get("alerts", ())]
    if freshness(at=look.at).is_stale:
        told.append(_("The portraits are old: they have not been refreshed."))
    return told


def _said(alerts: list[Words]) -> Table:
    return Table(
        _("To be looked at"),
        [_("measure")],
        [[alert] for alert in alerts],
        _("Nothing: the data are as they should be."),
    )


def _drift(found: list[Drift]) -> Table:
    rows = [
        [
            DISTRIBUTIONS[of.metric],
            "–" if of.psi is None else f"{of.psi:.3f}",
            STATES[of.state],
            words.count(of.before),
            words.count(of.now),
        ]
        for of in found
    ]
    headers = [_("distribution"), "PSI", _("state"), _("28 days before"), _("last 7 days")]
    return Table(_("Has it shifted? (0.1: watch, 0.25: another population)"), headers, rows, NOTHING)


def _kept_out(look: Look) -> Chart:
    figures = series(["kept_out"], look.span, by_part=True)["kept_out"]
    lines = [
        Line(_(Watch.Quarantine(rule).label), words.by_day(look, [of for of in figures if of.part == rule]))
        for rule in sorted({of.part for of in figures})
    ]
    return Chart(
        _("Watches kept out, by the rule"),
        look.labels,
        lines,
        kind="bar",
        is_stacked=True,
        metrics=["kept_out"],
        when_empty=_("Nothing is in quarantine."),
    )


def _lateness(look: Look) -> Chart:
    figures = series(["received"], look.span, by_part=True)["received"]
    lines = [
        Line(title, words.by_day(look, [of for of in figures if of.part == within])) for within, title in WITHIN.items()
    ]
    title = _("How late watches came in")
    return Chart(title, look.labels, lines, kind="bar", is_stacked=True, metrics=["received"], when_empty=NOTHING)


def _complete(look: Look) -> Chart:
    """Draw how many plays say on what and from where they were watched."""
    found = series(["plays_by_device", "plays"], look.span, by_part=True)
    names = {"plays_by_device": (UNKNOWN, _("device unknown")), "plays": ("", _("source unknown"))}
    lines = []
    for metric, (part, title) in names.items():
        whole: dict[Any, int] = {}
        missing: dict[Any, int] = {}
        for of in found[metric]:
            whole[of.day] = whole.get(of.day, 0) + of.value
            missing[of.day] = missing.get(of.day, 0) + (of.value if of.part == part else 0)
        shares = [round(100 * missing[day] / whole[day], 1) if day in whole else None for day in look.days]
        lines.append(Line(title, shares))
    title = _("What plays do not say")
    return Chart(title, look.labels, lines, suffix="%", metrics=list(names), when_empty=NOTHING)


def _learned(run: PortraitRun | None) -> Table:
    """Show what the last refresh of the portraits measured on the events it learned from."""
    learned: dict[str, Any] = run.quality if run else {}
    told = {**learned.get("completeness", {}), **learned.get("drift", {})}
    told |= {name: learned.get(name) for name in ("agreement", "fresh_hours")}
    rows = [[MEASURES.get(name, name), f"{value:.3f}"] for name, value in told.items() if value is not None]
    if run and rows:
        page = reverse("admin:recommender_portraitrun_change", args=[run.pk])
        at = date_format(timezone.localtime(run.at), "SHORT_DATETIME_FORMAT")
        rows.append([words.link(page, _("the refresh of %(at)s") % {"at": at}), ""])
    title = _("What the last refresh of the portraits found")
    return Table(title, [_("measure"), _("value")], rows, _("The portraits have not been refreshed yet."))
