"""Groups of viewers and campaigns: who was told what, and what that brought beside those who were left in peace."""

from datetime import timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.queries import tenants_time
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Look, Shown, Table
from recommender import queries
from recommender.models import Campaign
from recommender.queries.campaigns import HELD_OUT, REACHED

SHOWN = 20
EFFECTS = 5  # campaigns whose effect is shown


def shown(look: Look) -> Shown:
    campaigns = list(queries.campaigns()[:SHOWN])
    told = queries.told([of.pk for of in campaigns])
    return Shown(
        cards=_cards(told, look),
        parts=[
            _overview(campaigns, told),
            *(_effect(campaign) for campaign in campaigns[:EFFECTS] if campaign.figures),
            _groups(),
        ],
    )


def _cards(told: dict[int, tuple[int, int]], look: Look) -> list[Card]:
    begun = [of for of in queries.going_on(at=look.at) if of.stopped_at is None]
    going = [of for of in begun if look.at < of.begun_at + timedelta(days=of.days)]
    sent, read = (sum(counts) for counts in zip(*told.values(), strict=True)) if told else (0, 0)
    return [
        Card(_("Campaigns that go on"), words.count(len(going))),
        Card(_("Notices sent by those below"), words.count(sent)),
        Card(_("Notices of theirs read"), f"{read / sent:.0%}" if sent else "–"),
    ]


def _overview(campaigns: list[Campaign], told: dict[int, tuple[int, int]]) -> Table:
    rows = []
    for of in campaigns:
        sent, read = told.get(of.pk, (0, 0))
        began = date_format(tenants_time(of.begun_at), "SHORT_DATE_FORMAT")
        counts = [words.count(number) for number in (of.reached, of.spared, sent, read)]
        rows.append([of.name, _whom(of), began, *counts, of.coupon.code if of.coupon else "–"])
    return Table(
        title=_("Campaigns"),
        headers=[
            _("name"),
            _("for whom"),
            _("begun"),
            _("reached"),
            _("left in peace"),
            _("were told"),
            _("read"),
            _("coupon"),
        ],
        rows=rows,
        when_empty=_("There was no campaign yet."),
    )


def _whom(of: Campaign) -> str:
    """Say in a few words whom it is for."""
    parts = []
    if of.group:
        parts.append(of.group.name)
    if of.segment:
        parts.append(_("segment %(label)s") % {"label": of.segment.label})
    if of.least_churn is not None:
        parts.append(_("chance to leave from %(share)s") % {"share": f"{of.least_churn:.0%}"})
    return " · ".join(parts)


def _effect(of: Campaign) -> Table:
    """Tell what the reached did beside the held-out, with bounds that hold whenever one looks."""
    measures = {
        "came_back": (_("Came back"), True),
        "watch_minutes": (_("Minutes watched per viewer"), False),
        "paid": (_("Paid something"), True),
    }
    means, by = of.figures["means"], of.figures["differences"][REACHED]
    rows = [
        [
            title,
            *(_number(means[arm].get(name), is_share=is_share) for arm in (REACHED, HELD_OUT)),
            *_bounds(by.get(name), is_share=is_share),
        ]
        for name, (title, is_share) in measures.items()
    ]
    days = ngettext("in %(count)d day", "in %(count)d days", of.days) % {"count": of.days}
    return Table(
        title=_("What “%(name)s” brought") % {"name": of.name} + f" {days}",
        headers=["", _("reached"), _("left in peace"), _("difference"), _("lower bound"), _("upper bound"), ""],
        rows=rows,
        when_empty="",
    )


def _bounds(by: dict[str, float] | None, *, is_share: bool) -> list[str]:
    if by is None:
        return ["–", "–", "–", _("too few to tell")]
    told = _("no difference to tell")
    if by["low"] > 0 or by["high"] < 0:
        told = _("more") if by["low"] > 0 else _("less")
    return [*(_number(by[name], is_share=is_share, sign="+") for name in ("mean", "low", "high")), told]


def _number(value: Any, *, is_share: bool, sign: str = "") -> str:
    if value is None:
        return "–"
    return f"{value:{sign}.1%}" if is_share else f"{value:{sign},.2f}"


def _groups() -> Table:
    rows = [
        [of.name, words.count(of.at_least), len(of.rules), of.made_by.name, date_format(tenants_time(of.made_at))]
        for of in queries.groups()[:SHOWN]
    ]
    return Table(
        title=_("Groups of viewers"),
        headers=[_("name"), _("viewers, at least"), _("how many rules"), _("made by"), _("made")],
        rows=rows,
        when_empty=_("No group was made yet."),
    )
