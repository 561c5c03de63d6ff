"""Who gave what to whom, and what is left of their coins."""

from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing import ledger
from billing.models import Giving, Product, VirtualGift
from billing.money import Money
from billing.queries.clock import tenants_time
from catalog.queries import comment_is_muted
from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

COIN_MINOR = 10  # what a coin is worth in minor units, unless the tenant's settings say otherwise
MOST_LEADERS = 100


def coin_value() -> Money:
    """Return what one coin is worth."""
    tenant = current_tenant()
    return Money(tenant.settings.get("coin_minor", COIN_MINOR), tenant.currency)


def coins_of(member: Member) -> Money:
    """Return what the member's unspent coins are worth."""
    return ledger.coins(member, current_tenant().currency).balance


def coin_packs(*, at: datetime) -> QuerySet[Product]:
    """Return the packs of coins that are sold, newest first."""
    packs = Product.objects.filter(kind=Product.Kind.COINS, currency=current_tenant().currency)
    return packs.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=at)).order_by("-pk")


def virtual_gifts(*, at: datetime) -> QuerySet[VirtualGift]:
    """Return the catalogue of gifts, newest first."""
    return VirtualGift.objects.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=at)).order_by("-pk")


def given_on_day(viewer: Member, *, currency: str, at: datetime) -> Money:
    """Return what the viewer gives on the tenant's day of this moment, what they have only ordered included."""
    here = tenants_time(at)
    begin = datetime.combine(here.date(), time(), here.tzinfo)
    end = datetime.combine(here.date() + timedelta(days=1), time(), here.tzinfo)
    given = Giving.objects.filter(viewer=viewer, currency=currency, given_at__gte=begin, given_at__lt=end)
    return Money(given.filter(taken_back_at=None).aggregate(sum=Sum("amount"))["sum"] or 0, currency)


def givings_of(viewer: Member) -> QuerySet[Giving]:
    """Return what the viewer gave, or meant to, newest first."""
    return _shown(Giving.objects.filter(viewer=viewer), viewer)


def givings_to(creator: Creator, *, reader: Member) -> QuerySet[Giving]:
    """Return what the creator was given, newest first; words that the reader has muted are marked."""
    return _shown(Giving.objects.filter(creator=creator, paid_at__isnull=False, taken_back_at=None), reader)


def leaders(creators: QuerySet[Creator], *, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Return who gave the creators most in the period, in their own name, less what they were given back."""
    given = Giving.objects.filter(creator__in=creators, is_anonymous=False, taken_back_at=None)
    given = given.filter(paid_at__gte=since, paid_at__lt=until, currency=current_tenant().currency)
    worth = Sum(F("amount") - Coalesce(F("line__refunded"), 0))
    by_viewer = given.values("viewer", "currency", name=F("viewer__name")).annotate(amount=worth, times=Count("pk"))
    first: QuerySet[Any] = by_viewer.order_by("-amount", "viewer")
    return list(first[:MOST_LEADERS])


def _shown(givings: QuerySet[Giving], reader: Member) -> QuerySet[Giving]:
    muted = comment_is_muted(reader, body="message")
    return givings.select_related("viewer", "creator", "gift").annotate(is_muted=muted).order_by("-pk")
