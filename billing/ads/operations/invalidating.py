"""Events that turn out to be no viewer's after they were billed: who had their price gives it back.

The advertiser is credited what they were charged for them, and it is taken out of where it went: the tax, the
platform's part, and the creators' parts of the day, pro rata; of a day that is not shared yet, out of what is to be
shared. What a creator has been paid out already becomes a debt, as after a refund.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum

from billing import ledger
from billing.ads.models import (
    Campaign,
    Charge,
    Credit,
    CreditPart,
    Flight,
    InvalidEvent,
    Offer,
    Share,
    ShareBack,
    Sharing,
)
from billing.ads.models.campaigns import MICROS
from billing.ads.operations.campaigns import held_campaign
from billing.ads.operations.charging import charge_campaign
from billing.ads.operations.crediting import CreditKeyTaken, booked_as
from billing.ads.operations.reviewing import NoReason
from billing.models import Account, Journal
from billing.money import Money
from billing.operations.crash import crash_here
from billing.operations.earnings import Moved, recovered
from billing.operations.staff import must_run_the_tenant
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member


class NotBilled(Conflict):
    code = "not_billed"


@dataclass(frozen=True)
class Part:
    """What is given back of what a flight was charged on a day, in minor units."""

    flight: int
    day: date
    amount: int
    tax: int


@transaction.atomic
def find_invalid(
    *, campaign: Campaign, offers: Sequence[Offer], by: Member, note: str, key: str, at: datetime
) -> Credit | None:
    """Note that no viewer saw these billed offers of a campaign, and credit what was charged for them.

    Each counts once; the same key gives the same credit. Parts of a unit wait until they are one: None, so far. What
    staff had credited before is not given twice. Raises StaffOnly, NoReason, NotBilled and CreditKeyTaken.
    """
    must_run_the_tenant(by)
    if not note.strip():
        raise NoReason("It is said why it is no viewer's.")
    campaign = held_campaign(campaign)
    if given := _given(campaign, key):
        return given
    if any(offer.campaign_id != campaign.pk or not offer.billed_at for offer in offers):
        raise NotBilled("What was not billed for this campaign is not given back.")
    known = set(InvalidEvent.objects.filter(offer__in=offers).values_list("offer", flat=True))
    found = {offer.pk: offer for offer in offers if offer.pk not in known}.values()
    InvalidEvent.objects.bulk_create(
        InvalidEvent(offer=of, flight_id=of.flight_id, price=of.price, note=note.strip(), by=by, found_at=at)
        for of in found
    )
    charge_campaign(campaign=campaign, at=at)
    ledger.held(ledger.ad_revenue(campaign.currency))  # no day is shared meanwhile
    _given(campaign, key)  # another campaign's credit may have been given while this one waited
    parts = _parts(campaign)
    return _credited(campaign, parts, by=by, note=note.strip(), key=key, at=at) if parts else None


def _given(campaign: Campaign, key: str) -> Credit | None:
    """Return the credit that was given under the key. Raises CreditKeyTaken for another one."""
    given = Credit.objects.filter(key=key).first()
    if given and (given.campaign_id, given.reason) != (campaign.pk, Credit.Reason.INVALID):
        raise CreditKeyTaken("Another credit was given under this key.")
    return given


def _parts(campaign: Campaign) -> list[Part]:
    """Return what is to be given back now, flight by flight and day by day."""
    charged = Charge.objects.filter(flight__campaign=campaign).aggregate(all=Sum("amount", default=0))["all"]
    credited = Credit.objects.filter(campaign=campaign).aggregate(all=Sum("amount", default=0))["all"]
    left, parts = charged - credited, []
    for flight in Flight.objects.filter(campaign=campaign).order_by("pk"):
        found = InvalidEvent.objects.filter(flight=flight).aggregate(all=Sum("price", default=0))["all"]
        before = CreditPart.objects.filter(flight=flight).aggregate(all=Sum("amount", default=0))["all"]
        due = min(found // MICROS - before, left)
        if due > 0:
            parts += _by_day(flight, Money(due, campaign.currency))
            left -= due
    return parts


def _by_day(flight: Flight, due: Money) -> list[Part]:
    """Divide what is due among the days on which it was charged: no day gives back more than it took."""
    charged, before = _sums(Charge, flight), _sums(CreditPart, flight)
    open_micros = _invalid_of_days(flight, fallback=max(charged))
    weights = [max(open_micros.get(day, 0) - before.get(day, (0, 0))[0] * MICROS, 0) for day in charged]
    wanted = [money.minor for money in due.split(*weights)] if any(weights) else [0] * len(charged)
    room = {day: amount - before.get(day, (0, 0))[0] for day, (amount, _) in charged.items()}
    parts, missing = [], due.minor - sum(wanted)
    # Where there is least room beyond first: what does not fit there is taken where there is.
    for day, want in sorted(zip(charged, wanted, strict=True), key=lambda pair: room[pair[0]] - pair[1]):
        now = min(want + missing, room[day])
        missing += want - now
        if now:
            parts.append(Part(flight.pk, day, now, _tax(charged[day], before.get(day, (0, 0)), now)))
    return parts


def _tax(charged: tuple[int, int], before: tuple[int, int], now: int) -> int:
    """Return the tax of what comes back now: of all that came back pro rata, and of both no more than is left."""
    (amount, tax), (amount_before, tax_before) = charged, before
    left, net_left = tax - tax_before, (amount - tax) - (amount_before - tax_before)
    due = (amount_before + now) * tax // amount - tax_before
    return min(max(due, now - net_left, 0), now, left)


def _sums(model: type[Charge] | type[CreditPart], flight: Flight) -> dict[date, tuple[int, int]]:
    """Return amount and tax of each day of the flight's charges, or of what came back of them."""
    rows: QuerySet[Charge] | QuerySet[CreditPart] = model.objects.filter(flight=flight)
    told = rows.values_list("day").annotate(Sum("amount"), Sum("tax")).order_by("day")
    return {day: (amount, tax) for day, amount, tax in told}


