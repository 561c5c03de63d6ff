"""Questions, plans and commissions: asked with money, answered in time or given back."""

from django.db import models
from django.db.models import Q

from billing.models.products import Product
from billing.models.sales import OrderLine
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class ConsultationOffer(TenantOwned):
    """What a product of the kind consultation promises: what is asked first, and how soon it is answered."""

    class Kind(models.TextChoices):
        QUESTION = "question", "a question"
        PLAN = "plan", "a personal plan"
        COMMISSION = "commission", "a work made to order"

    product = TenantForeignKey(Product)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    form = models.JSONField(help_text="What is asked: a list of name, label, type, required and choices.")
    hours = models.PositiveIntegerField(help_text="Until it is answered, or the money goes back.")
    follow_ups = models.PositiveIntegerField(default=0, help_text="How often may be asked again.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "product"], name="a_product_promises_one_consultation"),
            models.CheckConstraint(condition=Q(hours__gt=0), name="a_consultation_has_time"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.kind}"


class Consultation(TenantOwned):
    """Somebody asks a creator. Until it is answered, the money can go back; nobody else reads it but staff."""

    class State(models.TextChoices):
        PLACED = "placed", "not paid"
        ASKED = "asked"
        ANSWERED = "answered"
        FOLLOWED_UP = "followed_up", "asked again"
        CLOSED = "closed"
        EXPIRED = "expired", "not answered in time"
        CANCELLED = "cancelled", "given back"

    line = TenantForeignKey(OrderLine)
    offer = TenantForeignKey(ConsultationOffer)
    viewer = TenantForeignKey(Member)
    creator = TenantForeignKey(Creator)
    state = models.CharField(max_length=20, choices=State.choices, default=State.PLACED)
    intake = models.JSONField(help_text="What the form asked for.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="Answered before, or the money goes back.")
    follow_ups_left = models.PositiveIntegerField()
    rating = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "line"], name="a_line_is_one_consultation"),
            models.CheckConstraint(
                condition=Q(state="placed", due_at=None) | (~Q(state="placed") & Q(due_at__isnull=False)),
                name="what_was_asked_is_due",
            ),
            models.CheckConstraint(
                condition=Q(rating=None) | Q(rating__gte=1, rating__lte=5), name="a_rating_is_of_one_to_five"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "viewer", "-id"], name="consultation_viewer"),
            models.Index(fields=["tenant", "creator", "-id"], name="consultation_creator"),
        ]

    def __str__(self) -> str:
        return f"consultation {self.pk}"


class ConsultationEntry(TenantOwned):
    """What was written in a consultation: an answer, each a new version of it, or what was asked again."""

    class Kind(models.TextChoices):
        ANSWER = "answer"
        FOLLOW_UP = "follow_up", "asked again"

    consultation = TenantForeignKey(Consultation, related_name="entries")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    version = models.PositiveIntegerField(help_text="1, 2, 3 … of its kind.")
    body = models.TextField(max_length=20_000)
    links = models.JSONField(default=list, blank=True, help_text="Where the work lies: a list of addresses.")
    by = TenantForeignKey(Member)
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "consultation", "kind", "version"], name="a_version_is_one_entry"
            ),
            AppendOnly(name="what_was_answered_stays"),
        ]

    def __str__(self) -> str:
        return f"{self.consultation_id}: {self.kind} {self.version}"
