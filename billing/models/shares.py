"""Who else gets a part of what is sold: those who made it with its creator, and those who brought the buyer."""

from django.db import models
from django.db.models import F, Q

from billing.models.products import Product
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Collaboration(TenantOwned):
    """A part of the share of an item or a product for another creator: proposed, agreed by them, and ended."""

    owner = TenantForeignKey(Creator)
    item = TenantForeignKey(Item, null=True, blank=True)
    product = TenantForeignKey(Product, null=True, blank=True)
    creator = TenantForeignKey(Creator, help_text="Who gets the part.")
    bps = models.PositiveIntegerField(help_text="Of the share, in hundredths of a percent.")
    proposed_by = TenantForeignKey(Member)
    proposed_at = models.DateTimeField()
    agreed_at = models.DateTimeField(null=True, blank=True)
    ended_by = TenantForeignKey(Member, null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(item=None, product__isnull=False) | Q(item__isnull=False, product=None),
                name="a_collaboration_is_on_one_thing",
            ),
            models.CheckConstraint(condition=Q(bps__gt=0, bps__lte=10_000), name="a_collaborator_gets_something"),
            models.CheckConstraint(condition=~Q(owner=F("creator")), name="nobody_collaborates_with_themselves"),
            *(
                models.UniqueConstraint(
                    fields=["tenant", thing, "creator"],
                    condition=Q(ended_at=None),
                    name=f"one_collaborates_once_on_a_{thing}",
                )
                for thing in ("item", "product")
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "creator", "-id"], name="collaboration_creator"),
            models.Index(fields=["tenant", "owner", "-id"], name="collaboration_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.creator_id}: {self.bps}"


class Affiliate(TenantOwned):
    """A creator who brings buyers to others, known by a code; who recruited them gets a part at the second level."""

    creator = TenantForeignKey(Creator)
    code = models.CharField(max_length=20)
    recruiter = TenantForeignKey("self", null=True, blank=True)
    joined_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "creator"], name="a_creator_is_one_affiliate"),
            models.UniqueConstraint(fields=["tenant", "code"], name="a_code_is_one_affiliate"),
            models.CheckConstraint(condition=~Q(recruiter=F("id")), name="nobody_recruits_themselves"),
        ]

    def __str__(self) -> str:
        return self.code


class AffiliateTerms(TenantOwned):
    """What a creator leaves to who brings buyers, and to who recruited those, from then until then."""

    creator = TenantForeignKey(Creator)
    first_bps = models.PositiveIntegerField(help_text="Of the share, in hundredths of a percent, to who brought them.")
    second_bps = models.PositiveIntegerField(help_text="The same, to who recruited those.")
    set_by = TenantForeignKey(Member)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "creator"], condition=Q(ends_at=None), name="a_creator_has_one_affiliate_offer"
            ),
            models.CheckConstraint(
                condition=Q(first_bps__lte=10_000 - F("second_bps")), name="affiliates_get_no_more_than_all"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "creator", "-id"], name="affiliate_terms_creator")]

    def __str__(self) -> str:
        return f"{self.creator_id}: {self.first_bps} + {self.second_bps}"


class Referral(TenantOwned):
    """A viewer came by an affiliate's link. The last one within the window counts."""

    viewer = TenantForeignKey(Member)
    affiliate = TenantForeignKey(Affiliate)
    referred_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "viewer", "-referred_at", "-id"], name="referral_newest")]

    def __str__(self) -> str:
        return f"{self.viewer_id}: {self.affiliate_id}"