def _invalid_of_days(flight: Flight, *, fallback: date) -> dict[date, int]:
    """Return the micros that were found invalid, by the day of the charge that took them; the latest if none did."""
    charge = Charge.objects.filter(flight=OuterRef("flight"), charged_at__gte=OuterRef("offer__billed_at"))
    day = Subquery(charge.order_by("pk").values("day")[:1])
    found: dict[date, int] = {}
    rows = InvalidEvent.objects.filter(flight=flight).annotate(day=day).values_list("day").annotate(Sum("price"))
    for of, price in rows.order_by("day"):
        found[of or fallback] = found.get(of or fallback, 0) + price
    return found


def _credited(campaign: Campaign, parts: Sequence[Part], *, by: Member, note: str, key: str, at: datetime) -> Credit:
    to = ledger.advertiser(campaign.advertiser.member, campaign.currency)
    amount = sum(part.amount for part in parts)
    shared = {of.day: of for of in Sharing.objects.filter(currency=campaign.currency, day__in={p.day for p in parts})}
    backs: dict[Share, int] = {}
    out: list[tuple[ledger.Name, int]] = [(ledger.tax(campaign.currency), sum(part.tax for part in parts))]
    for day in sorted({part.day for part in parts}):
        net = sum(part.amount - part.tax for part in parts if part.day == day)
        if day in shared:
            of_day = _backs(shared[day], net)
            backs |= of_day
            out.append((ledger.fees(campaign.currency), net - sum(of_day.values())))
        else:
            out.append((ledger.ad_revenue(campaign.currency), net))
    moved: list[Moved] = [(name, to, Money(minor, campaign.currency)) for name, minor in out]
    moved += [(name, to, money) for name, money in _taken(backs, campaign.currency)]
    journal = ledger.post(kind=Journal.Kind.AD_CREDIT, key=booked_as(key), transfers=moved, at=at)
    crash_here("after_ad_clawback")
    told = {"reason": Credit.Reason.INVALID, "note": note, "amount": amount, "currency": campaign.currency, "key": key}
    credit = Credit.objects.create(
        advertiser=campaign.advertiser, campaign=campaign, by=by, journal=journal, credited_at=at, **told
    )
    CreditPart.objects.bulk_create(
        CreditPart(credit=credit, flight_id=p.flight, day=p.day, amount=p.amount, tax=p.tax, sharing=shared.get(p.day))
        for p in parts
    )
    ShareBack.objects.bulk_create(ShareBack(credit=credit, share=of, amount=back) for of, back in backs.items())
    return credit


def _backs(sharing: Sharing, net: int) -> dict[Share, int]:
    """Return what each creator gives back of a day of which so much comes back in all: pro rata, to the unit."""
    shares = list(
        Share.objects.filter(sharing=sharing).annotate(back=Sum("taken_back__amount", default=0)).order_by("pk")
    )
    before = CreditPart.objects.filter(sharing=sharing).aggregate(all=Sum(F("amount") - F("tax"), default=0))["all"]
    parts = [sharing.amount - sharing.creators, *(share.amount for share in shares)]
    whole = Money(before + net, sharing.currency).apportion([Money(part, sharing.currency) for part in parts])
    owed = {share: money.minor - share.back for share, money in zip(shares, whole[1:], strict=True)}
    return {share: back for share, back in owed.items() if back}


def _taken(backs: Mapping[Share, int], currency: str) -> list[tuple[ledger.Name, Money]]:
    """Return out of which accounts creators give it back: what they do not have becomes a debt."""
    of_creator: dict[int, int] = {}
    for share, back in backs.items():
        of_creator[share.creator_id] = of_creator.get(share.creator_id, 0) + back
    nothing, taken = Money(0, currency), []
    for creator, back in sorted(of_creator.items()):
        owner = ledger.creators(Account.Kind.PENDING, creator, currency)
        taken += recovered(owner, Money(back, currency), unmatured=nothing)
    return taken
