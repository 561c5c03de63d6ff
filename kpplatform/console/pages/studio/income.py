"""What a creator earns, by which ways; where the money is, and what to do for more of it."""

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from billing.models import OutsideIncome, Payout, PayoutHold, Settlement
from billing.queries import HERE, balances_of_creator, income_of, next_maturity
from kpplatform.console.pages import sold, words
from kpplatform.console.pages.shapes import Card, Chart, Look, Shown, Table
from kpplatform.metrics.queries import Figure, currency_of, in_currency, parts_of, series
from kpplatform.metrics.queries.weekly import Action, actions

NOTHING = gettext_lazy("Nothing was earned these days.")
LAST_PAYOUTS = 5
WEEKS = 2
MOVES = {
    "sale": gettext_noop("sold"),
    "refund": gettext_noop("given back"),
    "refund_failed": gettext_noop("could not be given back"),
    "gift_back": gettext_noop("given back"),
    "dispute_held": gettext_noop("held for a dispute"),
    "dispute_released": gettext_noop("released after a dispute"),
    "dispute_withdrawn": gettext_noop("lost in a dispute"),
    "dispute_reinstated": gettext_noop("won in a dispute"),
    "ad_credit": gettext_noop("given back to advertisers"),
    "payout": gettext_noop("set aside to be paid out"),
    "payout_paid": gettext_noop("paid out"),
    "payout_failed": gettext_noop("could not be paid out"),
    "payout_reversed": gettext_noop("paid out and came back"),
    "payout_fee": gettext_noop("fee of a payout"),
    "withholding": gettext_noop("tax withheld"),
    "withholding_back": gettext_noop("tax given back"),
}


def shown(look: Look) -> Shown:
    now, before = (
        series(["creator_income"], of, by_part=True)["creator_income"] for of in (look.span, look.span.before())
    )
    return Shown(
        cards=_cards(look),
        parts=[
            _mix(look, now),
            _shares(look, now, before),
            *_currencies(look),
            _actions(look),
            _statement(look),
            _payouts(look),
            *_elsewhere(look),
        ],
    )


def _currency(look: Look) -> str:
    assert look.tenant, "A studio is of a tenant's creator."
    return look.tenant.currency


def _cards(look: Look) -> list[Card]:
    assert look.creator
    currency = _currency(look)
    balances = balances_of_creator(look.creator, currency)
    titles = {
        "pending": _("Still refundable"),
        "available": _("To be paid out"),
        "reserve": _("Held back"),
        "in_transit": _("Being paid out"),
        "clawback": _("Owed by you"),
    }
    return [
        *words.cards_of_income(look, currency),
        *(Card(title, str(balances[kind])) for kind, title in titles.items() if balances.get(kind)),
        Card(_("Next matures"), _next(look)),
    ]


def _next(look: Look) -> str:
    assert look.creator
    at = next_maturity(look.creator)
    if at is None:
        return "–"
    return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT") if at > look.at else _("now")


def _mix(look: Look, now: list[Figure]) -> Chart:
    currency = _currency(look)
    return Chart(
        _("Income by kind"),
        look.labels,
        sold.lines_by_kind(look, now, currency),
        kind="bar",
        is_stacked=True,
        suffix=f" {currency}",
        metrics=["creator_income"],
        when_empty=NOTHING,
    )


def _shares(look: Look, now: list[Figure], before: list[Figure]) -> Table:
    """Tell what each way of earning has brought, and which share of it all; refunds count with what was sold."""
    currency = _currency(look)
    brought, then = (sold.by_kind(figures, currency) for figures in (now, before))
    whole = sum(value for value in brought.values() if value > 0)
    rows = [
        [
            sold.name_of(kind),
            words.money(value, currency),
            f"{max(value, 0) / whole:.1%}" if whole else "–",
            words.money(then.get(kind, 0), currency),
        ]
        for kind, value in brought.items()
    ]
    return Table(_("The mix"), [_("kind"), _("amount"), _("share of all"), _("the days before")], rows, NOTHING)


