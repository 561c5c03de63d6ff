"""What a creator earns, by which ways; where the money is, and what to do for more of it."""

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import Payout, PayoutHold, Settlement
from billing.money import EXPONENTS
from billing.queries import HERE, balances_of_creator, income_of, next_maturity
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Shown, Table
from kpplatform.console.pages.studio import kinds
from kpplatform.metrics.queries import by_part, series
from kpplatform.metrics.queries.weekly import Action, actions

NOTHING = gettext_lazy("Nothing was earned these days.")
LAST_PAYOUTS = 5
WEEKS = 2


def shown(look: Look) -> Shown:
    return Shown(
        cards=_cards(look),
        parts=[_mix(look), _shares(look), _actions(look), _statement(look), _payouts(look), *_elsewhere(look)],
    )


def _currency(look: Look) -> str:
    assert look.tenant, "A studio is of a tenant's creator."
    return look.tenant.currency


def _cards(look: Look) -> list[Card]:
    assert look.creator
    currency = _currency(look)
    now, before = (words.in_currency(by_part("creator_income", of), currency) for of in (look.span, look.span.before()))
    refunds = words.in_currency(by_part("refunds", look.span), currency)
    balances = balances_of_creator(look.creator, currency)
    titles = {
        "pending": _("Still refundable"),
        "available": _("To be paid out"),
        "reserve": _("Held back"),
        "in_transit": _("Being paid out"),
        "clawback": _("Owed by you"),
    }
    return [
        Card(_("Income"), words.money(now, currency), words.change(now, before), metric="creator_income"),
        Card(_("Refunds"), words.money(refunds, currency), metric="refunds"),
        *(Card(title, str(balances[kind])) for kind, title in titles.items() if balances.get(kind)),
        Card(_("Next matures"), _next(look)),
    ]


def _next(look: Look) -> str:
    assert look.creator
    at = next_maturity(look.creator)
    if at is None:
        return "–"
    return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT") if at > look.at else _("now")


def _mix(look: Look) -> Chart:
    currency = _currency(look)
    found = kinds.figures_by_way(series(["creator_income"], look.span, by_part=True)["creator_income"], currency)
    lines = [
        Line(kinds.named(way), words.by_day(look, figures, per=10 ** EXPONENTS[currency]))
        for way, figures in sorted(found.items())
    ]
    return Chart(
        _("Income by kind"),
        look.labels,
        lines,
        kind="bar",
        is_stacked=True,
        suffix=f" {currency}",
        metrics=["creator_income"],
        when_empty=NOTHING,
    )


def _shares(look: Look) -> Table:
    """Tell what each way of earning has brought, and which share of it all; refunds count with what was sold."""
    currency = _currency(look)
    now, before = (kinds.by_way(by_part("creator_income", of), currency) for of in (look.span, look.span.before()))
    whole = sum(value for value in now.values() if value > 0)
    rows = [
        [
            kinds.named(way),
            words.money(value, currency),
            f"{max(value, 0) / whole:.1%}" if whole else "–",
            words.money(before.get(way, 0), currency),
        ]
        for way, value in now.items()
    ]
    return Table(_("The mix"), [_("kind"), _("amount"), _("share of all"), _("the days before")], rows, NOTHING)


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
                [kinds.told(line.kind), line.count, words.money(line.amount, last.currency)]
                for line in last.lines.all()
            ),
            [_("closing balance"), "", str(last.money)],
        ]
    month = date_format(last.period.starts_on, "YEAR_MONTH_FORMAT") if last else ""
    title = _("Statement of %(month)s") % {"month": month} if last else _("Statement of the month")
    return Table(title, [_("what"), _("count"), _("amount")], told, gettext_lazy("No month was closed yet."))


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
            line.kind,
            words.money(line.all.net, line.currency),
            words.money(line.into.net, income.currency),
        ]
        for line in lines
    ]
    headers = [_("platform"), _("kind"), _("amount"), _("in %(currency)s") % {"currency": income.currency}]
    return [Table(_("Income elsewhere"), headers, rows, "")]
