"""What was said."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import Comment, Item
from catalog.queries.muting import comment_is_muted
from creators.models import Creator
from kpplatform.tenancy.models import Member


def comments_of(item: Item, *, viewer: Member, parent: int | None = None) -> QuerySet[Comment]:
    """Return the comments right under the item, or under one of its comments, newest first.

    A deleted comment keeps its place without its words, so that its answers can still be found. What others wrote with
    a word in it that the viewer has muted is left out.
    """
    written = Comment.objects.filter(item=item, parent=parent).filter(Q(viewer=viewer) | ~Q(comment_is_muted(viewer)))
    return written.select_related("viewer").order_by("-written_at", "-pk")


def unanswered(creator: Creator, *, since: datetime, before: Comment | None = None) -> QuerySet[Comment]:
    """Return what others wrote under the creator's items since then and the creator has not answered, newest first.

    With `before`, those that come after it in this order. Deleted comments wait for nothing.
    """
    own = Comment.objects.filter(
        item=OuterRef("item"), parent=OuterRef("pk"), viewer=creator.member_id, deleted_at=None
    )
    written = Comment.objects.filter(item__creator=creator, written_at__gte=since, deleted_at=None)
    if before:
        older = Q(written_at=before.written_at, pk__lt=before.pk) | Q(written_at__lt=before.written_at)
        written = written.filter(older, written_at__lte=before.written_at)
    others = written.exclude(viewer=creator.member_id) if creator.member_id else written
    return others.filter(~Exists(own)).select_related("viewer", "item").order_by("-written_at", "-pk")
