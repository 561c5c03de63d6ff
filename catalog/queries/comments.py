"""What was said."""

from django.db.models import QuerySet

from catalog.models import Comment, Item


def comments_of(item: Item, *, parent: int | None = None) -> QuerySet[Comment]:
    """Return the comments right under the item, or under one of its comments, newest first.

    A deleted comment keeps its place without its words, so that its answers can still be found.
    """
    return Comment.objects.filter(item=item, parent=parent).select_related("viewer").order_by("-written_at", "-pk")
