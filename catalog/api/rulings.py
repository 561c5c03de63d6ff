"""What was ruled of items: staff take one down and answer appeals, creators appeal."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import operations, queries
from catalog.models import Appeal, Ruling
from kpplatform.rest.serializers import In
from kpplatform.rest.views import ViewSet

RULES = [rule for rule in Ruling.Rule.choices if rule[0] != Ruling.Rule.COPY]


class RulingIn(In):
    item = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    rule = serializers.ChoiceField(RULES)
    why = serializers.CharField(max_length=1_000, allow_blank=True, default="", help_text="The creator reads it.")


class AppealIn(In):
    text = serializers.CharField(max_length=2_000, help_text="Why it is wrong.")


class AppealAnswerIn(In):
    is_upheld = serializers.BooleanField(help_text="Lift the ruling: what was taken down is shown again.")
    answer = serializers.CharField(max_length=1_000, allow_blank=True, default="", help_text="The creator reads it.")


class AppealOut(serializers.ModelSerializer[Appeal]):
    class Meta:
        model = Appeal
        fields = ["text", "appealed_at", "is_upheld", "answer", "answered_at"]


class RulingOut(serializers.ModelSerializer[Ruling]):
    item = serializers.IntegerField(source="item_id")
    title = serializers.CharField(source="item.title")
    is_found_by_comparing = serializers.SerializerMethodField()
    appeal = serializers.SerializerMethodField()

    class Meta:
        model = Ruling
        fields = [
            "id",
            "item",
            "title",
            "rule",
            "effect",
            "why",
            "is_found_by_comparing",
            "ruled_at",
            "lifted_at",
            "appeal",
        ]

    def get_is_found_by_comparing(self, ruling: Ruling) -> bool:
        return ruling.by_id is None

    @extend_schema_field(AppealOut(allow_null=True))
    def get_appeal(self, ruling: Ruling) -> Any:
        """Return the one appeal that there may be."""
        return next((AppealOut(of).data for of in ruling.appeals.all()), None)


class RulingViewSet(ViewSet):
    """What is shown less than it was, by which rule, and what was said to that."""

    serializer_class = RulingOut
    queryset = Ruling.objects.none()
    lookup_value_converter = "int"

    def ruling(self, pk: int) -> Ruling:
        return get_object_or_404(queries.rulings_for(self.viewer), pk=pk)

    @extend_schema(responses=RulingOut(many=True))
    def list(self, request: Request) -> Response:
        """What was ruled of one's own items, of everybody's for staff, the latest first."""
        return self.page(queries.rulings_for(self.viewer), RulingOut)

    @extend_schema(responses=RulingOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(RulingOut(self.ruling(pk)).data)

    @extend_schema(request=RulingIn, responses={201: RulingOut})
    def create(self, request: Request) -> Response:
        """Take an item down by a rule, as the tenant's staff; its creator is told."""
        ask = self.sent(RulingIn)
        item = get_object_or_404(queries.visible_to(self.viewer, at=timezone.now()), pk=ask["item"])
        said: dict[str, Any] = {"rule": Ruling.Rule(ask["rule"]), "why": ask["why"]}
        made = operations.take_down(item=item, **said, by=self.viewer, at=timezone.now())
        return Response(RulingOut(self.ruling(made.pk)).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=AppealIn, responses={201: RulingOut})
    @action(detail=True, methods=["post"])
    def appeal(self, request: Request, pk: int) -> Response:
        """Say why it is wrong, as the item's creator, once."""
        text = self.sent(AppealIn)["text"]
        operations.appeal(ruling=self.ruling(pk), by=self.viewer, text=text, at=timezone.now())
        return Response(RulingOut(self.ruling(pk)).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=AppealAnswerIn, responses=RulingOut)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: int) -> Response:
        """Answer the appeal, as the tenant's staff, once; the creator is told."""
        operations.answer_appeal(ruling=self.ruling(pk), by=self.viewer, **self.sent(AppealAnswerIn), at=timezone.now())
        return Response(RulingOut(self.ruling(pk)).data)
