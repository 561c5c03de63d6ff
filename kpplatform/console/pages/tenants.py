"""All tenants beside each other: for the installation's operators."""

from collections.abc import Iterable, Mapping

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kpplatform.console.pages import sold, words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Shown, Table
from kpplatform.jobs.queries import dead_by_tenant
from kpplatform.metrics.queries import compared
from kpplatform.tenancy import roles
from kpplatform.tenancy.models import Tenant

COUNTS = ("plays", "viewers", "purchases")
MONEY = ("sales", "refunds", "platform_fees", "creator_income")
NOTHING = gettext_lazy("Nothing was counted of any tenant these days.")
MOST, DRAWN = 50, 8
Sums = Mapping[tuple[str, str], int]
Found = Mapping[int, Sums]


def shown(look: Look) -> Shown:
    """Show the installation's sums, and the tenants that are watched most."""
    now, before = (compared(COUNTS, MONEY, span) for span in (look.span, look.span.before()))
    dead = dead_by_tenant()
    ranked = sorted(now, key=lambda tenant: (-now[tenant].get(("plays", ""), 0), tenant))[:MOST]
    known = Tenant.objects.using(roles.OPERATOR).in_bulk([*ranked, *_sellers(now)])
    return Shown(
        cards=_cards(look, now, before, dead),
        parts=[
            _watched(now, known, ranked),
            _sold(now, known),
            _table(look, now, known, ranked, dead),
            _currencies(now),
        ],
    )


def _sellers(now: Found) -> list[int]:
    return [tenant for tenant, sums in now.items() if any(name == "sales" for name, _currency in sums)]


def _sum(found: Found, name: str, currency: str = "") -> int:
    return sum(sums.get((name, currency), 0) for sums in found.values())


def _used(found: Iterable[Sums]) -> list[str]:
    return sorted({currency for sums in found for _name, currency in sums if currency})


def _cards(look: Look, now: Found, before: Found, dead: Mapping[int, int]) -> list[Card]:
    def card(name: str, title: str, per: int = 1) -> Card:
        sums = [_sum(found, name) / per for found in (now, before)]
        return Card(title, words.count(sums[0]), words.change(*sums), metric=name)

    many = sum(dead.values())
    return [
        Card(_("Tenants with figures"), words.count(len(now)), href=reverse("admin:tenancy_tenant_changelist")),
        card("plays", _("Plays")),
        card("viewers", _("Viewers a day"), len(look.days)),
        card("purchases", _("Things paid")),
        *(
            Card(
                _("Sales in %(currency)s") % {"currency": currency},
                words.money(_sum(now, "sales", currency), currency),
                words.change(_sum(now, "sales", currency), _sum(before, "sales", currency)),
                metric="sales",
            )
            for currency in _used(now.values())
        ),
        Card(_("Jobs dead"), words.count(many), href=reverse("admin:jobs_job_changelist") + "?state__exact=dead",
             is_alarming=many > 0),
    ]  # fmt: skip


def _watched(now: Found, known: Mapping[int, Tenant], ranked: list[int]) -> Chart:
    drawn = [tenant for tenant in ranked if tenant in known][:DRAWN]
    return Chart(
        _("Tenants with most plays"),
        [known[tenant].name for tenant in drawn],
        [Line(_("plays"), [now[tenant].get(("plays", ""), 0) for tenant in drawn])],
        kind="bar",
        is_across=True,
        metrics=["plays"],
        when_empty=NOTHING,
    )


def _sold(now: Found, known: Mapping[int, Tenant]) -> Chart:
    """Draw the largest sellers of each currency in its units; currencies are neither added up nor compared."""
    currencies, sellers = _used(now.values()), [tenant for tenant in _sellers(now) if tenant in known]
    places: dict[int, int] = {}
    for currency in currencies:
        in_it = [tenant for tenant in sellers if ("sales", currency) in now[tenant]]
        ranked = sorted(in_it, key=lambda tenant: (-now[tenant]["sales", currency], tenant))
        places |= {tenant: min(place, places.get(tenant, place)) for place, tenant in enumerate(ranked)}
    drawn = sorted(places, key=lambda tenant: (places[tenant], tenant))[:DRAWN]
    lines = [Line(of, [now[tenant].get(("sales", of), 0) / sold.unit(of) for tenant in drawn]) for of in currencies]
    labels = [known[tenant].name for tenant in drawn]
    title = _("Tenants with most sales (GMV)")
    return Chart(title, labels, lines, kind="bar", is_across=True, metrics=["sales"],
                 when_empty=_("Nothing was sold."))  # fmt: skip


def _table(look: Look, now: Found, known: Mapping[int, Tenant], ranked: list[int], dead: Mapping[int, int]) -> Table:
    rows = []
    for tenant in (tenant for tenant in ranked if tenant in known):
        sums, of = now[tenant], known[tenant]
        name = words.link(reverse("admin:tenancy_tenant_change", args=[tenant]), of.name)
        counts = [words.count(sums.get(("plays", ""), 0)), f"{sums.get(('viewers', ''), 0) / len(look.days):,.1f}"]
        rows.append([name, *counts, *_money(sums, _used([sums]) or [of.currency]), dead.get(tenant, 0)])
    headers = [
        _("tenant"), _("plays"), _("viewers a day"), _("sales"), _("refunds"), _("the platform's fees"),
        _("creators' income"), _("take rate"), _("jobs dead"),
    ]  # fmt: skip
    title = _("Tenants compared: the %(most)s with most plays") % {"most": MOST}
    return Table(title, headers, rows, NOTHING, is_wide=True)


def _money(sums: Sums, currencies: list[str]) -> list[str]:
    """Return the four sums and the take rate, each in every currency."""
    told = [" · ".join(words.money(sums.get((name, of), 0), of) for of in currencies) for name in MONEY]
    return [*told, " · ".join(_rate(sums, of) for of in currencies)]


def _rate(sums: Sums, currency: str) -> str:
    sales = sums.get(("sales", currency), 0)
    return f"{sums.get(('platform_fees', currency), 0) / sales:.1%}" if sales else "–"


def _currencies(now: Found) -> Table:
    rows = []
    for of in _used(now.values()):
        sums = {(name, of): _sum(now, name, of) for name in MONEY}
        rows.append([of, *_money(sums, [of])])
    headers = [
        _("currency"), _("sales"), _("refunds"), _("the platform's fees"), _("creators' income"), _("take rate"),
    ]  # fmt: skip
    return Table(_("All tenants, in each currency"), headers, rows, _("Nothing was sold."), is_wide=True)
