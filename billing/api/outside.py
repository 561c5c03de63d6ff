"""What creators earn on other platforms: their channels, and the statements of those."""

from collections.abc import Iterator
from io import BytesIO, StringIO, TextIOWrapper
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import queries
from billing.api.payout_serializers import CURRENCIES
from billing.api.reconciliation import ReportFileParser
from billing.api.views import MoneyViewSet
from billing.models import Channel, OutsideIncome, OutsideStatement
from billing.operations import outside
from billing.operations.outside_rows import LONGEST_REFERENCE, LONGEST_TITLE, MOST
from creators.models import Creator
from creators.operations import publisher
from kpplatform.errors import Invalid
from kpplatform.rest.serializers import Asked, In

MOST_SENT = 1_000  # rows in a body; a file may have more


class RowsOrCsv(Invalid):
    code = "rows_or_csv"


class ChannelIn(In):
    creator = serializers.SlugField(required=False, help_text="Whose, by handle; who asks, if not given.")
    platform = serializers.ChoiceField(Channel.Platform.choices)
    name = serializers.CharField(max_length=50, help_text="What the creator is called there.")


class ChannelOut(serializers.ModelSerializer[Channel]):
    creator = serializers.CharField(source="creator.handle")

    class Meta:
        model = Channel
        fields = ["id", "creator", "platform", "name", "made_at"]


class OutsideRowIn(In):
    day = serializers.DateField()
    kind = serializers.ChoiceField(OutsideIncome.Kind.choices)
    title = serializers.CharField(max_length=LONGEST_TITLE, required=False, allow_blank=True)
    reference = serializers.CharField(max_length=LONGEST_REFERENCE, help_text="It counts once at a channel.")
    gross = serializers.IntegerField(
        min_value=-MOST, max_value=MOST, help_text="In minor units; below zero: given back."
    )
    fee = serializers.IntegerField(
        min_value=-MOST, max_value=MOST, required=False, help_text="Of it: what the platform has kept."
    )
    currency = serializers.ChoiceField(CURRENCIES)


class OutsideStatementIn(In):
    channel = serializers.IntegerField()
    rows = serializers.ListField(child=OutsideRowIn(), required=False, allow_empty=False, max_length=MOST_SENT)
    csv = serializers.CharField(
        max_length=2_000_000,
        trim_whitespace=False,
        required=False,
        help_text="Columns day, kind, title, reference, gross, fee, currency, amounts in minor units.",
    )


class OutsideFileIn(Asked):
    channel = serializers.IntegerField()


class OutsideStatementOut(serializers.ModelSerializer[OutsideStatement]):
    channel = serializers.IntegerField(source="channel_id")
    platform = serializers.ChoiceField(Channel.Platform.choices, source="channel.platform")
    creator = serializers.CharField(source="channel.creator.handle")

    class Meta:
        model = OutsideStatement
        fields = [
            "id", "channel", "platform", "creator", "since", "until", "rows", "duplicates", "differing", "made_at",
            "withdrawn_at", "reason",
        ]  # fmt: skip


class OutsideIncomeOut(serializers.ModelSerializer[OutsideIncome]):
    told_before_by = serializers.IntegerField(
        source="duplicate_of.statement_id", default=None, allow_null=True, help_text="Which statement, if another did."
    )

    differs = serializers.BooleanField(read_only=True, help_text="Whether that says something else of the money.")

    class Meta:
        model = OutsideIncome
        fields = [
            "id", "line", "day", "kind", "title", "reference", "gross", "fee", "currency", "is_counted",
            "told_before_by", "differs",
        ]  # fmt: skip


class WithdrawalIn(In):
    reason = serializers.CharField(max_length=200)


