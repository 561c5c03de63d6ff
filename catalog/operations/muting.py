"""Not wanting to read a word."""

from datetime import datetime

from django.db import transaction

from catalog.models import MutedWord
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member

MOST_MUTED = 100
SHORTEST, LONGEST = 2, 40


class NoWord(Invalid):
    code = "no_word"


class TooManyWords(Conflict):
    code = "too_many_words"


@transaction.atomic
def mute_word(*, viewer: Member, word: str, at: datetime) -> MutedWord:
    """Keep what has this word in it from the viewer; twice is once. Raises NoWord and TooManyWords."""
    plain = word.strip().lower()
    if not SHORTEST <= len(plain) <= LONGEST or not plain.isprintable():  # small letters can be more than large ones
        raise NoWord(f"A word has {SHORTEST} to {LONGEST} letters.")
    muted, _ = MutedWord.objects.get_or_create(viewer=viewer, word=plain, defaults={"muted_at": at})
    if MutedWord.objects.filter(viewer=viewer).count() > MOST_MUTED:
        raise TooManyWords(f"More than {MOST_MUTED} words are not heard.")
    return muted


@transaction.atomic
def unmute_word(*, muted: MutedWord) -> None:
    """Let the viewer see what has this word in it again."""
    muted.delete()
