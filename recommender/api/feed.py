"""The feed: what to watch next."""

from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.ads.models import Creative
from billing.ads.operations import Placed, token_of
from catalog.models import Item
from kpplatform.rest.countries import country_of
from kpplatform.rest.devices import device_of, network_of
from kpplatform.rest.serializers import Asked
from kpplatform.rest.views import SignedIn
from recommender import operations
from recommender.api.cursors import cursor_of, session_of
from recommender.ml.ranker.circumstances import DEVICES, NETWORKS, code
from recommender.models import Impression
from recommender.operations import Page, Session

LONGEST_CURSOR = 6_000  # with as many long ids as a session without consent carries


class FeedIn(Asked):
    cursor = serializers.CharField(required=False, max_length=LONGEST_CURSOR)
    limit = serializers.IntegerField(default=20, min_value=1, max_value=50)
    device = serializers.ChoiceField(DEVICES, required=False, help_text="Without it, as the headers tell.")
    network = serializers.ChoiceField(NETWORKS, required=False, help_text="Without it, as the headers tell.")


class FeedCreatorOut(serializers.Serializer[Any]):
    handle = serializers.CharField()
    name = serializers.CharField()


class FeedItemOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Item.Kind.choices)
    title = serializers.CharField()
    language = serializers.CharField()
    topic = serializers.CharField(allow_null=True)
    creator = FeedCreatorOut()
    duration_ms = serializers.IntegerField(allow_null=True)
    is_free = serializers.BooleanField()
    published_at = serializers.DateTimeField()
    likes = serializers.IntegerField()
    saves = serializers.IntegerField()
    shares = serializers.IntegerField()
    comments = serializers.IntegerField()
    position = serializers.IntegerField(help_text="In this session, from 0.")
    source = serializers.ChoiceField(choices=Impression.Source.choices, help_text="Why it is here.")  # type: ignore[assignment]


class FeedAdOut(serializers.Serializer[Any]):
    behind = serializers.IntegerField(help_text="It stands behind so many of the results.")
    label = serializers.CharField(help_text="To be shown with it: 广告 or Ad.")  # type: ignore[assignment]
    by = serializers.CharField(help_text="Who advertises.")
    format = serializers.ChoiceField(choices=Creative.Format.choices)
    title = serializers.CharField()
    text = serializers.CharField()
    media_url = serializers.CharField()
    link_url = serializers.URLField()
    duration_ms = serializers.IntegerField(allow_null=True)
    token = serializers.CharField(help_text="What its views and clicks are told with, at /api/v1/ad-events/.")
    expires_at = serializers.DateTimeField()


class FeedOut(serializers.Serializer[Any]):
    page = serializers.UUIDField()
    version = serializers.IntegerField(allow_null=True, help_text="The model that was asked, if there is one.")
    next = serializers.URLField(allow_null=True)
    results = FeedItemOut(many=True)
    ads = FeedAdOut(many=True, help_text="None for members of a tier without ads.")


class FeedView(SignedIn, APIView):
    """What to watch next."""

    @extend_schema(operation_id="feed", parameters=[FeedIn], responses=FeedOut)
    def get(self, request: Request) -> Response:
        """Show the viewer the next page: without a cursor a new session begins, on the device it is asked from."""
        asked = FeedIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        at, cursor = timezone.now(), asked.validated_data.get("cursor")
        on = self._circumstance(asked.validated_data)
        session = session_of(cursor, viewer=self.viewer, at=at) if cursor else Session(at, circumstance=on)
        limit = asked.validated_data["limit"]
        country = country_of(request.headers)
        page = operations.show_page(viewer=self.viewer, limit=limit, session=session, country=country, at=at)
        return Response(self._out(page, limit))

    def _circumstance(self, asked: dict[str, Any]) -> int:
        """Return on what is asked, as a code: by what the client says, else by the headers."""
        headers = self.request.headers
        device, network = asked.get("device") or device_of(headers), asked.get("network") or network_of(headers)
        return code(DEVICES.index(device), NETWORKS.index(network))

    def _out(self, page: Page, limit: int) -> dict[str, Any]:
        # Plain dicts: rendering twenty cards through serializers costs more than choosing them.
        following = None
        if page.following:
            asked = urlencode({"cursor": cursor_of(page.following, viewer=self.viewer), "limit": limit})
            following = self.request.build_absolute_uri(f"{self.request.path}?{asked}")
        results = [shown.item | {"position": shown.position, "source": shown.source} for shown in page.shown]
        told = {"page": page.id, "version": page.version, "next": following, "results": results}
        return told | {"ads": [_ad(placed) for placed in page.ads]}


def _ad(placed: Placed) -> dict[str, Any]:
    card = placed.card
    shown = ("by", "format", "title", "text", "media_url", "link_url", "duration_ms")
    return {
        "behind": placed.behind,
        "label": gettext("Ad"),
        **{name: getattr(card, name) for name in shown},
        "token": token_of(placed),
        "expires_at": placed.offer.expires_at,
    }
