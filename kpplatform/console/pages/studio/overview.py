"""How a creator is doing, in five panels: quality, audience, recommendation, money, interaction."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Look, Panel, Shown
from kpplatform.console.pages.studio import links
from kpplatform.metrics.dictionary import MILLION
from kpplatform.metrics.queries import retention_curve, totals

NOTHING = gettext_lazy("Nothing was shown or watched these days.")
HALF = 10  # of the twentieths of a video


NAMES = ("plays", "watch_ms", "viewers", "follows", "impressions", "comments")
Sums = dict[str, int]


def shown(look: Look) -> Shown:
    now, before = totals(NAMES, look.span), totals(NAMES, look.span.before())
    parts = [
        _quality(look, now),
        _audience(look, now, before),
        _recommendation(look, now, before),
        _money(look),
        _interaction(look, now, before),
    ]
    return Shown(parts=[*parts, _days(look)])


def _quality(look: Look, now: Sums) -> Panel:
    curve = retention_curve(look.span)
    half = words.share(round(curve[HALF] * MILLION)) if curve else "–"
    facts = [
        words.card_of_ratio(look, "completion", _("Watched to the end")),
        Card(_("Still there halfway"), half, metric="stops"),
        Card(_("Mean play"), _mean_play(now), metric="watch_ms_a_play"),
    ]
    return Panel(_("Quality"), facts, href=links.to(look, "studio-videos"), more=_("Video by video"))


def _mean_play(sums: Sums) -> str:
    return words.time(sums["watch_ms"] / sums["plays"]) if sums["plays"] else "–"


def _audience(look: Look, now: Sums, before: Sums) -> Panel:
    a_day = now["viewers"] / len(look.days)
    facts = [
        Card(_("Viewers a day"), f"{a_day:,.1f}", words.change(now["viewers"], before["viewers"]), metric="viewers"),
        _counted(_("New followers"), "follows", now, before),
        Card(_("Followers"), words.count(look.creator.followers if look.creator else 0)),
    ]
    return Panel(_("Audience"), facts, href=links.to(look, "studio-audience"), more=_("Who they are"))


def _recommendation(look: Look, now: Sums, before: Sums) -> Panel:
    facts = [
        _counted(_("Impressions"), "impressions", now, before),
        words.card_of_ratio(look, "click_rate", _("Click rate")),
        _counted(_("Plays"), "plays", now, before),
    ]
    return Panel(_("Recommendation"), facts, href=links.to(look, "studio-ranking"), more=_("What moves your rank"))


def _money(look: Look) -> Panel:
    assert look.tenant, "A studio is of a tenant's creator."
    facts = words.cards_of_income(look, look.tenant.currency)
    return Panel(_("Money"), facts, href=links.to(look, "studio-income"), more=_("Where it comes from"))


def _interaction(look: Look, now: Sums, before: Sums) -> Panel:
    facts = [
        _counted(_("Comments"), "comments", now, before),
        words.card_of_ratio(look, "reply_rate", _("Reply rate")),
        words.card_of_ratio(look, "interaction_rate", _("Interactions per play")),
    ]
    return Panel(_("Interaction"), facts, href=links.to(look, "studio-comments"), more=_("Who waits for an answer"))


def _days(look: Look) -> Chart:
    lines = words.lines(look, {"impressions": _("impressions"), "plays": _("plays")})
    return Chart(_("Impressions and plays"), look.labels, lines, metrics=["impressions", "plays"], when_empty=NOTHING)


def _counted(title: str, name: str, now: Sums, before: Sums) -> Card:
    return Card(title, words.count(now[name]), words.change(now[name], before[name]), metric=name)
