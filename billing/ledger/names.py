"""The accounts by name. An account is made when it is first posted to; until then its balance is nothing."""

from dataclasses import dataclass

from billing.models import Account, Channel
from billing.money import Money
from creators.models import Creator
from kpplatform.tenancy.models import Member

Kind = Account.Kind


@dataclass(frozen=True, slots=True)
class Name:
    """Which account of the scope's tenant: its kind, its currency and, where it has one, its owner."""

    kind: Kind
    currency: str
    creator_id: int | None = None
    member_id: int | None = None
    floor: int | None = None
    channel_id: int | None = None

    def __str__(self) -> str:
        owners = (("creator", self.creator_id), ("member", self.member_id), ("channel", self.channel_id))
        owner = next((f"/{of}/{pk}" for of, pk in owners if pk), "")
        return f"{self.kind}/{self.currency}{owner}"

    @property
    def balance(self) -> Money:
        """What was credited less what was debited, so far."""
        account = Account.objects.filter(name=str(self)).first()
        return account.balance if account else Money(0, self.currency)


def clearing(currency: str) -> Name:
    """What the payment provider holds for the tenant (below zero: it owes)."""
    return Name(Kind.CLEARING, currency)


def refund_clearing(currency: str) -> Name:
    """What is on its way back to buyers."""
    return Name(Kind.REFUND_CLEARING, currency, floor=0)


def dispute(currency: str) -> Name:
    """What is held of creators' and others' money for disputes, less what the provider has taken for them."""
    return Name(Kind.DISPUTE, currency)


def fees(currency: str) -> Name:
    """What the platform has earned."""
    return Name(Kind.FEES, currency)


def processor(currency: str) -> Name:
    """What the payment provider keeps for itself."""
    return Name(Kind.PROCESSOR, currency)


def tax(currency: str) -> Name:
    """What has to be handed over to the tax office."""
    return Name(Kind.TAX, currency)


def withholding(currency: str) -> Name:
    """What was withheld of creators and has to be handed over to the tax office (below zero: it owes it)."""
    return Name(Kind.WITHHOLDING, currency)


def creators(kind: Kind, creator_id: int, currency: str) -> Name:
    """One of a creator's accounts: only what they owe goes below zero."""
    return Name(kind, currency, creator_id=creator_id, floor=None if kind == Kind.CLAWBACK else 0)


def pending(creator: Creator, currency: str) -> Name:
    """What a creator has earned with sales that can still be refunded."""
    return creators(Kind.PENDING, creator.pk, currency)


def available(creator: Creator, currency: str) -> Name:
    """What can be paid out to a creator."""
    return creators(Kind.AVAILABLE, creator.pk, currency)


def reserve(creator: Creator, currency: str) -> Name:
    """What is held back of a creator's money for some time, against refunds."""
    return creators(Kind.RESERVE, creator.pk, currency)


def in_transit(creator: Creator, currency: str) -> Name:
    """What is on its way to a creator."""
    return creators(Kind.IN_TRANSIT, creator.pk, currency)


def clawback(creator: Creator, currency: str) -> Name:
    """What a creator owes (below zero), because sales were refunded that had been paid out."""
    return creators(Kind.CLAWBACK, creator.pk, currency)


def wallet(member: Member, currency: str) -> Name:
    """What a viewer has paid in and not spent."""
    return Name(Kind.WALLET, currency, member_id=member.pk, floor=0)


def coins(member: Member, currency: str) -> Name:
    """What the coins are worth that a viewer has bought and not spent: owed to them."""
    return Name(Kind.COINS, currency, member_id=member.pk, floor=0)


def advertiser(member: Member, currency: str) -> Name:
    """What an advertiser has paid in and not set aside for a campaign: owed to them."""
    return Name(Kind.ADVERTISER, currency, member_id=member.pk, floor=0)


def ad_budget(member: Member, currency: str) -> Name:
    """What an advertiser has set aside for campaigns that were launched."""
    return Name(Kind.AD_BUDGET, currency, member_id=member.pk, floor=0)


def ad_revenue(currency: str) -> Name:
    """What advertisers were charged and nobody has been given yet."""
    return Name(Kind.AD_REVENUE, currency, floor=0)


def pool(currency: str) -> Name:
    """What members have paid for all that is the tenant's, to be shared among creators."""
    return Name(Kind.POOL, currency, floor=0)


def pool_debt(currency: str) -> Name:
    """What the pool owes (below zero), because members were given back what had been shared already."""
    return Name(Kind.POOL_DEBT, currency)


def outside(channel: Channel, currency: str) -> Name:
    """What a creator has earned at another platform, less what that has kept (below zero: it owes it, or paid it)."""
    return Name(Kind.OUTSIDE, currency, channel_id=channel.pk)


def outside_income(channel: Channel, currency: str) -> Name:
    """What was paid for a creator's work at another platform."""
    return Name(Kind.OUTSIDE_INCOME, currency, channel_id=channel.pk)


def outside_fees(channel: Channel, currency: str) -> Name:
    """What another platform has kept (below zero) of what a creator earned there."""
    return Name(Kind.OUTSIDE_FEES, currency, channel_id=channel.pk)
