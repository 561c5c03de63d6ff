"""What viewers do not want to read, and what has it."""

from django.db.models import CharField, Exists, F, Func, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Concat, Lower

from catalog.models import MutedWord
from kpplatform.tenancy.models import Member


def muted_words(viewer: Member) -> QuerySet[MutedWord]:
    """Return the words that the viewer does not want to read, the latest first."""
    return MutedWord.objects.filter(viewer=viewer).order_by("-muted_at", "-pk")


def item_is_muted(viewer: Member) -> Exists:
    """Return the condition that the outer query's item has a muted word in its title or tags."""
    tags = Func(OuterRef("tags"), Value(" "), function="array_to_string", output_field=TextField())
    told = Lower(Concat(OuterRef("title"), Value(" "), tags, output_field=TextField()))
    return _has_muted(viewer, told)


def comment_is_muted(viewer: Member, *, body: str = "body") -> Exists:
    """Return the condition that the outer query's comment, whose words are in `body`, has a muted word in it."""
    return _has_muted(viewer, Lower(OuterRef(body), output_field=CharField()))


def _has_muted(viewer: Member, told: Lower) -> Exists:
    return Exists(muted_words(viewer).order_by().annotate(told=told).filter(told__contains=F("word")))
