"""Talking about items."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from catalog.models import Comment, Item
from catalog.operations.items import NotYours
from kpplatform.errors import NotFound
from kpplatform.tenancy.models import Member


class NoSuchParent(NotFound):
    code = "no_such_parent"


@transaction.atomic
def comment(*, viewer: Member, item: Item, body: str, parent_id: int | None, at: datetime) -> Comment:
    """Write under the item, or under one of its comments. Raises NoSuchParent."""
    there = Comment.objects.filter(item=item, deleted_at=None)
    if parent_id is not None and not there.filter(pk=parent_id).exists():
        raise NoSuchParent("The comment that this answers is not there.")
    written = Comment.objects.create(viewer=viewer, item=item, parent_id=parent_id, body=body, written_at=at)
    Item.objects.filter(pk=item.pk).update(comments=F("comments") + 1)
    return written


@transaction.atomic
def delete_comment(*, comment: Comment, by: Member, at: datetime) -> bool:
    """Take the words of a comment away; its place stays for its answers. Tell whether that is new.

    Raises NotYours for anybody but its writer, the item's creator and the tenant's staff.
    """
    if by.pk not in {comment.viewer_id, comment.item.creator.member_id} and not by.runs_the_tenant:
        raise NotYours("Only its writer, the creator and the tenant's staff may delete a comment.")
    gone = Comment.objects.filter(pk=comment.pk, deleted_at=None).update(deleted_at=at, body="")
    if gone:
        Item.objects.filter(pk=comment.item_id).update(comments=F("comments") - 1)
    return bool(gone)
