"""Why an item is in the feed, in words."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kpplatform.rest.serializers import Asked
from kpplatform.rest.views import SignedIn
from recommender import queries
from recommender.models import Impression

OF = Impression.Source
WORDS: dict[str, Promise] = {
    OF.MODEL: _("It fits what you watched."),
    OF.SIMILAR: _("It is like something you liked."),
    OF.COLD: _("It is new, and what is said of it fits what you watched."),
    OF.INTERESTS: _("It is of a topic that you chose."),
    OF.FOLLOWED: _("You follow its creator."),
    OF.SOCIAL: _("Those who follow the same creators as you follow its creator."),
    OF.POPULAR: _("Many are watching it these days."),
    OF.FRESH: _("It is new and being tried."),
    OF.EXPLORED: _("It was drawn at random, so that you meet something else now and then."),
    OF.AGAIN: _("You have seen everything else of late."),
}


class WhyIn(Asked):
    page = serializers.UUIDField(required=False, help_text="Without one, the last page that the item was on.")


class NearestOfHistoryOut(serializers.Serializer[Any]):
    item = serializers.IntegerField()
    title = serializers.CharField()
    likeness = serializers.FloatField(help_text="Cosine.")


class ReasonOut(serializers.Serializer[Any]):
    source = serializers.ChoiceField(choices=Impression.Source.choices)  # type: ignore[assignment]
    about = serializers.CharField(allow_blank=True, help_text="A title, a creator or a topic.")
    text = serializers.CharField(help_text="In the language of the request.")


class WhyOut(serializers.Serializer[Any]):
    item = serializers.IntegerField()
    position = serializers.IntegerField()
    version = serializers.IntegerField(allow_null=True)
    propensity = serializers.FloatField(help_text="How likely it was to stand at that place.")
    near = NearestOfHistoryOut(allow_null=True, help_text="What you watched or liked that is most like it.")
    reasons = ReasonOut(many=True, help_text="The source that gave the place first.")


class WhyView(SignedIn, APIView):
    """Why this?"""

    @extend_schema(operation_id="why", parameters=[WhyIn], responses=WhyOut)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002
        """Why an item was on a page of the viewer's feed; 404 for what was not shown to them."""
        asked = WhyIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        told = queries.why(self.viewer, item=id, page=asked.validated_data.get("page"), at=timezone.now())
        if told is None:
            raise Http404
        shown = told.impression
        reasons = [{"source": code, "about": about, "text": WORDS[code]} for code, about in told.reasons]
        answer = {
            "item": shown.item_id,
            "position": shown.position,
            "version": shown.version_id,
            "propensity": shown.propensity,
            "near": told.near._asdict() if told.near else None,
            "reasons": reasons,
        }
        return Response(WhyOut(answer).data)
