"""What a course consists of."""

from django.db import models
from django.db.models import Q

from catalog.models.items import Item
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Section(TenantOwned):
    """A part of a course."""

    course = TenantForeignKey(Item, on_delete=models.CASCADE, related_name="sections")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "course", "position"],
                name="a_section_has_its_place",
                deferrable=models.Deferrable.DEFERRED,
            )
        ]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.title


class Lesson(TenantOwned):
    """A video or a text in a section; a preview is free."""

    section = TenantForeignKey(Section, on_delete=models.CASCADE, related_name="lessons")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    video = TenantForeignKey(Item, null=True, blank=True)
    body = models.TextField(blank=True)
    is_preview = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "section", "position"],
                name="a_lesson_has_its_place",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(video=None, body__gt="") | Q(video__isnull=False, body=""),
                name="a_lesson_is_a_video_or_a_text",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "video"], condition=Q(video__isnull=False), name="lesson_of_video")]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.title
