"""Tax: what is due where, to whom sales are billed, and the documents with their numbers."""

from django.db import models
from django.db.models import F, Q

from billing.models.disputes import DisputePart
from billing.models.sales import Order, Refund
from billing.money import Money
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class TaxRule(TenantOwned):
    """How much tax is due on sales to a place, from one day until another; never two at once."""

    place = models.CharField(max_length=6, blank=True, help_text="CN, CN-31; empty: wherever no other rule holds.")
    bps = models.PositiveIntegerField(help_text="Of the price without tax, in hundredths of a percent.")
    is_exclusive = models.BooleanField(default=False, help_text="It is added to the price, not a part of it.")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="The last day; none: until further notice.")
    by = TenantForeignKey(Member)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "place", "starts_on"], name="a_tax_begins_once_a_day"),
            models.CheckConstraint(condition=Q(bps__lte=10_000), name="a_tax_is_no_more_than_the_price"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="a_tax_ends_after_it_begins"
            ),
            AppendOnly(name="a_tax_only_ends", updatable=("ends_on",)),
        ]

    def __str__(self) -> str:
        return f"{self.place or '*'} {self.bps / 100:g} %"


class BillingProfile(TenantOwned):
    """To whom and where a member's purchases are billed."""

    member = TenantForeignKey(Member)
    place = models.CharField(max_length=6, blank=True)
    title = models.CharField(max_length=100, blank=True, help_text="The name on the invoice.")
    tax_id = models.CharField(max_length=20, blank=True, help_text="统一社会信用代码; checked.")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "member"], name="a_member_is_billed_to_one")]

    def __str__(self) -> str:
        return self.title or str(self.member_id)


class InvoiceSeries(TenantOwned):
    """Documents that are numbered 1, 2, 3 … Whoever issues one holds this row until it is written."""

    series = models.CharField(max_length=20)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "series"], name="a_series_is_counted_once"),
            AppendOnly(name="a_series_only_counts_on", updatable=("last",)),
        ]

    def __str__(self) -> str:
        return f"{self.series}-{self.last}"


class Invoice(TenantOwned):
    """What a sale was billed with, or a refund or a lost dispute credited with. Never changed."""

    class Kind(models.TextChoices):
        INVOICE = "invoice"
        CREDIT_NOTE = "credit_note"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    series = models.CharField(max_length=20)
    number = models.PositiveIntegerField()
    order = TenantForeignKey(Order)
    refund = TenantForeignKey(Refund, null=True, blank=True)
    lost = TenantForeignKey(DisputePart, null=True, blank=True, help_text="What was lost in a dispute.")
    seller = models.JSONField(help_text="Name, place and tax id, as they were.")
    buyer = models.JSONField()
    lines = models.JSONField(help_text="A list of title, amount and tax.")
    amount = models.BigIntegerField(help_text="In minor units, tax included.")
    tax = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "series", "number"], name="a_number_is_one_invoice"),
            models.UniqueConstraint(
                fields=["tenant", "order"], condition=Q(kind="invoice"), name="an_order_is_billed_once"
            ),
            models.UniqueConstraint(fields=["tenant", "refund"], name="a_refund_is_credited_once"),
            models.UniqueConstraint(fields=["tenant", "lost"], name="what_was_lost_is_credited_once"),
            models.CheckConstraint(
                condition=Q(kind="invoice", refund=None, lost=None)
                | Q(kind="credit_note", refund__isnull=False, lost=None)
                | Q(kind="credit_note", refund=None, lost__isnull=False),
                name="a_credit_note_is_of_a_refund_or_a_dispute",
            ),
            AppendOnly(name="an_invoice_is_never_changed"),
        ]
        indexes = [models.Index(fields=["tenant", "order"], name="invoice_order")]

    def __str__(self) -> str:
        return f"{self.series}-{self.number:06d}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class InvoiceRequest(TenantOwned):
    """A buyer wants a 发票 of the tax office for an order; staff say its number, or why there is none."""

    class State(models.TextChoices):
        ASKED = "asked"
        ISSUED = "issued"
        REJECTED = "rejected"

    order = TenantForeignKey(Order)
    viewer = TenantForeignKey(Member)
    title = models.CharField(max_length=100)
    tax_id = models.CharField(max_length=20, blank=True, help_text="Of a company; none: for a person.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    number = models.CharField(max_length=30, blank=True, help_text="Of the 发票.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was rejected.")
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "order"], condition=~Q(state="rejected"), name="an_order_has_one_request"
            ),
            models.CheckConstraint(
                condition=Q(state="asked", number="", reason="")
                | (Q(state="issued", reason="") & ~Q(number=""))
                | (Q(state="rejected", number="") & ~Q(reason="")),
                name="a_request_says_how_it_ended",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "viewer", "-id"], name="invoice_request_viewer")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.title}"
