"""Making items: videos, courses and what courses consist of, by their creator or the tenant's staff."""

from typing import ClassVar

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import operations, queries
from catalog.api.serializers import (
    CourseIn,
    ItemOut,
    LessonIn,
    LessonOut,
    ScheduleIn,
    SectionIn,
    SectionOut,
    VideoIn,
)
from catalog.models import Item, Lesson, Section
from creators.operations import publisher
from kpplatform.rest.views import ViewSet


class MadeViewSet(ViewSet):
    """Items of one kind, from draft to withdrawn."""

    lookup_value_converter = "int"
    kind: ClassVar[Item.Kind]

    def item(self, pk: int) -> Item:
        """Return an item that who asks may know of; whether they may change it the operation decides."""
        return get_object_or_404(queries.visible_to(self.viewer, at=timezone.now()), pk=pk, kind=self.kind)

    @extend_schema(responses=ItemOut(many=True))
    def list(self, request: Request) -> Response:
        """What who asks may change, in every state, newest first."""
        return self.page(queries.owned_by(self.viewer).filter(kind=self.kind), ItemOut)

    @extend_schema(responses=ItemOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(ItemOut(self.item(pk)).data)

    @extend_schema(request=ScheduleIn, responses=ItemOut)
    @action(detail=True, methods=["post"])
    def schedule(self, request: Request, pk: int) -> Response:
        """Show it to everybody from then on."""
        ask = self.sent(ScheduleIn)
        moved = operations.schedule(
            item=self.item(pk), by=self.viewer, published_at=ask["published_at"], at=timezone.now()
        )
        return Response(ItemOut(moved).data)

    @extend_schema(request=None, responses=ItemOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Show it to nobody any more."""
        moved = operations.withdraw(item=self.item(pk), by=self.viewer, at=timezone.now())
        return Response(ItemOut(moved).data)


class VideoViewSet(MadeViewSet):
    """Where a video is published stands two floors above, for the answer tells how good it is beside others."""

    kind = Item.Kind.VIDEO

    @extend_schema(request=VideoIn, responses={201: ItemOut})
    def create(self, request: Request) -> Response:
        """Make a video, as a draft."""
        made = operations.draft_video(creator=publisher(member=self.viewer), **self.sent(VideoIn))
        return Response(ItemOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=VideoIn, responses=ItemOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what it says of itself."""
        about = self.sent(VideoIn, partial=True)
        return Response(ItemOut(operations.revise_item(item=self.item(pk), by=self.viewer, **about)).data)


class CourseViewSet(MadeViewSet):
    kind = Item.Kind.COURSE

    @extend_schema(request=CourseIn, responses={201: ItemOut})
    def create(self, request: Request) -> Response:
        """Make a course, as a draft without sections."""
        made = operations.draft_course(creator=publisher(member=self.viewer), **self.sent(CourseIn))
        return Response(ItemOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=CourseIn, responses=ItemOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what it says of itself."""
        about = self.sent(CourseIn, partial=True)
        return Response(ItemOut(operations.revise_item(item=self.item(pk), by=self.viewer, **about)).data)

    @extend_schema(request=None, responses=ItemOut)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: int) -> Response:
        """Show it to everybody, now."""
        moved = operations.publish(item=self.item(pk), by=self.viewer, at=timezone.now())
        return Response(ItemOut(moved).data)

    @extend_schema(request=SectionIn, responses={201: SectionOut})
    @action(detail=True, methods=["post"])
    def sections(self, request: Request, pk: int) -> Response:
        """Add a section."""
        made = operations.add_section(course=self.item(pk), by=self.viewer, **self.sent(SectionIn))
        return Response(SectionOut(made).data, status=status.HTTP_201_CREATED)


class SectionViewSet(ViewSet):
    lookup_value_converter = "int"

    def section(self, pk: int) -> Section:
        seen = queries.visible_to(self.viewer, at=timezone.now())
        sections = Section.objects.select_related("course__creator").prefetch_related("lessons__video")
        return get_object_or_404(sections.filter(course__in=seen), pk=pk)

    @extend_schema(request=SectionIn, responses=SectionOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Call it something else, or put it elsewhere."""
        placed = self.sent(SectionIn, partial=True)
        revised = operations.revise_section(section=self.section(pk), by=self.viewer, **placed)
        return Response(SectionOut(revised).data)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take it and its lessons out of the course."""
        operations.remove_section(section=self.section(pk), by=self.viewer)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=LessonIn, responses={201: LessonOut})
    @action(detail=True, methods=["post"])
    def lessons(self, request: Request, pk: int) -> Response:
        """Add a lesson."""
        made = operations.add_lesson(section=self.section(pk), by=self.viewer, **self.sent(LessonIn))
        return Response(LessonOut(made).data, status=status.HTTP_201_CREATED)


class LessonViewSet(ViewSet):
    lookup_value_converter = "int"

    def lesson(self, pk: int) -> Lesson:
        return get_object_or_404(queries.lessons(self.viewer, at=timezone.now()), pk=pk)

    @extend_schema(responses=LessonOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """A lesson with its content. Refused with `not_bought` (402) when it is of a course that was not bought."""
        played = operations.play_lesson(viewer=self.viewer, lesson=self.lesson(pk), at=timezone.now())
        return Response(LessonOut(played).data)

    @extend_schema(request=LessonIn, responses=LessonOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change a lesson."""
        taught = self.sent(LessonIn, partial=True)
        return Response(LessonOut(operations.revise_lesson(lesson=self.lesson(pk), by=self.viewer, **taught)).data)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take it out of its course."""
        operations.remove_lesson(lesson=self.lesson(pk), by=self.viewer)
        return Response(status=status.HTTP_204_NO_CONTENT)
