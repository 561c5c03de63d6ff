"""What viewers decide: what they want to see, that nothing be personal, that what was learned be forgotten."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from catalog.models import Topic
from kpplatform.errors import Conflict, NotFound
from kpplatform.tenancy.models import Member
from recommender.models import InterestChoice, PersonalisationRefusal, Portrait, TasteReset

MOST_CHOICES = 200
LONGEST_TAG = 40


class UnknownInterest(NotFound):
    code = "unknown_interest"


class TooManyInterests(Conflict):
    code = "too_many_interests"


@transaction.atomic
def choose_interest(*, viewer: Member, name: str, is_wanted: bool, at: datetime) -> None:
    """Want or not want a topic or a tag from the next page on. Raises UnknownInterest and TooManyInterests."""
    topic = _topic(name)
    _hold(viewer)
    said = {"is_wanted": is_wanted, "topic": topic, "chosen_at": at}
    InterestChoice.objects.update_or_create(viewer=viewer, name=name, defaults=said)
    if InterestChoice.objects.filter(viewer=viewer).count() > MOST_CHOICES:
        raise TooManyInterests(f"More than {MOST_CHOICES} are not heard.")
    if not is_wanted:
        _undraw(viewer, {name})


@transaction.atomic
def choose_interests(*, viewer: Member, choices: Mapping[str, bool], at: datetime) -> None:
    """Put these choices in the place of all that the viewer has made. Raises UnknownInterest and TooManyInterests."""
    if len(choices) > MOST_CHOICES:
        raise TooManyInterests(f"More than {MOST_CHOICES} are not heard.")
    slugs = [name.removeprefix("topic:") for name in choices if name.startswith("topic:")]
    known = {f"topic:{topic.slug}": topic for topic in Topic.objects.filter(slug__in=slugs)}
    chosen = [
        InterestChoice(viewer=viewer, name=name, topic=_topic(name, known), is_wanted=is_wanted, chosen_at=at)
        for name, is_wanted in choices.items()
    ]
    _hold(viewer)
    InterestChoice.objects.filter(viewer=viewer).delete()
    InterestChoice.objects.bulk_create(chosen)
    _undraw(viewer, {name for name, is_wanted in choices.items() if not is_wanted})


@transaction.atomic
def forget_choice(*, viewer: Member, name: str) -> None:
    """Say nothing of a topic or a tag any more. Raises UnknownInterest."""
    _topic(name)
    InterestChoice.objects.filter(viewer=viewer, name=name).delete()


@transaction.atomic
def close_personalisation(*, viewer: Member, at: datetime) -> None:
    """Serve the viewer what everybody is served, learn nothing from them and draw no portrait; twice is once."""
    PersonalisationRefusal.objects.get_or_create(viewer=viewer, defaults={"refused_at": at})
    Portrait.objects.filter(viewer=viewer).delete()


@transaction.atomic
def open_personalisation(*, viewer: Member) -> None:
    """Serve the viewer by what they did again, from the next page on."""
    PersonalisationRefusal.objects.filter(viewer=viewer).delete()


@transaction.atomic
def reset_taste(*, viewer: Member, at: datetime) -> None:
    """Take nothing that the viewer did before as their taste, and delete what was drawn of it.

    What they watched or do not want is still not shown to them; what they chose and whom they follow stays.
    """
    TasteReset.objects.update_or_create(viewer=viewer, defaults={"reset_at": at})
    Portrait.objects.filter(viewer=viewer).delete()


def _hold(viewer: Member) -> None:
    """Let one after the other change what the viewer chose."""
    Member.objects.select_for_update(no_key=True).get(pk=viewer.pk)


def _topic(name: str, known: Mapping[str, Topic] | None = None) -> Topic | None:
    """Return the topic that is named, None for a tag. Raises UnknownInterest."""
    kind, _, word = name.partition(":")
    if kind == "tag" and word.strip() and len(word) <= LONGEST_TAG and word.isprintable():
        return None
    if kind == "topic" and word.isprintable():
        found = known.get(name) if known is not None else Topic.objects.filter(slug=word).first()
        if found:
            return found
    raise UnknownInterest("An interest is topic: and the slug of one, or tag: and a word.")


def _undraw(viewer: Member, names: set[str]) -> None:
    """Take these out of the portrait at once, not only when it is drawn anew."""
    if portrait := Portrait.objects.select_for_update().filter(viewer=viewer).first():
        portrait.interests = [told for told in portrait.interests if told[0] not in names]
        portrait.save(update_fields=["interests"])
