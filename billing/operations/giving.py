"""Virtual gifts: paid with coins, received as money."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Sum

from billing import ledger
from billing.models import Account, Giving, Journal, Transfer, VirtualGift
from billing.money import Money
from billing.operations.earnings import Moved, credited, recovered
from billing.operations.limits import must_be_allowed
from billing.operations.said import NOTHING, Said
from billing.operations.taxes import terms_for
from billing.operations.terms import WINDOW
from billing.queries import coin_value
from catalog.models import Item
from creators.models import Creator
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member

MOST_COINS, MOST_PIECES = 1_000_000, 999
BATCH = 500


class NoSuchGift(Invalid):
    code = "no_such_gift"


class GiftGone(Conflict):
    code = "gift_gone"


class GiftKeyTaken(Conflict):
    code = "gift_key_taken"


class YourOwn(Conflict):
    code = "your_own"


class StaffMakeGifts(Forbidden):
    code = "staff_make_gifts"


@transaction.atomic
def make_gift(*, by: Member, name_zh: str, name_en: str, coins: int, at: datetime) -> VirtualGift:
    """Put a gift into the catalogue. Raises StaffMakeGifts and NoSuchGift."""
    _must_be_staff(by)
    if not 0 < coins <= MOST_COINS:
        raise NoSuchGift(f"A gift costs 1 to {MOST_COINS} coins.")
    return VirtualGift.objects.create(name_zh=name_zh, name_en=name_en, coins=coins, made_at=at)


@transaction.atomic
def withdraw_gift(*, gift: VirtualGift, by: Member, at: datetime) -> VirtualGift:
    """Give it no longer; what was given stays. Raises StaffMakeGifts."""
    _must_be_staff(by)
    VirtualGift.objects.filter(pk=gift.pk, withdrawn_at=None).update(withdrawn_at=at)
    gift.refresh_from_db()
    return gift


@transaction.atomic
def give_gift(
    *,
    viewer: Member,
    gift: VirtualGift,
    creator: Creator,
    item: Item | None = None,
    pieces: int = 1,
    said: Said = NOTHING,
    key: str,
    at: datetime,
) -> Giving:
    """Give a gift to a creator, for something of theirs or just so: coins become their money, less tax and fee.

    The same key gives the same gift. Raises YourOwn, NoSuchGift, GiftGone, NotForMinors, EnoughForToday,
    NotEnoughMoney for too few coins, and GiftKeyTaken.
    """
    asked = {"gift_id": gift.pk, "creator_id": creator.pk, "item_id": item.pk if item else None, "pieces": pieces}
    Member.objects.select_for_update(no_key=True).get(pk=viewer.pk)
    if given := Giving.objects.filter(viewer=viewer, key=f"gift:{key}").first():
        if asked != {name: getattr(given, name) for name in asked}:
            raise GiftKeyTaken("Another gift was given under this key.")
        return given
    if creator.member_id == viewer.pk:
        raise YourOwn("Nobody gives to themselves.")
    _must_be_givable(gift, pieces, item=item, creator=creator, at=at)
    coins = gift.coins * pieces
    amount = coin_value() * coins
    must_be_allowed(viewer=viewer, amount=amount, at=at)
    wallet = ledger.coins(viewer, amount.currency)
    parts = replace(terms_for(viewer, at).with_tax_inside, processor_bps=0).divide(amount)
    names = {"tax": ledger.tax(amount.currency), "platform": ledger.fees(amount.currency)}
    names["share"] = ledger.pending(creator, amount.currency)
    journal = ledger.post(
        kind=Journal.Kind.GIFT,
        key=f"gift:{uuid4().hex}",  # the creator reads it, and may not be told who gave
        transfers=[(wallet, name, parts[part]) for part, name in names.items()],
        at=at,
    )
    told = {"message": said.message, "is_anonymous": said.is_anonymous, "key": f"gift:{key}"}
    worth = {"coins": coins, "amount": amount.minor, "currency": amount.currency, "journal": journal}
    return Giving.objects.create(
        viewer=viewer, given_at=at, paid_at=at, matures_at=at + WINDOW, **asked, **told, **worth
    )


@transaction.atomic
def take_back_gift(*, giving: Giving, by: Member, reason: str, at: datetime) -> Giving:
    """Give the coins back to who gave them; once. What was paid out is owed by the creator.

    Raises StaffMakeGifts and NoSuchGift.
    """
    _must_be_staff(by)
    giving = Giving.objects.select_for_update(no_key=True).get(pk=giving.pk)
    if giving.journal is None:
        raise NoSuchGift("A gift of money is given back like any other line of an order.")
    if giving.taken_back_at is None:
        ledger.post(kind=Journal.Kind.GIFT_BACK, key=f"gift-back:{giving.pk}", transfers=_undone(giving), at=at)
        giving.taken_back_at, giving.taken_back_by, giving.reason, giving.matures_at = at, by, reason, None
        giving.save(update_fields=["taken_back_at", "taken_back_by", "reason", "matures_at"])
    return giving


def _undone(giving: Giving) -> list[Moved]:
    """Return a gift's transfers turned round: what has matured comes from where the creator's money is now."""
    assert giving.journal is not None
    undone: list[Moved] = []
    for source, wallet, money in ledger.reversal(giving.journal):
        unmatured = money if giving.matures_at or not source.creator_id else money * 0
        parts = recovered(source, money, unmatured=unmatured) if source.creator_id else [(source, money)]
        undone += [(name, wallet, part) for name, part in parts]
    return undone


@transaction.atomic
def mature_gifts(*, at: datetime, most: int = BATCH) -> int:
    """Make theirs what creators were given with so many gifts whose time has come; say with how many.

    It is one journal; debts are repaid first.
    """
    due = Giving.objects.select_for_update(no_key=True).filter(matures_at__lte=at).order_by("matures_at", "pk")
    if not (givings := list(due[:most])):
        return 0
    shares = Transfer.objects.filter(journal__in=[of.journal_id for of in givings], credit__kind=Account.Kind.PENDING)
    moved: list[Moved] = []
    for creator, currency, amount in (
        shares.values_list("credit__creator", "currency")
        .annotate(Sum("amount"))
        .order_by("credit__creator", "currency")
    ):
        owner = ledger.creators(Account.Kind.PENDING, creator, currency)
        moved += credited(owner, owner, Money(amount, currency))
    ledger.post(kind=Journal.Kind.GIFT_MATURITY, key=f"gift-maturity:{givings[0].pk}", transfers=moved, at=at)
    Giving.objects.filter(pk__in=[of.pk for of in givings]).update(matures_at=None)
    return len(givings)


def _must_be_givable(gift: VirtualGift, pieces: int, *, item: Item | None, creator: Creator, at: datetime) -> None:
    if not 0 < pieces <= MOST_PIECES or (item and item.creator_id != creator.pk):
        raise NoSuchGift("So many are not given at once, or not for this.")
    if gift.withdrawn_at is not None and gift.withdrawn_at <= at:
        raise GiftGone(f"{gift} is not given any longer.")


def _must_be_staff(by: Member) -> None:
    if not by.runs_the_tenant:
        raise StaffMakeGifts("Only the tenant's staff may do this.")
