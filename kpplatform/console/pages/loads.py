"""How many ads a feed bears: what was tried, what ads take from the rest, which load follows, what a change brought."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.ads.market.load import Answer, Bounds, Suggestion
from billing.ads.models import LoadChange, LoadTrial
from billing.ads.models.campaigns import MICROS
from billing.ads.queries import load_changes, load_results, load_trials
from billing.ads.queries.load_results import LoadArm, LoadResults
from billing.money import WHOLE_BPS
from billing.queries import tenants_time
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Look, Panel, Table, Words
from kpplatform.experiments import Difference
from kpplatform.metrics.queries import Span, in_currency, parts_of

MOST = 3  # changes that are shown
WEEK = 7
PAGE = "admin:ads_loadtrial_changelist"
REASONS: Mapping[str, Words] = {
    Answer.SUGGESTED: gettext_lazy(
        "Of the loads between the lightest and the heaviest tried, at which surely enough come back, this one is likely"
        " to bring most in the long run. All arms draw on the same budgets: where these are spent to the end,"
        " a heavier load brings less for everybody than in its arm."
    ),
    Answer.TOO_FEW: gettext_lazy(
        "Not enough is known: each arm needs a hundred viewers whose first week is over, days on which they came, and"
        " about fifteen who brought something."
    ),
    Answer.TOO_WIDE: gettext_lazy(
        "Not enough is known: what the loads do to the days is not yet known as exactly as the floor asks."
    ),
    Answer.BENT: gettext_lazy("Nothing is suggested: the days do not change evenly with the load. Look at the arms."),
    Answer.UNSURE: gettext_lazy("Not enough is known: what seems best is not surely better than the first arm."),
}


def parts(look: Look) -> list[Table | Panel]:
    """Return what the page of ads says of their load."""
    assert look.tenant is not None
    trial, currency = load_trials().first(), look.tenant.currency
    results = load_results(trial) if trial else None
    return [
        _arms(trial, results, currency),
        _suggested(trial, results, currency),
        _changes(list(load_changes()[:MOST]), look, currency),
    ]


def apart(every: int) -> str:
    """Say a load in words."""
    return _("an ad behind every %(items)s items") % {"items": every} if every else _("no ads")


def _arms(trial: LoadTrial | None, results: LoadResults | None, currency: str) -> Table:
    """Show the arms with their bounds, which hold however often one looks."""
    title = _("Loads of ads that are tried")
    if trial:
        title += f": {trial.name}, {_day(trial.starts_at)} – {_day(trial.over_at)}"
    headers = [
        _("load of ads"), _("viewers counted"), _("days of seven"), _("minutes"), _("by ads"), _("by other ways"),
        _("together"), _("each unit by ads takes of the rest"),
    ]  # fmt: skip
    rows = [_arm(arm, results, currency) for arm in (results.arms if results else [])]
    return Table(title, headers, rows, _("No load of ads was tried yet."), is_wide=True)


def _arm(arm: LoadArm, results: LoadResults | None, currency: str) -> list[Any]:
    money = _money(currency)
    shown: dict[str, Callable[[float], str]] = {
        "days": "{:.2f}".format,
        "minutes": "{:.1f}".format,
        "ads": money,
        "other": money,
        "total": money,
    }
    told = [_measure(arm, name, say) for name, say in shown.items()]
    counted = _("%(viewers)s of %(dealt)s") % {"viewers": words.count(arm.viewers), "dealt": words.count(arm.dealt)}
    assert results is not None
    is_first = arm is results.arms[0]
    cost = _("control") if is_first else _bounds(arm.cost, "{:.2f}".format) if arm.cost else _("not known yet")
    return [apart(arm.every), counted, *told, cost if results.dealt_fairly else _("the arms were not dealt fairly")]


def _measure(arm: LoadArm, name: str, say: Callable[[float], str]) -> str:
    """Return an arm's mean, and between what it differs from the first arm's."""
    if not arm.viewers:
        return "–"
    by: Difference | None = arm.differences.get(name)
    mean = say(arm.samples[name].mean)
    return f"{mean} ({_bounds(Bounds(by.mean, by.low, by.high), say)})" if by else mean


def _money(currency: str) -> Callable[[float], str]:
    return lambda minor: words.money(round(minor), currency)


def _bounds(of: Bounds, say: Callable[[float], str]) -> str:
    return f"{say(of.mean)} [{say(of.low)}, {say(of.high)}]"


def _suggested(trial: LoadTrial | None, results: LoadResults | None, currency: str) -> Panel:
    title = _("Suggested load of ads")
    if trial is None or results is None:
        return Panel(title, told=_("Try some loads on viewers first: which one is best is not known without."))
    found = results.suggestion
    told = REASONS[found.answer] if found else _("Nothing is suggested: the arms were not dealt fairly.")
    facts = _facts(trial, found, currency) if found else []
    return Panel(title, facts, told, reverse(PAGE), _("The trials"))


def _facts(trial: LoadTrial, found: Suggestion, currency: str) -> list[Card]:
    floor = f"{1 - trial.floor_bps / WHOLE_BPS:.1%}"
    facts = [Card(_("Floor of the days"), floor)]
    if found.every is not None:
        facts.insert(0, Card(_("Load of ads"), apart(found.every)))
    if found.kept:
        facts.append(Card(_("Days beside the first arm"), _bounds(found.kept, "{:.1%}".format)))
    if found.gain:
        facts.append(Card(_("A viewer brings more in the long run"), _bounds(found.gain, _money(currency))))
    if found.slope:
        facts.append(Card(_("Days by an ad more in 100 items"), _bounds(found.slope, "{:+.2%}".format)))
    return facts


def _changes(changes: list[LoadChange], look: Look, currency: str) -> Table:
    """Show the weeks before and after each change. Much else may have changed: it is a comparison, no experiment."""
    rows = [row for change in changes for row in _before_and_after(change, look, currency)]
    headers = [_("changed"), _("load of ads"), _("of the week"), _("before"), _("after"), _("change")]
    return Table(
        _("Before and after a change of load: a comparison, no experiment"),
        headers,
        rows,
        _("No load of ads was adopted yet."),
        is_wide=True,
    )


def _before_and_after(change: LoadChange, look: Look, currency: str) -> list[list[Any]]:
    """Tell of the week until the day before the change, and of the one from the day after it, once that is over."""
    day, today = tenants_time(change.changed_at).date(), tenants_time(look.at).date()
    before = _week(day - timedelta(days=WEEK), look, currency)
    after = _week(day + timedelta(days=1), look, currency) if day + timedelta(days=WEEK) < today else {}
    load = f"{apart(change.before)} → {apart(change.load)}"
    return [
        [_day(change.changed_at), load, title, say(value), *_beside(value, after.get(title), say)]
        for title, (value, say) in before.items()
    ]


def _beside(before: float, told: tuple[float, Callable[[float], str]] | None, say: Callable[[float], str]) -> list[str]:
    if told is None:
        return [_("not over yet"), "–"]
    changed = words.change(told[0], before)
    return [say(told[0]), "–" if changed is None else f"{changed:+.1%}"]


def _week(since: date, look: Look, currency: str) -> dict[str, tuple[float, Callable[[float], str]]]:
    """Return what was counted in the seven days from this one on, and how it is said."""
    money = _money(currency)
    of = Span(since, since + timedelta(days=WEEK - 1), using=look.span.using)
    found = parts_of(["ad_spend", "sales", "refunds", "watch_ms", "viewers"], of)
    sold = {part: value for part, value in found["sales"].items() if not part.startswith("ad_balance:")}
    back = {part: value for part, value in found["refunds"].items() if not part.startswith("ad_balance:")}
    other = in_currency(sold, currency) - in_currency(back, currency)
    return {
        _("income by ads"): (in_currency(found["ad_spend"], currency) / MICROS, money),
        _("other sales, less refunds"): (other, money),
        _("viewers a day"): (sum(found["viewers"].values()) / WEEK, "{:,.1f}".format),
        _("time watched"): (sum(found["watch_ms"].values()), words.time),
    }


def _day(at: Any) -> str:
    return date_format(tenants_time(at), "SHORT_DATE_FORMAT")