class ChannelViewSet(MoneyViewSet):
    @extend_schema(responses=ChannelOut(many=True))
    def list(self, request: Request) -> Response:
        """The accounts at other platforms of the creator that who asks runs, newest first; all of them for staff."""
        return self.page(queries.channels_seen_by(self.viewer), ChannelOut)

    @extend_schema(request=ChannelIn, responses={201: ChannelOut})
    def create(self, request: Request) -> Response:
        """Note an account at another platform; again it is the same one."""
        ask, handle = self.sent(ChannelIn), self.sent(ChannelIn).get("creator")
        ask["creator"] = get_object_or_404(Creator, handle=handle) if handle else publisher(member=self.viewer)
        channel = outside.add_channel(by=self.viewer, at=timezone.now(), **ask)
        return Response(ChannelOut(channel).data, status=status.HTTP_201_CREATED)


class OutsideStatementViewSet(MoneyViewSet):
    queryset = OutsideStatement.objects.none()
    lookup_value_converter = "int"

    def statement(self, pk: int) -> OutsideStatement:
        return get_object_or_404(queries.outside_statements_seen_by(self.viewer), pk=pk)

    @extend_schema(responses=OutsideStatementOut(many=True))
    def list(self, request: Request) -> Response:
        """The statements of other platforms that who asks may see, newest first."""
        return self.page(queries.outside_statements_seen_by(self.viewer), OutsideStatementOut)

    @extend_schema(responses=OutsideStatementOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(OutsideStatementOut(self.statement(pk)).data)

    @extend_schema(request=OutsideStatementIn, responses={201: OutsideStatementOut})
    def create(self, request: Request) -> Response:
        """Book a statement, as rows or as CSV: all of it or nothing. The same again is the same statement."""
        ask = self.sent(OutsideStatementIn)
        channel = get_object_or_404(queries.channels_seen_by(self.viewer), pk=ask["channel"])
        if ("rows" in ask) == ("csv" in ask):
            raise RowsOrCsv("Send rows, or a CSV.")
        rows = outside.rows_of(StringIO(ask["csv"].removeprefix("\ufeff"), newline="")) if "csv" in ask else told(ask)
        made = outside.import_statement(channel=channel, by=self.viewer, rows=rows, at=timezone.now())
        return Response(OutsideStatementOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=OutsideIncomeOut(many=True))
    @action(detail=True, methods=["get"])
    def rows(self, request: Request, pk: int) -> Response:
        """What it tells, in its order, and which of it another statement had told before."""
        return self.page(queries.rows_of_statement(self.statement(pk)), OutsideIncomeOut)

    @extend_schema(request=WithdrawalIn, responses=OutsideStatementOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Book it back, with a reason; what it told can then be told by another."""
        why = self.sent(WithdrawalIn)["reason"]
        back = outside.withdraw_statement(statement=self.statement(pk), by=self.viewer, why=why, at=timezone.now())
        return Response(OutsideStatementOut(back).data)


class OutsideFileParser(ReportFileParser):
    """The same for a statement, which is smaller."""

    most = 50 << 20


class OutsideFileViewSet(MoneyViewSet):
    parser_classes = [OutsideFileParser]
    is_keyed = False  # the same rows are the same statement, and a large file is not held in memory to tell

    @extend_schema(
        parameters=[OutsideFileIn],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={201: OutsideStatementOut},
    )
    def create(self, request: Request) -> Response:
        """Book a statement of up to a hundred thousand rows: the CSV as a file, in UTF-8."""
        asked = OutsideFileIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        sent = request.data.get("file") if isinstance(request.data, dict) else None
        with sent or BytesIO() as file, TextIOWrapper(file, "utf-8-sig", "surrogateescape", "") as lines:
            pk = asked.validated_data["channel"]
            channel = get_object_or_404(queries.channels_seen_by(self.viewer), pk=pk)
            rows = outside.rows_of(lines)
            made = outside.import_statement(channel=channel, by=self.viewer, rows=rows, at=timezone.now())
        return Response(OutsideStatementOut(made).data, status=status.HTTP_201_CREATED)


def told(ask: dict[str, Any]) -> Iterator[outside.Row]:
    """Yield the rows that were sent, numbered as they came."""
    for line, row in enumerate(ask["rows"], start=1):
        yield outside.Row(**{"line": line, "title": "", "fee": 0, **row})
