"""What viewers do not want to read."""

from django.db import models
from django.db.models import Q

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class MutedWord(TenantOwned):
    """A viewer wants to see nothing that has this word in its title, its tags or what was written under it."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    word = models.CharField(max_length=40, help_text="In small letters.")
    muted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "word"], name="a_viewer_mutes_a_word_once"),
            models.CheckConstraint(condition=~Q(word=""), name="a_muted_word_is_a_word"),
        ]

    def __str__(self) -> str:
        return self.word
