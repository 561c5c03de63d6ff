"""What clients tell of an offered ad: seen, clicked, watched through. Each counts once; each offer is billed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db import transaction
from django.db.models import F

from billing.ads.models import Flight, Offer
from billing.ads.operations.placing import Placed
from billing.ads.queries.rules import AdRules, ad_rules
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.operations import stand_in
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

SALT = "billing.ads.offer"
AN_HOUR = timedelta(hours=1)
# Who has seen an ad clicks it soon, or not: the money is not kept longer for it. A video takes its time besides.
AFTER_VIEW = timedelta(minutes=2)
Odd, PaysFor = Offer.Odd, Flight.PaysFor
STAMPS = {"view": "viewed_at", "click": "clicked_at", "watch": "watched_at"}
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


def token_of(placed: Placed) -> str:
    """Return what a client reports events with: nobody else can make it, or one for another tenant."""
    return signing.dumps([current_tenant_id(), str(placed.offer.id)], salt=SALT, compress=False)


@transaction.atomic
def report_ad_event(*, viewer: Member, told: Told, at: datetime) -> Offer:
    """Take note of an event, and bill the offer if it is paid for by this; told again, nothing more happens.

    Events that look odd are kept, and the offer is held for staff. Raises BadOffer for a token that is not ours or
    somebody else's, OfferExpired, NotViewable for less than the rule says, NotViewed for what comes before the view,
    and NotAVideo.
    """
    offer = _held(told.token, viewer)
    if getattr(offer, STAMPS[told.kind]):
        return offer
    if offer.lapsed_at or at >= offer.expires_at:
        raise OfferExpired("This ad was offered too long ago.")
    rules = ad_rules(current_tenant())
    _must_count(offer, told, rules)
    setattr(offer, STAMPS[told.kind], at)
    if told.kind == "view":
        offer.expires_at = at + AFTER_VIEW + timedelta(milliseconds=offer.creative.duration_ms or 0)
    offer.odd = offer.odd or _odd(offer, told.kind, rules, at)
    if getattr(offer, BILLED_BY[PaysFor(offer.flight.pays_for)]) and not offer.odd and not offer.billed_at:
        offer.billed_at = at
        spend([offer])
    offer.save(update_fields=[*STAMPS.values(), "odd", "billed_at", "expires_at"])
    return offer


def spend(offers: Sequence[Offer]) -> None:
    """Turn what is reserved for the offers of one flight into what is spent."""
    price = sum(offer.price for offer in offers)
    _move(offers, spent=F("spent") + price)


def set_free(offers: Sequence[Offer]) -> None:
    """Set free what is reserved for the offers of one flight."""
    _move(offers)


def _move(offers: Sequence[Offer], **also: Any) -> None:
    price, expected = (sum(getattr(offer, name) for offer in offers) for name in ("price", "expected"))
    if price:
        flight = Flight.objects.filter(pk=offers[0].flight_id)
        flight.update(reserved=F("reserved") - price, expected=F("expected") - expected, **also)


def _held(token: str, viewer: Member) -> Offer:
    """Return the offer, held until the transaction ends."""
    try:
        tenant, public_id = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError) as error:
        raise BadOffer("This is no offer of ours.") from error
    if tenant != current_tenant_id():
        raise BadOffer("This offer is not of this site.")
    rows = Offer.objects.select_related("flight", "creative", "campaign__advertiser")
    offers = rows.select_for_update(of=("self",), no_key=True).filter(
        public_id=public_id, viewer__in=[viewer.pk, stand_in()]
    )
    offer = offers.first()
    if offer is None:
        raise BadOffer("This ad was offered to somebody else.")
    return offer


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


def _odd(offer: Offer, kind: str, rules: AdRules, at: datetime) -> str:
    """Return why an event cannot be what it says, if so."""
    is_video = offer.creative.format == offer.creative.Format.VIDEO
    least = rules.video_view_ms if is_video else rules.view_ms
    if offer.viewer_id == offer.campaign.advertiser.member_id:
        return Odd.OWN
    if kind == "view" and at < offer.offered_at + timedelta(milliseconds=least):
        return Odd.TOO_SOON
    seen = offer.viewed_at
    if kind == "click" and seen and at < seen + timedelta(milliseconds=rules.click_ms):
        return Odd.TOO_SOON
    if kind == "watch" and seen and at < seen + timedelta(milliseconds=(offer.creative.duration_ms or 0) * 0.9 - least):
        return Odd.TOO_SOON
    if kind == "click":
        clicked = Offer.objects.filter(
            viewer=offer.viewer_id, clicked_at__gt=at - AN_HOUR, offered_at__gt=at - 2 * AN_HOUR
        )
        if clicked.count() >= rules.clicks_an_hour:
            return Odd.TOO_MANY
    return ""
