"""What can be told of creators."""

from django.db.models import QuerySet

from creators.models import Creator, Follow, HiddenCreator
from kpplatform.tenancy.models import Member


def creators() -> QuerySet[Creator]:
    """Return the tenant's creators, newest first."""
    return Creator.objects.order_by("-pk")


def creator_of(member: Member) -> Creator | None:
    """Return the creator that the member is, if any."""
    return Creator.objects.filter(member=member).first()


def follows(viewer: Member) -> QuerySet[Follow]:
    """Return whom the viewer follows, the latest first."""
    return Follow.objects.filter(viewer=viewer).select_related("creator").order_by("-followed_at", "-pk")


def is_following(viewer: Member, creator: Creator) -> bool:
    """Return whether the viewer follows the creator."""
    return Follow.objects.filter(viewer=viewer, creator=creator).exists()


def hidden_creators(viewer: Member) -> QuerySet[HiddenCreator]:
    """Return whom the viewer wants to see nothing of, the latest first."""
    return HiddenCreator.objects.filter(viewer=viewer).select_related("creator").order_by("-hidden_at", "-pk")
