"""What there is: list it, look at it, react to it, talk about it."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import operations, queries
from catalog.api.serializers import (
    CommentIn,
    CommentOut,
    CommentsIn,
    ItemDetailOut,
    ItemOut,
    ListedIn,
    NewTopicIn,
    ReportIn,
    ReportOut,
    TopicIn,
    TopicOut,
)
from catalog.models import Comment, Item, Reaction, Report
from kpplatform.errors import NotFound
from kpplatform.rest.views import ViewSet


class UnknownReaction(NotFound):
    code = "unknown_reaction"


class ItemViewSet(ViewSet):
    lookup_value_converter = "int"

    def item(self, pk: int) -> Item:
        return get_object_or_404(queries.visible_to(self.viewer, at=timezone.now()), pk=pk)

    @extend_schema(parameters=[ListedIn], responses=ItemOut(many=True))
    def list(self, request: Request) -> Response:
        """What has been published, newest first."""
        asked = ListedIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self.page(queries.listed(viewer=self.viewer, at=timezone.now(), **asked.validated_data), ItemOut)

    @extend_schema(responses=ItemDetailOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One item; of a course also what it consists of."""
        return Response(ItemDetailOut(self.item(pk), context={"viewer": self.viewer}).data)

    @extend_schema(methods=["PUT"], request=None, responses={204: None})
    @extend_schema(methods=["DELETE"], request=None, responses={204: None})
    @action(detail=True, methods=["put", "delete"], url_path="reactions/<slug:kind>")
    def reactions(self, request: Request, pk: int, kind: str) -> Response:
        """React (like, save, share, not_interested), or take it back; twice is once."""
        if kind not in Reaction.Kind.values:
            raise UnknownReaction(f"There is no reaction {kind}.")
        item, reaction = self.item(pk), Reaction.Kind(kind)
        if request.method == "PUT":
            operations.react(viewer=self.viewer, item=item, kind=reaction, at=timezone.now())
        else:
            operations.take_back(viewer=self.viewer, item=item, kind=reaction)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=ReportIn, responses={204: None})
    @action(detail=True, methods=["post"])
    def report(self, request: Request, pk: int) -> Response:
        """Tell the tenant's staff that the item should not be there; who does so does not see it in their feed."""
        ask = self.sent(ReportIn)
        reason = Report.Reason(ask["reason"])
        operations.report(viewer=self.viewer, item=self.item(pk), reason=reason, text=ask["text"], at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(methods=["GET"], parameters=[CommentsIn], responses=CommentOut(many=True))
    @extend_schema(methods=["POST"], request=CommentIn, responses={201: CommentOut})
    @action(detail=True, methods=["get", "post"])
    def comments(self, request: Request, pk: int) -> Response:
        """The comments right under the item, or the answers to one of them; write one."""
        item = self.item(pk)
        if request.method == "GET":
            asked = CommentsIn(data=request.query_params)
            asked.is_valid(raise_exception=True)
            return self.page(queries.comments_of(item, viewer=self.viewer, **asked.validated_data), CommentOut)
        ask = self.sent(CommentIn)
        written = operations.comment(
            viewer=self.viewer, item=item, body=ask["body"], parent_id=ask["parent"], at=timezone.now()
        )
        return Response(CommentOut(written).data, status=status.HTTP_201_CREATED)


class ReportViewSet(ViewSet):
    @extend_schema(responses=ReportOut(many=True))
    def list(self, request: Request) -> Response:
        """What who asks has reported, the latest first."""
        return self.page(queries.reports_by(self.viewer), ReportOut)


class CommentViewSet(ViewSet):
    lookup_value_converter = "int"

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take a comment's words away; its answers stay."""
        seen = queries.visible_to(self.viewer, at=timezone.now())
        comment = get_object_or_404(Comment.objects.select_related("item__creator").filter(item__in=seen), pk=pk)
        operations.delete_comment(comment=comment, by=self.viewer, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class TopicViewSet(ViewSet):
    lookup_field = "slug"
    lookup_value_converter = "slug"

    @extend_schema(responses=TopicOut(many=True))
    def list(self, request: Request) -> Response:
        """The tenant's topics."""
        return self.page(queries.topics(), TopicOut)

    @extend_schema(responses=TopicOut)
    def retrieve(self, request: Request, slug: str) -> Response:
        """One topic."""
        return Response(TopicOut(get_object_or_404(queries.topics(), slug=slug)).data)

    @extend_schema(request=NewTopicIn, responses={201: TopicOut})
    def create(self, request: Request) -> Response:
        """Add a topic, as the tenant's staff."""
        topic = operations.add_topic(by=self.viewer, **self.sent(NewTopicIn))
        return Response(TopicOut(topic).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=TopicIn, responses=TopicOut)
    def partial_update(self, request: Request, slug: str) -> Response:
        """Call a topic something else, as the tenant's staff."""
        topic = get_object_or_404(queries.topics(), slug=slug)
        revised = operations.revise_topic(topic=topic, by=self.viewer, **self.sent(TopicIn, partial=True))
        return Response(TopicOut(revised).data)
