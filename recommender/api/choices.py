"""What viewers decide about their feed: interests, personalisation, a fresh start."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kpplatform.rest.serializers import In
from kpplatform.rest.views import SignedIn
from recommender import operations, queries
from recommender.operations.choices import MOST_CHOICES

NAMES = "topic:piano or tag:jazz."


class InterestOut(serializers.Serializer[Any]):
    name = serializers.CharField(help_text=NAMES)
    share = serializers.FloatField(allow_null=True, help_text="Of all interest that was found; null where none was.")
    is_wanted = serializers.BooleanField(allow_null=True, help_text="What the viewer says; null while nothing.")


class InterestsOut(serializers.Serializer[Any]):
    results = InterestOut(many=True)


class InterestIn(In):
    is_wanted = serializers.BooleanField()


def _names(told: str) -> "serializers.ListField":
    child = serializers.CharField(max_length=70)
    return serializers.ListField(child=child, max_length=MOST_CHOICES, required=False, help_text=told)


class InterestsIn(In):
    wanted = _names(f"To be shown: {NAMES}")
    unwanted = _names(f"Not to be shown: {NAMES}")


class PersonalisationOut(serializers.Serializer[Any]):
    is_on = serializers.BooleanField()
    refused_at = serializers.DateTimeField(allow_null=True, help_text="Since when it is off.")


class TasteOut(serializers.Serializer[Any]):
    reset_at = serializers.DateTimeField(allow_null=True, help_text="What was done before says nothing.")


class InterestsView(SignedIn, APIView):
    """All of a viewer's interests."""

    @extend_schema(operation_id="interests", responses=InterestsOut)
    def get(self, request: Request) -> Response:
        """What who asks chose, and what else was found in what they watch; at most a few hundred."""
        return Response(InterestsOut({"results": queries.interests_of(self.viewer)}).data)

    @extend_schema(operation_id="choose_interests", request=InterestsIn, responses={204: None})
    def put(self, request: Request) -> Response:
        """Choose anew what to see and what not: a newcomer's first page is made from it."""
        ask = self.sent(InterestsIn)
        choices = dict.fromkeys(ask.get("wanted", []), True) | dict.fromkeys(ask.get("unwanted", []), False)
        operations.choose_interests(viewer=self.viewer, choices=choices, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class InterestView(SignedIn, APIView):
    """One topic or tag."""

    @extend_schema(operation_id="choose_interest", request=InterestIn, responses={204: None})
    def put(self, request: Request, name: str) -> Response:
        """Want to see it, or not want to, from the next page on."""
        is_wanted = self.sent(InterestIn)["is_wanted"]
        operations.choose_interest(viewer=self.viewer, name=name, is_wanted=is_wanted, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="forget_interest", request=None, responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Say nothing of it any more: what was found counts again."""
        operations.forget_choice(viewer=self.viewer, name=name)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PersonalisationView(SignedIn, APIView):
    """Whether the feed is made from what the viewer did."""

    @extend_schema(operation_id="personalisation", responses=PersonalisationOut)
    def get(self, request: Request) -> Response:
        """Whether it is, and since when not."""
        refused_at = queries.personalisation_refused_at(self.viewer)
        return Response(PersonalisationOut({"is_on": refused_at is None, "refused_at": refused_at}).data)

    @extend_schema(operation_id="open_personalisation", request=None, responses={204: None})
    def put(self, request: Request) -> Response:
        """Have the feed follow what who asks does."""
        operations.open_personalisation(viewer=self.viewer)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="close_personalisation", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """See what everybody sees; be drawn, counted and learned from no more."""
        operations.close_personalisation(viewer=self.viewer, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class TasteView(SignedIn, APIView):
    """What is taken as the viewer's taste."""

    @extend_schema(operation_id="taste", responses=TasteOut)
    def get(self, request: Request) -> Response:
        """Since when what who asks does is taken as their taste."""
        return Response(TasteOut({"reset_at": queries.taste_reset_at(self.viewer)}).data)

    @extend_schema(operation_id="reset_taste", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Begin anew: nothing done before is taste; what was watched is still not shown again."""
        operations.reset_taste(viewer=self.viewer, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
