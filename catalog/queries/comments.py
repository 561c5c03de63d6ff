"""What was said."""

from django.db.models import Q, QuerySet

from catalog.models import Comment, Item
from catalog.queries.muting import comment_is_muted
from kpplatform.tenancy.models import Member


def comments_of(item: Item, *, viewer: Member, parent: int | None = None) -> QuerySet[Comment]:
    """Return the comments right under the item, or under one of its comments, newest first.

    A deleted comment keeps its place without its words, so that its answers can still be found. What others wrote with
    a word in it that the viewer has muted is left out.
    """
    written = Comment.objects.filter(item=item, parent=parent).filter(Q(viewer=viewer) | ~Q(comment_is_muted(viewer)))
    return written.select_related("viewer").order_by("-written_at", "-pk")
