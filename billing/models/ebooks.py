"""E-books: the file of a product, and the copies that buyers have of it."""

from django.db import models
from django.db.models import Q

from billing.models.products import Product
from billing.models.sales import OrderLine
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class EbookFile(TenantOwned):
    """The file of an e-book, in the tenant's folder under its hash. The latest is what is downloaded."""

    class Format(models.TextChoices):
        PDF = "pdf", "PDF"
        EPUB = "epub", "EPUB"

    product = TenantForeignKey(Product)
    format = models.CharField(max_length=10, choices=Format.choices)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file, and its name.")
    size = models.PositiveIntegerField(help_text="In bytes.")
    uploaded_by = TenantForeignKey(Member)
    uploaded_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(size__gt=0), name="a_file_has_something_in_it")]
        indexes = [models.Index(fields=["tenant", "product", "-id"], name="ebook_file_newest")]

    def __str__(self) -> str:
        return f"{self.product_id}.{self.format}"


class EbookCopy(TenantOwned):
    """A buyer may download an e-book: so often, until it is given back."""

    line = TenantForeignKey(OrderLine)
    product = TenantForeignKey(Product)
    viewer = TenantForeignKey(Member)
    source = models.CharField(max_length=60, help_text="What granted it, e.g. order:12:34")
    downloads = models.PositiveIntegerField(default=0)
    granted_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True, blank=True, help_text="When it was last downloaded.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "source"], name="a_source_grants_one_copy")]
        indexes = [models.Index(fields=["tenant", "viewer", "-id"], name="ebook_copy_newest")]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.viewer_id}"
