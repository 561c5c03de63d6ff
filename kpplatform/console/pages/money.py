"""What is sold, what of it is whose, and what waits: for the tenant's staff."""

from collections.abc import Mapping, Sequence

from django.db.models import Count, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import Account, Payout, PayoutHold, Settlement, SettlementPeriod
from billing.queries import trial_balance
from creators.models import Creator
from kpplatform.console.pages import sold, words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Shown, Table, Words
from kpplatform.metrics.dictionary import MILLION
from kpplatform.metrics.queries import Figure, creators_with_most, series, totals

NAMES = ("sales", "refunds", "platform_fees", "creator_income")
NOTHING = gettext_lazy("Nothing was sold.")
MOST = 10
Kind = Account.Kind
# Whose money it is, and where it waits.
WAITING: Mapping[str, Words] = {
    Kind.PENDING: gettext_lazy("Creators', still refundable"),
    Kind.AVAILABLE: gettext_lazy("Creators', to be paid out"),
    Kind.RESERVE: gettext_lazy("Creators', held back"),
    Kind.IN_TRANSIT: gettext_lazy("Creators', being paid out"),
    Kind.DISPUTE: gettext_lazy("Held for what buyers dispute"),
    Kind.POOL: gettext_lazy("Members' money, to be shared"),
    Kind.TAX: gettext_lazy("Tax to be handed over"),
    Kind.CLAWBACK: gettext_lazy("Owed by creators"),
}
Found = Mapping[str, Sequence[Figure]]


def shown(look: Look) -> Shown:
    assert look.tenant is not None
    currency = look.tenant.currency
    now, before = (series(NAMES, of, by_part=True) for of in (look.span, look.span.before()))
    lines = sold.lines_by_kind(look, now["sales"], currency)
    return Shown(
        cards=_cards(look, now, before, currency),
        parts=[
            _sales(look, lines, currency),
            _mix(look, lines),
            _split(look, now, currency),
            _income(now, currency),
            _creators(look, now, currency),
            _waiting(),
            _currencies(now),
            _payouts(),
        ],
    )


def _sum(found: Found, name: str, currency: str) -> int:
    return sum(figure.value for figure in found[name] if figure.currency == currency)


def _rate(found: Found, currency: str) -> int | None:
    """Return which part of what was paid is the platform's, in millionths."""
    sales = _sum(found, "sales", currency)
    return round(MILLION * _sum(found, "platform_fees", currency) / sales) if sales else None


def _cards(look: Look, now: Found, before: Found, currency: str) -> list[Card]:
    def card(name: str, title: str) -> Card:
        sums = [_sum(found, name, currency) for found in (now, before)]
        worse = name == "refunds"
        return Card(title, words.money(sums[0], currency), words.change(*sums), metric=name, more_is_worse=worse)

    counts = [totals(["buyers", "purchases"], span) for span in (look.span, look.span.before())]
    days = len(look.days)
    return [
        card("sales", _("Sales (GMV)")),
        card("creator_income", _("Creators' income")),
        card("platform_fees", _("The platform's fees")),
        Card(_("Take rate"), words.share(_rate(now, currency)), _change_of_rate(now, before, currency)),
        card("refunds", _("Refunds")),
        Card(_("Things paid"), words.count(counts[0]["purchases"]),
             words.change(counts[0]["purchases"], counts[1]["purchases"]), metric="purchases"),
        Card(_("Buyers a day"), f"{counts[0]['buyers'] / days:,.1f}",
             words.change(counts[0]["buyers"], counts[1]["buyers"]), metric="buyers"),
    ]  # fmt: skip


def _change_of_rate(now: Found, before: Found, currency: str) -> float | None:
    rates = [_rate(found, currency) for found in (now, before)]
    return None if rates[0] is None else words.change(rates[0], rates[1] or 0)


def _sales(look: Look, lines: list[Line], currency: str) -> Chart:
    title = _("Sales by kind, in %(currency)s") % {"currency": currency}
    return Chart(title, look.labels, lines, kind="bar", is_stacked=True, metrics=["sales"], when_empty=NOTHING)


