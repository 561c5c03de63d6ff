"""What models make of texts: topics to accept, what comments praise and blame, and what people mark themselves."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import queries as catalog
from catalog.models import Comment
from kpplatform.rest.serializers import In
from kpplatform.rest.views import SignedIn, ViewSet
from recommender import operations, queries
from recommender.api.permissions import RunsTheTenant
from recommender.ml.tagger.sentences import LABELS
from recommender.models import SpanLabel, TextRun, TopicSuggestion

MOST_SPANS = 100


class TopicSuggestionOut(serializers.ModelSerializer[TopicSuggestion]):
    item = serializers.IntegerField(source="item_id")
    title = serializers.CharField(source="item.title")
    topic = serializers.CharField(source="topic.slug")
    by = serializers.IntegerField(source="by_id", allow_null=True)

    class Meta:
        model = TopicSuggestion
        fields = ["id", "item", "title", "topic", "confidence", "state", "suggested_at", "by", "decided_at"]


class TextRunOut(serializers.ModelSerializer[TextRun]):
    class Meta:
        model = TextRun
        fields = ["id", "kind", "outcome", "read", "told", "metrics", "began_at", "ended_at"]


class TextRunIn(In):
    kind = serializers.ChoiceField(TextRun.Kind.choices)


class TextJobOut(serializers.Serializer[Any]):
    job = serializers.IntegerField(allow_null=True, help_text="None while one is waiting already.")


class HighlightOut(serializers.Serializer[Any]):
    text = serializers.CharField()
    comments = serializers.IntegerField(help_text="In how many it stands.")
    comment = serializers.IntegerField(help_text="The newest of them.")


class HighlightsOut(serializers.Serializer[Any]):
    comments = serializers.IntegerField(help_text="How many were read.")
    sentiment = serializers.FloatField(allow_null=True, help_text="From −1, all blame, to 1, all praise.")
    positive, negative = HighlightOut(many=True), HighlightOut(many=True)
    keywords = serializers.ListField(child=serializers.CharField())


class SpanIn(In):
    start = serializers.IntegerField(min_value=0, help_text="The first character.")
    end = serializers.IntegerField(min_value=1, help_text="Behind the last one.")
    label = serializers.ChoiceField(LABELS[1:])  # type: ignore[assignment]


class SpanLabelIn(In):
    comment = serializers.IntegerField(min_value=1)
    spans = serializers.ListField(child=SpanIn(), max_length=MOST_SPANS)

    def validate_comment(self, number: int) -> Comment:
        if comment := Comment.objects.filter(pk=number, deleted_at=None).first():
            return comment
        raise serializers.ValidationError("There is no such comment.", code="unknown_comment")


class SpanLabelOut(serializers.ModelSerializer[SpanLabel]):
    comment = serializers.IntegerField(source="comment_id")
    by = serializers.IntegerField(source="by_id")
    spans = serializers.ListField(child=serializers.ListField(child=serializers.JSONField()))

    class Meta:
        model = SpanLabel
        fields = ["id", "comment", "by", "spans", "labelled_at"]


class AgreementOut(serializers.Serializer[Any]):
    one, other = serializers.IntegerField(), serializers.IntegerField()
    comments = serializers.IntegerField(help_text="That both have marked.")
    kappa = serializers.FloatField(allow_null=True, help_text="Cohen's, over characters; null where it has no value.")


class AgreementsOut(serializers.Serializer[Any]):
    results = AgreementOut(many=True)


class TopicSuggestionViewSet(ViewSet):
    """Topics for items that have none: of all items for staff, of one's own for creators."""

    serializer_class = TopicSuggestionOut
    queryset = TopicSuggestion.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[TopicSuggestion]:
        return queries.topic_suggestions(to=self.viewer)

    @extend_schema(responses=TopicSuggestionOut(many=True))
    def list(self, request: Request) -> Response:
        """What is suggested, the surest first."""
        return self.page(self.get_queryset(), TopicSuggestionOut)

    @extend_schema(request=None, responses=TopicSuggestionOut)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: int) -> Response:
        """Make it the item's topic."""
        asked = get_object_or_404(self.get_queryset(), pk=pk)
        accepted = operations.accept_topic(suggestion=asked, by=self.viewer, at=timezone.now())
        return Response(TopicSuggestionOut(accepted).data)

    @extend_schema(request=None, responses=TopicSuggestionOut)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: int) -> Response:
        """Hear of it no more."""
        asked = get_object_or_404(self.get_queryset(), pk=pk)
        declined = operations.decline_topic(suggestion=asked, by=self.viewer, at=timezone.now())
        return Response(TopicSuggestionOut(declined).data)


class TextRunViewSet(ViewSet):
    """Passes over the tenant's texts."""

    permission_classes = [RunsTheTenant]

    @extend_schema(responses=TextRunOut(many=True))
    def list(self, request: Request) -> Response:
        """How they went, newest first."""
        return self.page(queries.text_runs(), TextRunOut)

    @extend_schema(request=TextRunIn, responses={202: TextJobOut})
    def create(self, request: Request) -> Response:
        """Ask for one, by a worker and soon."""
        job = operations.ask_for_texts(kind=TextRun.Kind(self.sent(TextRunIn)["kind"]))
        return Response({"job": job.pk if job else None}, status=status.HTTP_202_ACCEPTED)


class HighlightsView(SignedIn, APIView):
    """What is said of an item."""

    @extend_schema(operation_id="highlights", responses=HighlightsOut)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002  the path's name
        """What its comments praise and blame most often, and the words they use."""
        item = get_object_or_404(catalog.visible_to(self.viewer, at=timezone.now()), pk=id)
        return Response(HighlightsOut(queries.highlights(item, viewer=self.viewer)).data)


class SpanLabelViewSet(ViewSet):
    """What the tenant's staff marked as praise and blame, for a tagger to learn from."""

    permission_classes = [RunsTheTenant]

    @extend_schema(responses=SpanLabelOut(many=True))
    def list(self, request: Request) -> Response:
        """What was marked, newest first."""
        return self.page(queries.span_labels(), SpanLabelOut)

    @extend_schema(request=SpanLabelIn, responses={201: SpanLabelOut})
    def create(self, request: Request) -> Response:
        """Mark a comment, in the place of what one had marked in it before."""
        ask = self.sent(SpanLabelIn)
        spans = [[of["start"], of["end"], of["label"]] for of in ask["spans"]]
        marked = operations.label_spans(comment=ask["comment"], by=self.viewer, spans=spans, at=timezone.now())
        return Response(SpanLabelOut(marked).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=AgreementsOut)
    @action(detail=False, methods=["get"], pagination_class=None)
    def agreement(self, request: Request) -> Response:
        """How far each two members agree: Cohen's κ."""
        return Response(AgreementsOut({"results": queries.agreements()}).data)
