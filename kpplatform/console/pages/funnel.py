"""From a place in the feed to the money, step by step, and from which source: for the tenant's staff."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Source
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Shown, Table, Words
from kpplatform.metrics.queries import series

STEPS: Mapping[str, Words] = {
    "impressions": gettext_lazy("shown in the feed"),
    "plays": gettext_lazy("played"),
    "profile_visits": gettext_lazy("profile looked at"),
    "product_visits": gettext_lazy("price looked at"),
    "checkouts": gettext_lazy("ordered"),
    "purchases": gettext_lazy("paid"),
}
KNOWN = "impressions_known"  # of the others it is not kept that a play began in the feed
RATES = ("click_rate", "product_rate", "checkout_rate", "paid_rate")
NOTHING = gettext_lazy("Nothing was shown, watched or bought.")
Sums = Mapping[str, Mapping[str, int]]  # step → source → how many


def shown(look: Look) -> Shown:
    found = series([*STEPS, KNOWN], look.span, by_part=True)
    sums: dict[str, dict[str, int]] = {}
    for step, figures in found.items():
        of = sums.setdefault(step, {})
        for figure in figures:
            of[figure.part] = of.get(figure.part, 0) + figure.value
    return Shown(
        cards=_cards(look), parts=[_steps(sums), _rates_of_steps(sums), _rates(look), _daily(look), _sources(sums)]
    )


def _cards(look: Look) -> list[Card]:
    return [words.card_of_ratio(look, name, title) for name, title in _titles().items()]


def _titles() -> dict[str, str]:
    return {
        "click_rate": _("Shown → played"),
        "product_rate": _("Played → price"),
        "checkout_rate": _("Price → ordered"),
        "paid_rate": _("Ordered → paid"),
    }


def _steps(sums: Sums) -> Chart:
    return Chart(
        _("From the feed to the money"),
        list(STEPS.values()),
        [Line(_("how often"), [sum(sums[step].values()) for step in STEPS])],
        kind="bar",
        is_across=True,
        metrics=list(STEPS),
        when_empty=NOTHING,
    )


def _rates_of_steps(sums: Sums) -> Table:
    """Tell each step by the one before. Plays begin elsewhere too: of places, those known to be the feed's are told."""
    rows, before = [], 0
    for step, title in STEPS.items():
        many = sum(sums[step].values())
        share = _share(many, before)
        if step == "plays":
            share = _share(sums["plays"].get(Source.FEED, 0), sum(sums[KNOWN].values()))
        rows.append([title, words.count(many), share])
        before = many
    is_empty = not any(sum(of.values()) for of in sums.values())
    headers = [_("step"), _("how often"), _("of the step before")]
    return Table(_("Step by step"), headers, [] if is_empty else rows, NOTHING)


def _share(many: int, of: int) -> str:
    return f"{many / of:.2%}" if of else "–"


def _rates(look: Look) -> Chart:
    lines = [words.line_of_ratio(look, name, title) for name, title in _titles().items()]
    return Chart(_("The rates day by day"), look.labels, lines, suffix="%", metrics=RATES, when_empty=NOTHING)


def _daily(look: Look) -> Chart:
    names = {step: STEPS[step] for step in ("product_visits", "checkouts", "purchases")}
    lines = words.lines(look, names)
    return Chart(_("Prices looked at, orders, and paid"), look.labels, lines, metrics=list(names), when_empty=NOTHING)


def _sources(sums: Sums) -> Table:
    """Show where viewers came from. What the feed shows has other sources: its places are all the feed's."""
    told = [step for step in STEPS if step != "impressions"]
    sources = sorted({source for step in told for source in sums[step]}, key=lambda of: (-sums["plays"].get(of, 0), of))
    rows = []
    for source in sources:
        many = [sums[step].get(source, 0) for step in told]
        _plays, _profiles, prices, orders, paid = many
        rows.append(
            [words.SOURCES.get(source, source), *map(words.count, many), _share(orders, prices), _share(paid, orders)]
        )
    headers = [_("source"), *(STEPS[step] for step in told), _("ordered by prices"), _("paid by ordered")]
    return Table(_("Where they came from"), headers, rows, NOTHING, is_wide=True)