def _mix(look: Look, lines: list[Line]) -> Chart:
    title = _("Which share of the sales each kind has")
    mixed = sold.shares(lines)
    return Chart(title, look.labels, mixed, kind="bar", is_stacked=True, suffix="%", most=100, metrics=["sales"],
                 when_empty=NOTHING)  # fmt: skip


def _split(look: Look, now: Found, currency: str) -> Chart:
    """Draw what was paid beside what of it creators and the platform have: what is left are taxes and others' fees."""
    names = {
        "sales": _("sales"),
        "creator_income": _("creators' income"),
        "platform_fees": _("the platform's fees"),
        "refunds": _("refunds"),
    }
    lines = []
    for name, title in names.items():
        own = [figure for figure in now[name] if figure.currency == currency]
        lines.append(Line(title, words.by_day(look, own, per=sold.unit(currency))))
    title = _("Sales, and whose they are, in %(currency)s") % {"currency": currency}
    return Chart(title, look.labels, lines, metrics=list(names), when_empty=NOTHING)


def _income(now: Found, currency: str) -> Chart:
    kinds = sold.by_kind(now["creator_income"], currency)
    return Chart(
        _("Creators' income by kind, in %(currency)s") % {"currency": currency},
        [sold.name_of(kind) for kind in kinds],
        [Line(_("income"), [round(value / sold.unit(currency), 2) for value in kinds.values()])],
        kind="bar",
        is_across=True,
        metrics=["creator_income"],
        when_empty=_("Nobody earned anything."),
    )


def _creators(look: Look, now: Found, currency: str) -> Table:
    found = creators_with_most("creator_income", look.span, most=MOST, ending=currency)
    known = Creator.objects.in_bulk([creator for creator, _total in found])
    everything = _sum(now, "creator_income", currency)
    return Table(
        _("Creators with most income"),
        [_("creator"), _("income"), _("of all income")],
        [
            [known[creator].name, words.money(total, currency), f"{total / everything:.1%}" if everything > 0 else "–"]
            for creator, total in found
            if creator in known
        ],
        _("Nobody earned anything."),
    )


def _currencies(now: Found) -> Table:
    """Tell each currency by itself: they are never added up."""
    used = sorted({figure.currency for name in NAMES for figure in now[name]})
    rows = [[of, *(words.money(_sum(now, name, of), of) for name in NAMES), words.share(_rate(now, of))] for of in used]
    headers = [
        _("currency"), _("sales"), _("refunds"), _("the platform's fees"), _("creators' income"), _("take rate"),
    ]  # fmt: skip
    return Table(_("In each currency"), headers, rows, NOTHING, is_wide=True)


def _waiting() -> Table:
    """Show what the ledger holds now, and how many months were settled until when."""
    rows = [
        [WAITING[of.kind], words.count(of.accounts), words.money(of.balance, of.currency)]
        for of in trial_balance()
        if of.kind in WAITING and of.balance
    ]
    last = SettlementPeriod.objects.order_by("-starts_on").first()
    if last is not None:
        statements = Settlement.objects.filter(period=last).count()
        rows.append([_("Last month settled: %(month)s") % {"month": last}, words.count(statements), ""])
    return Table(
        _("What waits, in the ledger now"), [_("where"), _("accounts"), _("amount")], rows, _("Nothing waits.")
    )


def _payouts() -> Table:
    """Show payouts that are under way, and what holds others up; each leads to its rows."""
    open_ones = Payout.objects.filter(state__in=Payout.OPEN).order_by()
    by_state = open_ones.values_list("state", "currency").annotate(many=Count("pk"), sum=Sum("amount"))
    page, holds = reverse("admin:billing_payout_changelist"), reverse("admin:billing_payouthold_changelist")
    rows = [
        [words.link(f"{page}?state__exact={state}", _(Payout.State(state).label)), many, words.money(total, currency)]
        for state, currency, many, total in sorted(by_state)
    ]
    held = PayoutHold.objects.filter(released_at=None).order_by().values_list("reason").annotate(Count("pk"))
    rows += [[words.link(holds, _(PayoutHold.Reason(reason).label)), many, _("held")] for reason, many in sorted(held)]
    headers = [_("what"), _("how many"), _("amount")]
    return Table(_("Payouts under way, and held"), headers, rows, _("No payout is under way."), is_wide=True)
