"""What a member is told, by campaigns or about what is their own; and whether campaigns may."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kpplatform.rest.views import SignedIn, ViewSet
from kpplatform.tenancy.scope import current_tenant
from recommender import operations, queries
from recommender.models import Notice


class NoticeOut(serializers.ModelSerializer[Notice]):
    text = serializers.SerializerMethodField()
    link = serializers.CharField(source="leads_to", help_text="A page of the site, or nothing.")
    coupon = serializers.CharField(source="campaign.coupon.code", allow_null=True, default=None)
    is_about_yours = serializers.SerializerMethodField(help_text="It is no campaign: a ruling, or the week's report.")

    class Meta:
        model = Notice
        fields = ["id", "text", "link", "coupon", "is_about_yours", "sent_at", "read_at"]

    def get_is_about_yours(self, notice: Notice) -> bool:
        return notice.campaign_id is None

    def get_text(self, notice: Notice) -> str:
        return notice.told_in(self.context["language"])


class NoticesWantedOut(serializers.Serializer[Any]):
    is_on = serializers.BooleanField()
    refused_at = serializers.DateTimeField(allow_null=True, help_text="Since when they are not wanted.")


class NoticeViewSet(ViewSet):
    serializer_class = NoticeOut
    queryset = Notice.objects.none()
    lookup_value_converter = "int"

    def get_serializer_context(self) -> dict[str, Any]:
        return {"language": self.viewer.language or current_tenant().language}

    def told(self, pk: int) -> Notice:
        return get_object_or_404(queries.notices_of(self.viewer), pk=pk)

    @extend_schema(responses=NoticeOut(many=True))
    def list(self, request: Request) -> Response:
        """What who asks was told, newest first, in their language; without what they dismissed."""
        page = self.paginate_queryset(queries.notices_of(self.viewer))
        return self.get_paginated_response(NoticeOut(page, many=True, context=self.get_serializer_context()).data)

    @extend_schema(request=None, responses=NoticeOut)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: int) -> Response:
        """Note that it was read."""
        read = operations.read_notice(notice=self.told(pk), at=timezone.now())
        return Response(NoticeOut(read, context=self.get_serializer_context()).data)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: int) -> Response:
        """Show it no more."""
        operations.dismiss_notice(notice=self.told(pk), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class NoticesWantedView(SignedIn, APIView):
    """Whether campaigns may tell the viewer something."""

    @extend_schema(operation_id="notices_wanted", responses=NoticesWantedOut)
    def get(self, request: Request) -> Response:
        """Whether they may, and since when not."""
        refused_at = queries.notices_refused_at(self.viewer)
        return Response(NoticesWantedOut({"is_on": refused_at is None, "refused_at": refused_at}).data)

    @extend_schema(operation_id="want_notices", request=None, responses={204: None})
    def put(self, request: Request) -> Response:
        """Hear of campaigns again."""
        operations.allow_notices(viewer=self.viewer)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="refuse_notices", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Hear of no campaign any more."""
        operations.refuse_notices(viewer=self.viewer, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
