"""What clients tell of an offered ad: seen, clicked, watched through. Each counts once; each offer is billed once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.core import signing
from django.db import transaction
from django.db.models import BigIntegerField, Case, F, Value, When
from django.db.models.functions import Greatest

from billing.ads.models import Flight, Offer
from billing.ads.operations.placing import DAY, Placed
from billing.ads.queries.rules import AdRules, ad_rules
from kpplatform.errors import Conflict, Invalid, Refused
from kpplatform.tenancy.many import update_all
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.operations import stand_in
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

SALT = "billing.ads.offer"
AN_HOUR = timedelta(hours=1)
# Who has seen an ad clicks it soon, or not: the money is not kept longer for it. A video takes its time besides.
AFTER_VIEW = timedelta(minutes=2)
Odd, PaysFor = Offer.Odd, Flight.PaysFor
STAMPS = {"view": "viewed_at", "click": "clicked_at", "watch": "watched_at"}
NOTED = (*STAMPS.values(), "odd", "billed_at", "expires_at")
BILLED_BY = {PaysFor.VIEWS: "viewed_at", PaysFor.CLICK: "clicked_at", PaysFor.WATCH: "watched_at"}


class BadOffer(Invalid):
    code = "bad_offer"


class OfferExpired(Conflict):
    code = "offer_expired"


class NotViewable(Invalid):
    code = "not_viewable"


class NotViewed(Conflict):
    code = "not_viewed"


class NotAVideo(Invalid):
    code = "not_a_video"


@dataclass(frozen=True)
class Told:
    """One event of an offer: `kind` is view, click or watch; how much of it was on the screen, and for how long."""

    token: str
    kind: str
    share: float = 0.0
    ms: int = 0
    is_program: bool = False  # who tells it says that they are none who looks at a screen


def token_of(placed: Placed) -> str:
    """Return what a client reports events with: nobody else can make it, or one for another tenant."""
    return signing.dumps([current_tenant_id(), str(placed.offer.id)], salt=SALT, compress=False)


def report_ad_event(*, viewer: Member, told: Told, at: datetime) -> Offer:
    """Take note of one event, as of many. Raises what is returned there."""
    (answer,) = report_ad_events(viewer=viewer, told=[told], at=at)
    if isinstance(answer, Refused):
        raise answer
    return answer


@transaction.atomic
def report_ad_events(*, viewer: Member, told: Sequence[Told], at: datetime) -> list[Offer | Refused]:
    """Take note of events in their order, and bill each offer once that is paid for by one; told again, that is all.

    Events that look odd are kept, and the offer is held for staff. What does not count is returned as why not:
    BadOffer for a token that is not ours or somebody else's, OfferExpired, NotViewable for less than the rule says,
    NotViewed for what comes before the view, and NotAVideo. A view that is told too late is not billed, but seen.
    """
    ids = [_id_in(each.token) for each in told]
    offers = _held([public_id for public_id in ids if public_id], viewer)
    clicks, rules = Clicks(at), ad_rules(current_tenant())
    before = {offer.pk: _known(offer) for offer in offers.values()}
    was_billed = {offer.pk for offer in offers.values() if offer.billed_at}
    answers: list[Offer | Refused] = []
    for each, public_id in zip(told, ids, strict=True):
        try:
            if public_id is None:
                raise BadOffer("This is no offer of ours.")
            if public_id not in offers:
                raise BadOffer("This ad was offered to somebody else.")
            answers.append(_noted(offers[public_id], each, viewer, rules, clicks))
        except Refused as no:
            answers.append(no)
    update_all([offer for offer in offers.values() if _known(offer) != before[offer.pk]], NOTED)
    for of_flight in by_flight(offer for offer in offers.values() if offer.billed_at and offer.pk not in was_billed):
        spend(of_flight)
    return answers


def _known(offer: Offer) -> list[Any]:
    return [getattr(offer, name) for name in NOTED]


def _noted(offer: Offer, told: Told, viewer: Member, rules: AdRules, clicks: "Clicks") -> Offer:
    at = clicks.at
    if (noted := getattr(offer, STAMPS[told.kind])) and noted < offer.expires_at:
        return offer
    if offer.lapsed_at or at >= offer.expires_at:
        _noted_late(offer, told, rules, at)
        raise OfferExpired("This ad was offered too long ago.")
    _must_count(offer, told, rules)
    setattr(offer, STAMPS[told.kind], at)
    if told.kind == "view":
        offer.expires_at = at + AFTER_VIEW + timedelta(milliseconds=offer.creative.duration_ms or 0)
    offer.odd = offer.odd or (Odd.BOT if told.is_program else "") or _odd(offer, told.kind, viewer, rules, at)
    if told.kind == "click" and clicks.with_this(offer) > rules.clicks_an_hour:
        offer.odd = offer.odd or Odd.TOO_MANY
    if is_due(offer) and not offer.odd and not offer.billed_at:
        offer.billed_at = at
    return offer


def _noted_late(offer: Offer, told: Told, rules: AdRules, at: datetime) -> None:
    """Note a view that costs nothing any more: whoever is slow has seen it all the same, and it counts for the caps."""
    if told.kind == "view" and not offer.viewed_at and not told.is_program:
        _must_count(offer, told, rules)
        offer.viewed_at = at


def is_due(offer: Offer) -> bool:
    """Whether what the offer's flight pays for has happened."""
    return bool(getattr(offer, BILLED_BY[PaysFor(offer.flight.pays_for)]))


