"""Tax that is withheld of what creators are paid: how much, of whom, from when on."""

from django.db import models
from django.db.models import F, Q

from billing.money import WHOLE_BPS
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Payee(TenantOwned):
    """As what a creator is taxed, by the papers that staff have seen. The latest row holds; none is ever changed."""

    class Kind(models.TextChoices):
        PERSON = "person"
        COMPANY = "company"

    creator = TenantForeignKey(Creator)
    place = models.CharField(max_length=6, blank=True, help_text="CN, CN-31; empty: where the tenant is.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    tax_id = models.CharField(max_length=20, blank=True)
    by = TenantForeignKey(Member)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="what_a_payee_was_stays")]
        indexes = [models.Index(fields=["tenant", "creator", "-id"], name="payee_latest")]

    def __str__(self) -> str:
        return f"{self.creator_id}: {self.kind}"


class WithholdingRule(TenantOwned):
    """How much is withheld of payouts to creators of a place and a kind, between two days; never two at once."""

    place = models.CharField(max_length=6, blank=True, help_text="CN, CN-31; empty: wherever no other rule holds.")
    kind = models.CharField(max_length=10, choices=Payee.Kind.choices, blank=True, help_text="Empty: of both kinds.")
    currency = models.CharField(max_length=3)
    bps = models.PositiveIntegerField(help_text="Of what is paid out, in hundredths of a percent.")
    threshold = models.BigIntegerField(default=0, help_text="So much a calendar month is free, in minor units.")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="The last day; none: until further notice.")
    by = TenantForeignKey(Member)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "place", "kind", "currency", "starts_on"], name="a_withholding_begins_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(bps__lte=10_000, threshold__gte=0), name="no_more_is_withheld_than_is_paid"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="a_withholding_ends_after_it_begins"
            ),
            AppendOnly(name="a_withholding_only_ends", updatable=("ends_on",)),
        ]

    def __str__(self) -> str:
        return f"{self.place or '*'} {self.kind} {self.bps / 100:g} %"

    def due_on(self, paid: int) -> int:
        """Return how much is due on what was paid in a month, in minor units, rounded down."""
        return max(paid - self.threshold, 0) * self.bps // WHOLE_BPS

    def too_much(self, paid: int, kept: int) -> int:
        """Return the least that is to be given back of what was kept, so that no more is kept than is due.

        What is given back was not paid, so less is due then: it is found by halving.
        """
        low, high = 0, kept
        while low < high:
            middle = (low + high) // 2
            if kept - middle <= self.due_on(paid - middle):
                high = middle
            else:
                low = middle + 1
        return low
