"""What who asks agrees to, and in which words they are asked."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import operations, queries
from catalog.models import ConsentTerms, Purpose
from catalog.queries import ConsentState
from kpplatform.rest.permissions import IsPerson
from kpplatform.rest.serializers import In
from kpplatform.rest.views import ViewSet

LONGEST_TEXT = 5_000
# Doors of the floor above, by name: what a viewer may want to go through once they have withdrawn.
TO_FORGET = ("taste", "personalisation", "own-portrait")


class PurposeIn(In):
    purpose = serializers.ChoiceField(Purpose.choices)


class ConsentIn(PurposeIn):
    version = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="Of the words that were shown.")


class TermsIn(PurposeIn):
    text_zh = serializers.CharField(max_length=LONGEST_TEXT)
    text_en = serializers.CharField(max_length=LONGEST_TEXT)
    is_asked_first = serializers.BooleanField(help_text="Store nothing as somebody's before they agree.")
    asks_anew = serializers.BooleanField(required=False, help_text="Consents to earlier words hold no more.")


class SaidOut(serializers.Serializer[Any]):
    is_given = serializers.BooleanField()
    version = serializers.IntegerField()
    said_at = serializers.DateTimeField()


class ConsentOut(serializers.Serializer[Any]):
    purpose = serializers.ChoiceField(Purpose.choices, source="terms.purpose")
    holds = serializers.BooleanField(help_text="Whether what is done is stored as yours.")
    is_asked_first = serializers.BooleanField(source="terms.is_asked_first")
    version = serializers.IntegerField(source="terms.version", help_text="Of the words that hold now.")
    text_zh = serializers.CharField(source="terms.text_zh")
    text_en = serializers.CharField(source="terms.text_en")
    said = SaidOut(allow_null=True, help_text="What you said last; null while nothing.")


class ConsentsOut(serializers.Serializer[Any]):
    purposes = ConsentOut(many=True)


class WithdrawnOut(ConsentOut):
    to_forget = serializers.ListField(
        child=serializers.CharField(), help_text="Where DELETE forgets what was learned before."
    )


class TermsOut(serializers.ModelSerializer[ConsentTerms]):
    class Meta:
        model = ConsentTerms
        fields = ["purpose", "version", "text_zh", "text_en", "is_asked_first", "counts_from", "published_at"]


class ConsentViewSet(ViewSet):
    permission_classes = [IsPerson]

    @extend_schema(operation_id="consents", responses=ConsentsOut)
    def list(self, request: Request) -> Response:
        """What who asks is asked for, in which words, and what they said of it."""
        purposes = [queries.consent_of(self.viewer, purpose) for purpose in Purpose]
        return Response(ConsentsOut({"purposes": purposes}).data)

    @extend_schema(operation_id="give_consent", request=ConsentIn, responses={201: ConsentOut})
    def create(self, request: Request) -> Response:
        """Agree, in the words that hold now: with another version `other_terms` is refused."""
        ask = self.sent(ConsentIn)
        said: dict[str, Any] = {"purpose": Purpose(ask["purpose"]), "version": ask["version"], "at": timezone.now()}
        return _told(operations.give_consent(viewer=self.viewer, **said))

    @extend_schema(operation_id="withdraw_consent", request=PurposeIn, responses={201: WithdrawnOut})
    @action(detail=False, methods=["post"])
    def withdraw(self, request: Request) -> Response:
        """Withdraw: from the next request on nothing is stored as who asks, and nothing learned from what was.

        Nothing is deleted by it; `to_forget` names the doors at which that can be asked for.
        """
        purpose = Purpose(self.sent(PurposeIn)["purpose"])
        state = operations.withdraw_consent(viewer=self.viewer, purpose=purpose, at=timezone.now())
        return _told(state, to_forget=[reverse(name) for name in TO_FORGET])


class ConsentTermsViewSet(ViewSet):
    queryset = ConsentTerms.objects.none()

    @extend_schema(responses=TermsOut(many=True))
    def list(self, request: Request) -> Response:
        """All words in which consent was ever asked for here, the newest first."""
        return self.page(queries.published_terms(), TermsOut)

    @extend_schema(request=TermsIn, responses={201: TermsOut})
    def create(self, request: Request) -> Response:
        """Ask in these words from now on, for the tenant's staff; and say whether it is asked first."""
        ask = self.sent(TermsIn)
        purpose = Purpose(ask.pop("purpose"))
        terms = operations.publish_terms(purpose=purpose, **ask, by=self.viewer, at=timezone.now())
        return Response(TermsOut(terms).data, status=status.HTTP_201_CREATED)


def _told(state: ConsentState, **also: Any) -> Response:
    return Response({**ConsentOut(state).data, **also}, status=status.HTTP_201_CREATED)
