"""Ask a creator for money, answer, ask again, rate."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.views import MoneyViewSet
from billing.models import Consultation, ConsultationEntry, ConsultationOffer
from billing.money import Money
from billing.operations.consultations import MOST_FIELDS, MOST_FOLLOW_UPS, MOST_HOURS, MOST_LINKS, TYPES
from billing.operations.prices import MOST
from creators.models import Creator
from kpplatform.rest.serializers import In
from kpplatform.tenancy.scope import current_tenant


class FieldIn(In):
    name = serializers.SlugField(max_length=40)
    label = serializers.CharField(max_length=200)  # type: ignore[assignment]
    type = serializers.ChoiceField(TYPES)
    required = serializers.BooleanField(default=True)  # type: ignore[assignment]
    choices = serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=50)


class ConsultationOfferIn(In):
    creator = serializers.CharField(max_length=40, help_text="The handle of who answers.")
    kind = serializers.ChoiceField(ConsultationOffer.Kind.choices)
    title = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, max_length=5_000)
    amount = serializers.IntegerField(min_value=1, max_value=MOST, help_text="In minor units, tax included.")
    hours = serializers.IntegerField(min_value=1, max_value=MOST_HOURS)
    follow_ups = serializers.IntegerField(required=False, min_value=0, max_value=MOST_FOLLOW_UPS)
    form = serializers.ListField(child=FieldIn(), allow_empty=True, max_length=MOST_FIELDS)


class ConsultationOfferOut(serializers.ModelSerializer[ConsultationOffer]):
    product = serializers.IntegerField(source="product_id", help_text="To be ordered, with the intake.")
    title = serializers.CharField(source="product.title")
    description = serializers.CharField(source="product.description")
    creator = serializers.CharField(source="product.creator.handle")
    amount = serializers.IntegerField(source="product.amount")
    currency = serializers.CharField(source="product.currency")
    form = FieldIn(many=True)

    class Meta:
        model = ConsultationOffer
        fields = [
            "id", "product", "kind", "title", "description", "creator", "amount", "currency", "hours", "follow_ups",
            "form",
        ]  # fmt: skip


class EntryOut(serializers.ModelSerializer[ConsultationEntry]):
    by = serializers.IntegerField(source="by_id")
    links = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ConsultationEntry
        fields = ["id", "kind", "version", "body", "links", "by", "written_at"]


class ConsultationOut(serializers.ModelSerializer[Consultation]):
    title = serializers.CharField(source="offer.product.title")
    order = serializers.IntegerField(source="line.order_id")
    line = serializers.IntegerField(source="line_id")
    viewer = serializers.IntegerField(source="viewer_id")
    creator = serializers.CharField(source="creator.handle")
    intake = serializers.DictField()
    entries = EntryOut(many=True)

    class Meta:
        model = Consultation
        fields = [
            "id", "title", "order", "line", "viewer", "creator", "state", "intake", "due_at", "follow_ups_left",
            "rating", "entries",
        ]  # fmt: skip


class AnswerIn(In):
    body = serializers.CharField(max_length=20_000)
    links = serializers.ListField(child=serializers.URLField(max_length=500), required=False, max_length=MOST_LINKS)


class FollowUpIn(In):
    body = serializers.CharField(max_length=4_000)


class ClosedIn(In):
    why = serializers.CharField(required=False, max_length=200)


class RatingIn(In):
    rating = serializers.IntegerField(min_value=1, max_value=5)


class ConsultationOfferViewSet(MoneyViewSet):
    @extend_schema(responses=ConsultationOfferOut(many=True))
    def list(self, request: Request) -> Response:
        """What creators answer, plan and make to order, newest first; it is ordered as a product, with the intake."""
        return self.page(queries.consultation_offers(at=timezone.now()), ConsultationOfferOut)

    @extend_schema(request=ConsultationOfferIn, responses={201: ConsultationOfferOut})
    def create(self, request: Request) -> Response:
        """Offer answers, plans or works to order: their creator, or the tenant's staff."""
        ask = self.sent(ConsultationOfferIn)
        ask["creator"] = get_object_or_404(Creator, handle=ask["creator"])
        ask["amount"] = Money(ask["amount"], current_tenant().currency)
        offer = operations.offer_consultation(by=self.viewer, at=timezone.now(), **ask)
        return Response(ConsultationOfferOut(offer).data, status=status.HTTP_201_CREATED)


class ConsultationViewSet(MoneyViewSet):
    queryset = Consultation.objects.none()
    lookup_value_converter = "int"

    def asked(self, pk: int) -> Consultation:
        return get_object_or_404(queries.consultations_seen_by(self.viewer), pk=pk)

    def shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        return Response(ConsultationOut(self.asked(pk)).data, status=code)

    @extend_schema(responses=ConsultationOut(many=True))
    def list(self, request: Request) -> Response:
        """What who asks has asked or is asked, newest first; all of it for the tenant's staff."""
        return self.page(queries.consultations_seen_by(self.viewer), ConsultationOut)

    @extend_schema(responses=ConsultationOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One consultation: for its buyer, its creator and the tenant's staff."""
        return self.shown(pk)

    @extend_schema(request=AnswerIn, responses={201: ConsultationOut})
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: int) -> Response:
        """Answer, or answer better: each answer is a new version."""
        ask: dict[str, Any] = self.sent(AnswerIn)
        operations.answer(consultation=self.asked(pk), by=self.viewer, at=timezone.now(), **ask)
        return self.shown(pk, status.HTTP_201_CREATED)

    @extend_schema(request=FollowUpIn, responses={201: ConsultationOut})
    @action(detail=True, methods=["post"], url_path="follow-up")
    def follow_up(self, request: Request, pk: int) -> Response:
        """Ask again about what was answered, as often as was promised."""
        ask = self.sent(FollowUpIn)
        operations.follow_up(consultation=self.asked(pk), by=self.viewer, body=ask["body"], at=timezone.now())
        return self.shown(pk, status.HTTP_201_CREATED)

    @extend_schema(request=ClosedIn, responses=ConsultationOut)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: int) -> Response:
        """Have it answered no further: its buyer, or the tenant's staff."""
        why, now = self.sent(ClosedIn).get("why", ""), timezone.now()
        operations.close_consultation(consultation=self.asked(pk), by=self.viewer, why=why, at=now)
        return self.shown(pk)

    @extend_schema(request=RatingIn, responses=ConsultationOut)
    @action(detail=True, methods=["post"])
    def rate(self, request: Request, pk: int) -> Response:
        """Say how good the answer was, from 1 to 5: its buyer."""
        rating = self.sent(RatingIn)["rating"]
        operations.rate_consultation(consultation=self.asked(pk), by=self.viewer, rating=rating)
        return self.shown(pk)
