"""What models make of texts: topics that are suggested, what comments praise and blame, and what people marked."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from catalog.models import Comment, Item, Topic
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class TextRun(TenantOwned):
    """One pass of a model over a tenant's texts: what it learned and told, or why it told nothing."""

    class Kind(models.TextChoices):
        TOPICS = "topics"
        COMMENTS = "comments"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    outcome = models.CharField(max_length=40, help_text="In one word.")
    read = models.PositiveIntegerField(default=0, help_text="How many texts it looked at.")
    told = models.PositiveIntegerField(default=0, help_text="Of how many it said something.")
    metrics = models.JSONField(default=dict, blank=True, help_text="Loss and accuracy per epoch, and what is withheld.")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "-began_at"], name="text_run_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.outcome})"


class TopicSuggestion(TenantOwned):
    """What an item without a topic may be about. It becomes the item's topic when somebody says so."""

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        DECLINED = "declined"

    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    topic = TenantForeignKey(Topic, on_delete=models.CASCADE)
    confidence = models.FloatField(help_text="The model's chance, 0 to 1.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    suggested_at = models.DateTimeField()
    by = TenantForeignKey(Member, null=True, blank=True, on_delete=models.SET_NULL)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "item"], name="an_item_has_one_suggestion"),
            models.CheckConstraint(condition=Q(confidence__gte=0, confidence__lte=1), name="confidence_is_a_chance"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.topic_id}"


class CommentSignal(TenantOwned):
    """What a tagger found in a comment. Its spans are places in the comment's body, and go with its words."""

    comment = TenantForeignKey(Comment, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    praise = models.FloatField(help_text="The sum of the chances of its positive spans.")
    blame = models.FloatField(help_text="The sum of the chances of its negative spans.")
    spans = models.JSONField(help_text="[[start, end, label, chance] …]")
    keywords = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    tagger = models.CharField(max_length=40, help_text="Which one, by its weights.")
    tagged_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "comment"], name="a_comment_has_one_signal")]
        indexes = [models.Index(fields=["tenant", "item", "-comment"], name="comment_signal_of_item")]

    def __str__(self) -> str:
        return f"{self.comment_id}: +{self.praise:.1f} −{self.blame:.1f}"


class SpanLabel(TenantOwned):
    """What one member of staff marked as praise and blame in a comment: a tagger's lesson."""

    comment = TenantForeignKey(Comment, on_delete=models.CASCADE)
    by = TenantForeignKey(Member, on_delete=models.CASCADE)
    spans = models.JSONField(help_text="[[start, end, label] …]; none: there is neither.")
    labelled_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "comment", "by"], name="a_member_labels_a_comment_once")
        ]

    def __str__(self) -> str:
        return f"{self.comment_id}: {len(self.spans)}"