class Clicks:
    """How often each of the offers' viewers has clicked within an hour, those of now included.

    Of who is nobody it is counted by the sessions of a day.
    """

    def __init__(self, at: datetime) -> None:
        self.at, self.nobody = at, stand_in()
        self.counted: dict[object, int] = {}

    def with_this(self, offer: Offer) -> int:
        """Return the clicks of the offer's viewer, this one and those before it."""
        who = offer.session[:DAY] if offer.viewer_id == self.nobody else offer.viewer_id
        self.counted[who] = (self._before(offer) if who not in self.counted else self.counted[who]) + 1
        return self.counted[who]

    def _before(self, offer: Offer) -> int:
        """Return the clicks that were noted before this call."""
        lately = Offer.objects.filter(
            viewer=offer.viewer_id, clicked_at__gt=self.at - AN_HOUR, offered_at__gt=self.at - 2 * AN_HOUR
        )
        if offer.viewer_id == self.nobody:
            begin = offer.session[:DAY]
            lately = lately.filter(session__gte=begin, session__lt=f"{begin}~")
        return lately.count()


def spend(offers: Sequence[Offer]) -> None:
    """Turn what is reserved for the offers of one flight, which were billed at one moment, into what is spent."""
    price, at = sum(offer.price for offer in offers), offers[0].billed_at
    assert at is not None
    today = at.astimezone(ZoneInfo(current_tenant().time_zone)).date()
    # What came in before midnight may be written down after what came in after it: the day never goes back.
    same = When(today=today, then=F("spent_today") + price)
    over = When(today__gt=today, then=F("spent_today"))
    of_today = Case(same, over, default=Value(price), output_field=BigIntegerField())
    _move(offers, spent=F("spent") + price, spent_today=of_today, today=Greatest("today", Value(today)))


def set_free(offers: Sequence[Offer]) -> None:
    """Set free what is reserved for the offers of one flight."""
    _move(offers)


def _move(offers: Sequence[Offer], **also: Any) -> None:
    price, expected = (sum(getattr(offer, name) for offer in offers) for name in ("price", "expected"))
    if price:
        flight = Flight.objects.filter(pk=offers[0].flight_id)
        flight.update(reserved=F("reserved") - price, expected=F("expected") - expected, **also)


def by_flight(offers: Iterable[Offer]) -> Iterable[list[Offer]]:
    """Return the offers of each flight; always in the same order, in which flights are held."""
    ordered = sorted(offers, key=lambda offer: (offer.flight_id, offer.pk))
    return [list(of_flight) for _, of_flight in groupby(ordered, key=lambda offer: offer.flight_id)]


def _id_in(token: str) -> str | None:
    """Return which offer a token is for; None when we have not made it, or for another tenant."""
    try:
        tenant, public_id = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        return None
    return str(public_id) if tenant == current_tenant_id() else None


def _held(ids: Sequence[str], viewer: Member) -> dict[str, Offer]:
    """Return the viewer's offers of these, held until the transaction ends."""
    rows = Offer.objects.select_related("flight", "creative", "campaign__advertiser")
    offers = rows.select_for_update(of=("self",), no_key=True).filter(
        public_id__in=set(ids), viewer__in=[viewer.pk, stand_in()]
    )
    return {str(offer.public_id): offer for offer in offers.order_by("pk")}


def _must_count(offer: Offer, told: Told, rules: AdRules) -> None:
    """Raise unless the event is what its name says."""
    if told.kind == "view":
        is_video = offer.creative.format == offer.creative.Format.VIDEO
        if told.share < rules.view_share or told.ms < (rules.video_view_ms if is_video else rules.view_ms):
            raise NotViewable(f"A view is {rules.told()['viewable']}.")
        return
    if not offer.viewed_at:
        raise NotViewed("What was not seen is not clicked or watched.")
    if told.kind == "watch" and offer.creative.format != offer.creative.Format.VIDEO:
        raise NotAVideo("Only a video is watched through.")


def _odd(offer: Offer, kind: str, viewer: Member, rules: AdRules, at: datetime) -> str:
    """Return why an event cannot be what it says, if so."""
    is_video = offer.creative.format == offer.creative.Format.VIDEO
    least = rules.video_view_ms if is_video else rules.view_ms
    if viewer.pk == offer.campaign.advertiser.member_id:
        return Odd.OWN
    if kind == "view" and at < offer.offered_at + timedelta(milliseconds=least):
        return Odd.TOO_SOON
    seen = offer.viewed_at
    if kind == "click" and seen and at < seen + timedelta(milliseconds=rules.click_ms):
        return Odd.TOO_SOON
    if kind == "watch" and seen and at < seen + timedelta(milliseconds=(offer.creative.duration_ms or 0) * 0.9 - least):
        return Odd.TOO_SOON
    return ""
