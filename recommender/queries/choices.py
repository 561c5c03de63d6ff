"""What viewers have decided about their feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from catalog.queries import not_consenting
from kpplatform.tenancy.models import Member
from recommender.models import InterestChoice, PersonalisationRefusal, TasteReset
from recommender.queries.portraits import portrait_of


@dataclass(frozen=True)
class Interest:
    """A topic or a tag by its name: the share of all interest that was found, and what the viewer says of it."""

    name: str
    share: float | None
    is_wanted: bool | None


def interest_choices(viewer: Member) -> QuerySet[InterestChoice]:
    """Return what the viewer wants to see and what not, by name."""
    return InterestChoice.objects.filter(viewer=viewer).order_by("name", "pk")


def interests_of(viewer: Member) -> list[Interest]:
    """Return what the viewer is interested in: what they chose, then what else was found, the strongest first."""
    portrait = portrait_of(viewer)
    found: dict[str, float] = dict(portrait.interests) if portrait else {}
    chosen = dict(interest_choices(viewer).values_list("name", "is_wanted"))
    told = [Interest(name, found.get(name), is_wanted) for name, is_wanted in chosen.items()]
    return told + [Interest(name, share, None) for name, share in found.items() if name not in chosen]


def personalisation_refused_at(viewer: Member) -> datetime | None:
    """Return since when the viewer wants nothing personal, if they do not."""
    return PersonalisationRefusal.objects.filter(viewer=viewer).values_list("refused_at", flat=True).first()


def taste_reset_at(viewer: Member) -> datetime | None:
    """Return when the viewer began anew, if they ever did."""
    return TasteReset.objects.filter(viewer=viewer).values_list("reset_at", flat=True).first()


def chosen_by(viewers: Sequence[int]) -> list[tuple[int, str, bool]]:
    """Return (viewer, topic or tag, whether it is wanted) of all that these viewers chose."""
    rows = InterestChoice.objects.filter(viewer__in=list(viewers)).order_by()
    return list(rows.values_list("viewer_id", "name", "is_wanted"))


def closed_to() -> list[int]:
    """Return the viewers of whom nothing is learned: who want nothing personal, do not consent, or are nobody."""
    refused = PersonalisationRefusal.objects.order_by().values_list("viewer_id", flat=True)
    return list(refused.union(not_consenting()))


def resets() -> dict[int, datetime]:
    """Return when viewers began anew, of those who did."""
    return dict(TasteReset.objects.order_by().values_list("viewer_id", "reset_at"))