def _currencies(look: Look) -> list[Table]:
    """Tell what is earned in other currencies than the tenant's: they are never added up."""
    names = ("creator_income", "refunds")
    found = parts_of(names, look.span)
    others = {currency_of(part) for parts in found.values() for part in parts} - {_currency(look)}
    rows = [[of, *(words.money(in_currency(found[name], of), of) for name in names)] for of in sorted(others)]
    headers = [_("currency"), _("income"), _("refunds")]
    return [Table(_("In other currencies"), headers, rows, NOTHING)] if rows else []


def _actions(look: Look) -> Table:
    assert look.creator
    found = actions(creator=look.creator, currency=_currency(look), day=look.until, weeks=WEEKS)
    return Table(
        _("What the last weeks ask for, and what became of it"),
        [_("week of"), _("advice"), _("measured"), _("that week"), _("the week after")],
        [_action(of) for of in found],
        gettext_lazy("The last weeks ask for nothing, or too little happened to say."),
        is_wide=True,
    )


def _action(of: Action) -> list[str]:
    after = "–" if of.after is None else f"{of.after:.1%}"
    verdicts = {True: _("better"), False: _("not better"), None: ""}
    return [
        date_format(of.week, "SHORT_DATE_FORMAT"),
        str(of.rule.advice),
        str(of.rule.measured),
        f"{of.before:.1%}",
        f"{after} {verdicts[of.is_better]}".strip(),
    ]


def _statement(look: Look) -> Table:
    rows = Settlement.objects.filter(creator=look.creator, currency=_currency(look))
    last = rows.select_related("period").prefetch_related("lines").order_by("-pk").first()
    told: list[list[Any]] = []
    if last:
        told = [
            [_("opening balance"), "", words.money(last.opening, last.currency)],
            *(
                [_moved(line.kind), words.count(line.count), words.money(line.amount, last.currency)]
                for line in last.lines.all()
            ),
            [_("closing balance"), "", str(last.money)],
        ]
    month = date_format(last.period.starts_on, "YEAR_MONTH_FORMAT") if last else ""
    title = _("Statement of %(month)s") % {"month": month} if last else _("Statement of the month")
    return Table(title, [_("what"), _("count"), _("amount")], told, gettext_lazy("No month was closed yet."))


def _moved(kind: str) -> str:
    """Return a kind of movement of a statement in words: sold: courses."""
    what, _colon, of = kind.partition(":")
    if what not in MOVES:
        return str(sold.name_of(what))
    return f"{_(MOVES[what])}: {sold.name_of(of)}" if of else _(MOVES[what])


def _payouts(look: Look) -> Table:
    holds = PayoutHold.objects.filter(creator=look.creator, released_at=None).order_by("pk")
    last = Payout.objects.filter(creator=look.creator).order_by("-pk")[:LAST_PAYOUTS]
    rows = [
        [
            date_format(hold.expected_on, "SHORT_DATE_FORMAT"),
            _("held up: %(reason)s") % {"reason": _(hold.get_reason_display())},
            hold.required_action,
        ]
        for hold in holds
    ]
    rows += [
        [
            date_format(timezone.localtime(payout.done_at or payout.drafted_at), "SHORT_DATE_FORMAT"),
            _(payout.get_state_display()),
            words.money(payout.amount, payout.currency),
        ]
        for payout in last
    ]
    return Table(_("Payouts"), [_("day"), _("state"), _("amount")], rows, gettext_lazy("Nothing was paid out yet."))


def _elsewhere(look: Look) -> list[Table]:
    """Tell what is earned on other platforms, for who has told of any."""
    income = income_of(creator=look.creator, since=look.since, until=look.until)
    lines = [line for line in income.lines if line.platform != HERE]
    if not lines:
        return []
    rows = [
        [
            line.platform,
            _(OutsideIncome.Kind(line.kind).label),
            words.money(line.all.net, line.currency),
            "–" if line.currency in income.unconverted else words.money(line.into.net, income.currency),
        ]
        for line in lines
    ]
    headers = [_("platform"), _("kind"), _("amount"), _("in %(currency)s") % {"currency": income.currency}]
    return [Table(_("Income elsewhere"), headers, rows, "")]
