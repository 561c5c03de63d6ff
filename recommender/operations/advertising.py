"""Ads on a page of the feed: billing is told what it may know of the viewer, and says what stands where."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.crypto import salted_hmac

from billing.ads import operations as ads
from billing.ads.operations import Placed
from billing.ads.queries import ad_rules
from billing.ads.queries.limits import BadAdRules
from catalog.models import Purpose
from catalog.queries import consent_of
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant
from recommender.ml.ranker.circumstances import device_in
from recommender.models import Portrait
from recommender.queries.past import Past

log = logging.getLogger(__name__)
TOPIC = "topic:"


def ads_among(
    *,
    viewer: Member,
    items: Sequence[dict[str, Any]],
    first: int,
    started: datetime,
    past: Past,
    country: str = "",
    at: datetime,
) -> list[Placed]:
    """Return the ads that stand behind the items of a page, whose session began then.

    `country` is where it is asked from, if that is known. Where the tenant's rules for ads make no sense there are no
    ads, and viewers have their feed all the same.
    """
    if not items:
        return []
    try:
        ad_rules(current_tenant())
    except BadAdRules:
        log.exception("no ads, for the rules make no sense")
        return []
    if not ads.has_ads():
        ads.note_unasked(first=first, size=len(items), at=at)
        return []
    page = ads.Page(
        viewer=viewer,
        session=_session(viewer, started),
        first=first,
        items=[item["id"] for item in items],
        topics=sorted({item["topic"] for item in items if item["topic"]}),
        language=viewer.language or current_tenant().language,
        device=device_in(past.circumstance),
        is_remembered=past.consents,
        **_known(viewer, past, country),
    )
    return ads.place_ads(page=page, at=at)


def _session(viewer: Member, started: datetime) -> str:
    """Return how a session is called, which tells nothing of whom: those that begin on the same day begin alike."""
    day = started.astimezone(ZoneInfo(current_tenant().time_zone)).date()
    today, this = (salted_hmac("ads", f"{viewer.pk} {when}").hexdigest() for when in (day, started.timestamp()))
    return f"{today[: ads.DAY]}{this}"[:40]


def _known(viewer: Member, past: Past, country: str) -> dict[str, Any]:
    """Return what may be known of the viewer: nothing unless they agreed to ads that are chosen for them."""
    if not past.is_personal or viewer.is_minor or not consent_of(viewer, Purpose.TARGETED_ADS).holds:
        return {}
    portrait = Portrait.objects.filter(viewer=viewer).select_related("segment").first()
    if portrait is None:
        return {"country": country}
    tastes = {name.removeprefix(TOPIC): share for name, share, *_ in portrait.interests if name.startswith(TOPIC)}
    strongest = max(tastes.values(), default=0.0) or 1.0
    return {
        "country": country,
        "segments": [f"segment-{portrait.segment.label}"] if portrait.segment else [],
        "tastes": {topic: share / strongest for topic, share in tastes.items()},
    }
