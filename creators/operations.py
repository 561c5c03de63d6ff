"""What is done with creators: become one, be followed."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from creators import queries
from creators.models import Creator, Follow, HiddenCreator
from kpplatform.errors import Conflict, Forbidden, NotFound
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.once import insert_once
from kpplatform.tenancy.scope import scope

AT_ONCE = 1_000


class AlreadyACreator(Conflict):
    code = "already_a_creator"


class HandleTaken(Conflict):
    code = "handle_taken"


class NotYours(Forbidden):
    code = "not_yours"


class NotACreator(Forbidden):
    code = "not_a_creator"


class Profile(TypedDict, total=False):
    """What a creator says of themselves."""

    name: str
    bio: str
    links: list[str]


@transaction.atomic
def become_creator(*, member: Member, handle: str, name: str, bio: str = "", links: Sequence[str] = ()) -> Creator:
    """Let the member publish under this handle. Raises AlreadyACreator and HandleTaken."""
    if Creator.objects.filter(member=member).exists():
        raise AlreadyACreator("One member is one creator.")
    try:
        with transaction.atomic():
            creator = Creator.objects.create(member=member, handle=handle, name=name, bio=bio, links=list(links))
    except IntegrityError as error:
        raise HandleTaken(f"Somebody else is called {handle}.") from error
    Member.objects.filter(pk=member.pk, role=Member.Role.VIEWER).update(role=Member.Role.CREATOR)
    return creator


def publisher(*, member: Member) -> Creator:
    """Return the creator as whom the member publishes. Raises NotACreator."""
    if creator := queries.creator_of(member):
        return creator
    raise NotACreator("Only creators publish. Become one first.")


def asked_about(*, by: Member, handle: str | None) -> Creator | None:
    """Return about which creator somebody asks: a creator about themselves, staff about anybody; None: about all.

    Raises NotACreator, and NotFound where there is none of this handle about whom they may ask.
    """
    own = None if by.runs_the_tenant else publisher(member=by)
    if handle is None:
        return own
    named = queries.creators().filter(handle=handle).first()
    if named is None or own not in {None, named}:
        raise NotFound("There is no such creator, or you may not ask about them.")
    return named


@transaction.atomic
def revise_creator(*, creator: Creator, by: Member, **profile: Unpack[Profile]) -> Creator:
    """Change what a creator says of themselves. Raises NotYours."""
    if creator.member_id != by.pk and not by.runs_the_tenant:
        raise NotYours("Only the creator and the tenant's staff may change this.")
    for name, value in profile.items():
        setattr(creator, name, value)
    creator.save(update_fields=list(profile))
    return creator


@transaction.atomic
def follow(*, viewer: Member, creator: Creator, at: datetime) -> bool:
    """Follow the creator, and hide them no longer; tell whether that is new. Following twice is following."""
    is_new = insert_once(Follow, viewer_id=viewer.pk, creator_id=creator.pk, followed_at=at)
    if is_new:
        Creator.objects.filter(pk=creator.pk).update(followers=F("followers") + 1)
    show_creator_again(viewer=viewer, creator=creator)
    return is_new


@transaction.atomic
def unfollow(*, viewer: Member, creator: Creator) -> bool:
    """Stop following the creator; tell whether that changed anything."""
    gone, _ = Follow.objects.filter(viewer=viewer, creator=creator).delete()
    if gone:
        Creator.objects.filter(pk=creator.pk).update(followers=F("followers") - 1)
    return bool(gone)


@transaction.atomic
def hide_creator(*, viewer: Member, creator: Creator, at: datetime) -> bool:
    """Keep the creator out of the viewer's feed, and stop following them; tell whether that is new."""
    unfollow(viewer=viewer, creator=creator)
    return insert_once(HiddenCreator, viewer_id=viewer.pk, creator_id=creator.pk, hidden_at=at)


@transaction.atomic
def show_creator_again(*, viewer: Member, creator: Creator) -> bool:
    """Let the creator back into the viewer's feed; tell whether that changed anything."""
    gone, _ = HiddenCreator.objects.filter(viewer=viewer, creator=creator).delete()
    return bool(gone)


@transaction.atomic
def recount_followers(*, creators: Sequence[int]) -> int:
    """Set these creators' counters to the count of their follows; return how many were wrong.

    The rows are locked first, so that the count sees every follow that has moved its counter and no other.
    """
    held = Creator.objects.filter(pk__in=creators).order_by("pk").select_for_update(no_key=True)
    counted = {creator.pk: creator.followers for creator in held}
    follows = Follow.objects.filter(creator=OuterRef("pk")).order_by().values("creator")
    true = Coalesce(Subquery(follows.values(count=Count("pk"))), 0)
    wrong = Creator.objects.filter(pk__in=counted).exclude(followers=true)
    return wrong.update(followers=true)


def recount_all_followers(*, tenant: Tenant) -> int:
    """Recount the followers of all creators, some at a time; return how many were wrong."""
    wrong = after = 0
    while True:
        with scope(tenant):
            some = list(Creator.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
            wrong += recount_followers(creators=some)
        if not some:
            return wrong
        after = some[-1]
