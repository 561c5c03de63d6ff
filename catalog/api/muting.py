"""The words that a viewer does not want to read."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import operations, queries
from catalog.models import MutedWord
from kpplatform.rest.serializers import In
from kpplatform.rest.views import ViewSet


class MutedWordIn(In):
    word = serializers.CharField(max_length=40)


class MutedWordOut(serializers.ModelSerializer[MutedWord]):
    class Meta:
        model = MutedWord
        fields = ["id", "word", "muted_at"]


class MutedWordViewSet(ViewSet):
    queryset = MutedWord.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Any]:
        return queries.muted_words(self.viewer)

    @extend_schema(responses=MutedWordOut(many=True))
    def list(self, request: Request) -> Response:
        """The words that who asks has muted, the latest first."""
        return self.page(self.get_queryset(), MutedWordOut)

    @extend_schema(request=MutedWordIn, responses={201: MutedWordOut})
    def create(self, request: Request) -> Response:
        """See nothing with this word in it any more: in the feed, in lists and searches, in comments of others."""
        word = self.sent(MutedWordIn)["word"]
        muted = operations.mute_word(viewer=self.viewer, word=word, at=timezone.now())
        return Response(MutedWordOut(muted).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """See it again."""
        operations.unmute_word(muted=get_object_or_404(self.get_queryset(), pk=pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
