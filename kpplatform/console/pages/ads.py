"""What ads earn, who sees and clicks them, and whether they keep to their plan: for the tenant's staff."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.ads.market.pacing import Plan
from billing.ads.models import Campaign, Creative, Flight, PlaceCount
from billing.ads.models.campaigns import MICROS
from billing.ads.queries import held_offers
from billing.ads.queries.traffic import today_of, traffic_of_day
from kpplatform.console.pages import loads, sold, words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Shown, Table, Words
from kpplatform.metrics.queries import Figure, Span, by_part, series, totals

NOTHING = gettext_lazy("No ad was shown.")
MOST = 15
TIERS: Mapping[str, Words] = {
    Campaign.Tier.SPONSORSHIP: gettext_lazy("sponsorship"),
    Campaign.Tier.AUCTION: gettext_lazy("auction"),
    Campaign.Tier.HOUSE: gettext_lazy("the house's own"),
}
Outcome = PlaceCount.Outcome
OUTCOMES: Mapping[str, Words] = {
    Outcome.FILLED: gettext_lazy("an ad stands there"),
    Outcome.NO_CAMPAIGN: gettext_lazy("nothing is live"),
    Outcome.BUDGET: gettext_lazy("what is live has nothing left to spend now"),
    Outcome.TARGET: gettext_lazy("none of it is for such a place"),
    Outcome.CONSENT: gettext_lazy("it is for viewers of whom more may be known"),
    Outcome.RELEVANCE: gettext_lazy("the viewer has no taste for what is left"),
    Outcome.CAPPED: gettext_lazy("the viewer has seen what is left as often as may be"),
    Outcome.PRICE: gettext_lazy("nobody bids the reserve"),
    Outcome.ONCE: gettext_lazy("everybody who competes stands on the page already"),
    Outcome.TIER: gettext_lazy("the viewer's membership is without ads"),
}
COUNTS = ("ads_offered", "ads_seen", "ads_clicked", "ads_held")


def shown(look: Look) -> Shown:
    assert look.tenant is not None
    currency = look.tenant.currency
    spend = [
        series(["ad_spend"], span, by_part=True)["ad_spend"] for span in (look.span, look.span.before(), _today(look))
    ]
    flights = _live(look)
    return Shown(
        cards=_cards(look, spend, flights, currency),
        parts=[
            _counts(look),
            _rates(look),
            _spend(look, spend[0], currency),
            _tiers(look),
            _places(look),
            _pacing(look, flights),
            *loads.parts(look),
        ],
    )


def _today(look: Look) -> Span:
    return Span(look.until, look.until, using=look.span.using)


def _micros(figures: list[Figure], currency: str) -> int:
    return sum(figure.value for figure in figures if figure.currency == currency)


def _money(micros: int, currency: str) -> str:
    return words.money(micros // MICROS, currency)


def _cards(look: Look, spend: list[list[Figure]], flights: QuerySet[Flight], currency: str) -> list[Card]:
    now, before = (totals(COUNTS, span) for span in (look.span, look.span.before()))
    spent = [_micros(figures, currency) for figures in spend]
    held, waiting = held_offers().count(), Creative.objects.filter(state=Creative.State.WAITING).count()
    own = flights.filter(campaign__currency=currency).order_by()
    left = int(own.aggregate(all=Sum(F("budget") * MICROS - F("spent"), default=0))["all"])
    return [
        Card(_("Spent on ads"), _money(spent[0], currency), words.change(spent[0], spent[1]), metric="ad_spend"),
        Card(_("Spent today"), _money(spent[2], currency)),
        Card(_("Left of live budgets"), _money(left, currency)),
        Card(_("Ads seen"), words.count(now["ads_seen"]), words.change(now["ads_seen"], before["ads_seen"])),
        words.card_of_ratio(look, "ad_load", _("Ads by places of the feed")),
        words.card_of_ratio(look, "ad_fill", _("Places that found an ad")),
        words.card_of_ratio(look, "ad_view_rate", _("Seen of offered")),
        words.card_of_ratio(look, "ad_click_rate", _("Clicked of seen")),
        Card(_("Held, to be decided"), words.count(held), href=reverse("admin:ads_offer_changelist"),
             is_alarming=held > 0),
        Card(_("Ads to be looked at"), words.count(waiting),
             href=reverse("admin:ads_creative_changelist") + "?state__exact=waiting"),
    ]  # fmt: skip


def _counts(look: Look) -> Chart:
    names = {"ads_offered": _("offered"), "ads_seen": _("seen"), "ads_clicked": _("clicked")}
    lines = words.lines(look, names)
    return Chart(_("Ads offered, seen and clicked"), look.labels, lines, metrics=list(names), when_empty=NOTHING)


def _rates(look: Look) -> Chart:
    names = {
        "ad_load": _("ads by places"),
        "ad_fill": _("filled of asked"),
        "ad_view_rate": _("seen of offered"),
        "ad_click_rate": _("clicked of seen"),
    }
    lines = [words.line_of_ratio(look, name, title) for name, title in names.items()]
    return Chart(_("Ad load and rates"), look.labels, lines, suffix="%", metrics=list(names), when_empty=NOTHING)


def _spend(look: Look, figures: list[Figure], currency: str) -> Chart:
    own = [of for of in figures if of.currency == currency]
    lines = [
        Line(
            TIERS.get(tier, tier),
            words.by_day(look, [of for of in own if of.part.startswith(f"{tier}:")], per=MICROS * sold.unit(currency)),
        )
        for tier in sorted({of.part.partition(":")[0] for of in own})
    ]
    title = _("Spent by tier, in %(currency)s") % {"currency": currency}
    return Chart(title, look.labels, lines, kind="bar", is_stacked=True, metrics=["ad_spend"], when_empty=NOTHING)


def _tiers(look: Look) -> Table:
    found = {name: by_part(name, look.span) for name in COUNTS}
    rows = []
    for tier, title in TIERS.items():
        offered, seen, clicked, held = (found[name].get(tier, 0) for name in COUNTS)
        if offered:
            rates = (f"{seen / offered:.1%}", f"{clicked / seen:.2%}" if seen else "–")
            rows.append([title, words.count(offered), rates[0], rates[1], words.count(held)])
    headers = [_("ad tier"), _("offered"), _("seen of offered"), _("clicked of seen"), _("held as odd")]
    return Table(_("By tier"), headers, rows, NOTHING)


def _places(look: Look) -> Table:
    """Show how many places for ads there were, and why those stayed empty that did."""
    found: dict[str, int] = {}
    for part, count in by_part("ad_places", look.span).items():
        outcome = part.partition(":")[2]
        found[outcome] = found.get(outcome, 0) + count
    whole = sum(found.values())
    rows = [
        [title, words.count(found[of]), f"{found[of] / whole:.1%}"] for of, title in OUTCOMES.items() if found.get(of)
    ]
    headers = [_("what became of it"), _("places"), _("of all")]
    return Table(_("Places for ads"), headers, rows, _("No place for ads was counted."))


def _live(look: Look) -> QuerySet[Flight]:
    """Return the flights with a budget whose time it is."""
    live = Flight.objects.filter(campaign__state=Campaign.State.LIVE, budget__gt=0)
    return live.filter(starts_at__lte=look.at, ends_at__gt=look.at)


def _pacing(look: Look, flights: QuerySet[Flight]) -> Table:
    """Show what the largest were to have spent by now if it is spent like the viewers come, and what they have."""
    traffic = traffic_of_day(at=look.at)
    largest = flights.select_related("campaign").order_by("-budget", "-pk")[:MOST]
    rows = [_flight(flight, traffic, look) for flight in largest]
    headers = [
        _("campaign"), _("flight"), _("budget"), _("planned by now"), _("spent"), _("of the plan"),
        _("spent today"), _("planned today by now"), _("left"), _("pace"),
    ]  # fmt: skip
    return Table(_("Live flights beside their plan"), headers, rows, _("No flight is live."), is_wide=True)


def _flight(flight: Flight, traffic: list[float], look: Look) -> list[Any]:
    assert look.tenant is not None
    zone, currency = ZoneInfo(look.tenant.time_zone), flight.campaign.currency
    at = look.at.astimezone(zone)
    plan = Plan(flight.starts_at.astimezone(zone), flight.ends_at.astimezone(zone), flight.budget * MICROS, traffic)
    planned, today = plan.spent_by(at), today_of(flight, traffic=traffic, zone=zone, at=at)
    page = reverse("admin:ads_flight_change", args=[flight.pk])
    return [
        flight.campaign.name,
        words.link(page, flight.name),
        words.money(flight.budget, currency),
        _money(planned, currency) if flight.is_even else _("as soon as can be"),
        _money(flight.spent, currency),
        f"{flight.spent / planned:.0%}" if planned and flight.is_even else "–",
        _money(today.spent, currency),
        _("as soon as can be") if today.planned is None else _money(today.planned, currency),
        _money(flight.budget * MICROS - flight.spent, currency),
        f"{flight.pace:.2f}",
    ]
