"""What providers give to creators directly (分账), and to whom."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import queries
from billing.api.payouts import creator_meant
from billing.api.views import MoneyViewSet
from billing.models import Split, SplitReceiver, SplitReturn, StateChange
from billing.operations import splitting
from billing.providers import SPLITTING, Receiver
from kpplatform.rest.serializers import In


class SplitReceiverIn(In):
    creator = serializers.SlugField(required=False, help_text="The creator that who asks runs, if not given.")
    provider = serializers.ChoiceField(sorted(SPLITTING))
    kind = serializers.ChoiceField(SplitReceiver.Kind.choices)
    account = serializers.CharField(
        max_length=64, min_length=4, help_text="At Stripe acct_…, at WeChat Pay a merchant's number or an openid."
    )
    name = serializers.CharField(max_length=100, help_text="As the provider knows it.")


class SplitReceiverOut(serializers.ModelSerializer[SplitReceiver]):
    creator = serializers.CharField(source="creator.handle")

    class Meta:
        model = SplitReceiver
        fields = ["id", "creator", "provider", "kind", "hint", "made_at", "registered_at", "refusal"]


class SplitReturnOut(serializers.ModelSerializer[SplitReturn]):
    class Meta:
        model = SplitReturn
        fields = ["id", "amount", "state", "reason", "asked_at", "done_at"]


class SplitChangeOut(serializers.ModelSerializer[StateChange]):
    class Meta:
        model = StateChange
        fields = ["before", "after", "why", "changed_at"]


class SplitOut(serializers.ModelSerializer[Split]):
    creator = serializers.CharField(source="creator.handle")
    order = serializers.IntegerField(source="order.payment.order_id")
    provider = serializers.CharField(source="order.payment.provider")
    told = serializers.CharField(source="order.state", help_text="How far the provider is: asked, unknown, done …")
    receiver = serializers.CharField(source="receiver.hint", help_text="How the receiver's account ends.")
    asked_at = serializers.DateTimeField(source="order.asked_at")
    returns = SplitReturnOut(many=True)

    class Meta:
        model = Split
        fields = [
            "id", "creator", "order", "provider", "amount", "returned", "currency", "state", "told", "receiver",
            "reference", "reason", "asked_at", "done_at", "returns",
        ]  # fmt: skip


class SplitWholeOut(SplitOut):
    changes = serializers.SerializerMethodField()

    class Meta(SplitOut.Meta):
        fields = [*SplitOut.Meta.fields, "changes"]

    @extend_schema_field(SplitChangeOut(many=True))
    def get_changes(self, split: Split) -> object:
        return SplitChangeOut(queries.changes_of_split(split.order), many=True).data


class SplitReceiverViewSet(MoneyViewSet):
    @extend_schema(responses=SplitReceiverOut(many=True))
    def list(self, request: Request) -> Response:
        """To whom providers give the part of the creator that who asks runs; of every creator, for staff."""
        return self.page(queries.split_receivers_seen_by(self.viewer), SplitReceiverOut)

    @extend_schema(request=SplitReceiverIn, responses={201: SplitReceiverOut})
    def create(self, request: Request) -> Response:
        """Have the provider give a creator's part to this account of theirs from now on."""
        ask = self.sent(SplitReceiverIn)
        made = splitting.set_split_receiver(
            creator=creator_meant(self, ask.get("creator")),
            by=self.viewer,
            provider=ask["provider"],
            kind=ask["kind"],
            to=Receiver(ask["account"], ask["name"]),
            at=timezone.now(),
        )
        return Response(SplitReceiverOut(made).data, status=status.HTTP_201_CREATED)


class SplitViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    @extend_schema(responses=SplitOut(many=True))
    def list(self, request: Request) -> Response:
        """What the creator that who asks runs gets from providers directly, newest first; all of it for staff."""
        return self.page(queries.splits_seen_by(self.viewer), SplitOut)

    @extend_schema(responses=SplitWholeOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them, with what became of the payment's division, when and why."""
        return Response(SplitWholeOut(get_object_or_404(queries.splits_seen_by(self.viewer), pk=pk)).data)
