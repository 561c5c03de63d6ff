"""What is earned here and elsewhere, side by side, and what currencies are worth."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import queries
from billing.api.outside import RowsOrCsv
from billing.api.views import MoneyViewSet
from billing.models import ExchangeRate
from billing.operations import outside
from billing.operations.rates import EARLIEST, LONGEST_SOURCE, RATE
from creators.operations import asked_about
from kpplatform.errors import Conflict, Invalid
from kpplatform.rest.serializers import Asked, In
from kpplatform.rest.views import SignedIn
from kpplatform.tenancy.models import ApiToken

MOST_DAYS, MOST_SENT = 366, 1_000
CURRENCY = r"^[A-Z]{3}$"
LATEST = date(9999, 12, 31)
MOST = 10**18  # what programs can read as a whole number
COLUMNS = (
    *("platform", "kind", "currency", "gross", "fee", "net"),
    *("into", "gross_into", "fee_into", "net_into", "gross_left", "fee_left", "net_left", "rates"),
)


class BadSpan(Invalid):
    code = "bad_span"


class TooMuchToConvert(Conflict):
    code = "too_much_to_convert"


class IncomeIn(Asked):
    since = serializers.DateField(required=False, help_text="The first day; that of this month, if not given.")
    until = serializers.DateField(required=False, help_text="The last day; today, if not given.")
    creator = serializers.SlugField(required=False, help_text="For staff: whose, by handle; else everybody's.")
    form = serializers.ChoiceField(["json", "csv"], default="json")


class AmountsOut(serializers.Serializer[Any]):
    gross = serializers.IntegerField(help_text="What was paid, in minor units …")
    fee = serializers.IntegerField(help_text="… what the platform has kept of it …")
    net = serializers.IntegerField(help_text="… and what is left.")


class EarnedOut(serializers.Serializer[Any]):
    platform = serializers.CharField(help_text="`here`, or where else.")
    kind = serializers.CharField(help_text="As statements call it here, and as it was told of elsewhere.")
    currency = serializers.CharField()
    all = AmountsOut()
    into = AmountsOut(help_text="What of it could be converted, in the tenant's currency.")
    left = AmountsOut(help_text="What of it could not, for want of a rate, in its own.")


class UsedOut(serializers.Serializer[Any]):
    base = serializers.CharField(source="rate.base")
    quote = serializers.CharField(source="rate.quote")
    day = serializers.DateField(source="rate.day")
    rate = serializers.SerializerMethodField()
    source = serializers.CharField(source="rate.source")  # type: ignore[assignment]
    since = serializers.DateField(help_text="The first day it was used for …")
    until = serializers.DateField(help_text="… and the last: later than its own, if there was none of that day.")

    def get_rate(self, used: queries.Used) -> str:
        return plain(used.rate.rate)


class IncomeOut(serializers.Serializer[queries.Income]):
    since = serializers.DateField()
    until = serializers.DateField()
    currency = serializers.CharField(help_text="The tenant's, into which is converted.")
    total = serializers.IntegerField(help_text="The sum of the lines' nets, of what could be converted.")
    unconverted = serializers.DictField(
        child=serializers.IntegerField(), help_text="By currency: what is not a part of the total, for want of a rate."
    )
    lines = EarnedOut(many=True)
    rates = UsedOut(many=True)


class RateIn(In):
    day = serializers.DateField()
    base = serializers.RegexField(CURRENCY)
    quote = serializers.RegexField(CURRENCY)
    rate = serializers.RegexField(RATE, help_text="What one unit of `base` is worth of `quote`, exactly.")
    source = serializers.CharField(max_length=LONGEST_SOURCE)  # type: ignore[assignment]


class RatesIn(In):
    rates = serializers.ListField(child=RateIn(), required=False, allow_empty=False, max_length=MOST_SENT)
    csv = serializers.CharField(
        max_length=500_000,
        trim_whitespace=False,
        required=False,
        help_text="Columns day, base, quote, rate, source.",
    )


class RateOut(serializers.ModelSerializer[ExchangeRate]):
    rate = serializers.SerializerMethodField()

    class Meta:
        model = ExchangeRate
        fields = ["id", "day", "base", "quote", "rate", "source", "set_at"]

    def get_rate(self, row: ExchangeRate) -> str:
        return plain(row.rate)


class SetOut(serializers.Serializer[Any]):
    rates = RateOut(many=True)


class ExchangeRateViewSet(MoneyViewSet):
    @extend_schema(responses=RateOut(many=True))
    def list(self, request: Request) -> Response:
        """Every rate that was set, the latest first; of a day, the last one set holds."""
        return self.page(queries.exchange_rates(), RateOut)

    @extend_schema(request=RatesIn, responses={201: SetOut})
    def create(self, request: Request) -> Response:
        """Set rates, one by one or as CSV, all of them or none: for the tenant's staff."""
        ask = self.sent(RatesIn)
        if ("rates" in ask) == ("csv" in ask):
            raise RowsOrCsv("Send rates, or a CSV.")
        if "csv" in ask:
            rates = outside.rates_of(io.StringIO(ask["csv"].removeprefix("\ufeff"), newline=""))
        else:
            rates = (outside.Rated(**{**row, "rate": Decimal(row["rate"])}) for row in ask["rates"])
        held = outside.set_rates(rates=rates, by=self.viewer, at=timezone.now())
        return Response(SetOut({"rates": held}).data, status=status.HTTP_201_CREATED)


class IncomeView(SignedIn):
    """What a creator earns here and on other platforms."""

    write_scope = ApiToken.Scope.MONEY

    @extend_schema(
        operation_id="income",
        parameters=[IncomeIn],
        responses={(200, "application/json"): IncomeOut, (200, "text/csv"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> Any:
        """One's own income by platform, kind and currency, and in the tenant's; staff ask for anybody's, or all."""
        asked = IncomeIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        ask = asked.validated_data
        today = queries.tenants_time(timezone.now()).date()
        until = ask.get("until", today)
        since = ask.get("since", min(until, today).replace(day=1))
        if not (EARLIEST <= since <= until < LATEST and (until - since).days < MOST_DAYS):
            raise BadSpan(f"A report is of at most {MOST_DAYS} days, the first one first.")
        about = asked_about(by=self.viewer, handle=ask.get("creator"))
        income = queries.income_of(creator=about, since=since, until=until)
        if abs(income.total) >= MOST or any(abs(line.into.gross) >= MOST for line in income.lines):
            raise TooMuchToConvert("By these rates it is more than can be shown.")
        if ask["form"] == "csv":
            named = {"Content-Disposition": f'attachment; filename="income-{since}-{until}.csv"'}
            return HttpResponse(csv_of(income), content_type="text/csv; charset=utf-8", headers=named)
        return Response(IncomeOut(income).data)


def csv_of(income: queries.Income) -> str:
    """Return the report as CSV: the same lines, each with the rates that its currency was converted at."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    rates: dict[str, list[str]] = {}
    for used in income.rates:
        said = f"{plain(used.rate.rate)} of {used.rate.day} for {used.since} to {used.until}"
        rates.setdefault(used.rate.base, []).append(said)
    for line in income.lines:
        amounts = [(of.gross, of.fee, of.net) for of in (line.all, line.into, line.left)]
        what, told = (line.platform, line.kind, line.currency), "; ".join(rates.get(line.currency, []))
        writer.writerow([*what, *amounts[0], income.currency, *amounts[1], *amounts[2], told])
    return out.getvalue()


def plain(rate: Decimal) -> str:
    """Return a rate as people write it, without the zeros behind."""
    return f"{rate.normalize():f}"
