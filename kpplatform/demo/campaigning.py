"""A campaign walked over HTTP: from what an advertiser pays in to a creator's share of it."""

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from kpplatform.demo.walking import Journey, Person, must, pay_at_the_provider, until

BALANCE, BUDGET, BID = 200_000, 100_000, 90_000  # minor units; BID for a thousand views, 90 each
WATCH_MS = 6_000
A_LOOK_S = 1.2  # longer than a view must last


@dataclass(frozen=True)
class Charged:
    """An advertiser who was charged for a view, and how many days of ads a creator had had a part of by then."""

    advertiser: Person
    pk: int
    shares: int


def walk(journey: Journey, viewer: Person, creator: Person, staff: Person) -> Charged:
    """Advertise, be seen by the viewer, who also watches the creator, and be charged."""
    advertiser = Person(journey.port, viewer.site)
    video = _video(creator)
    who = _paid_in(journey, advertiser)
    name = f"Walker {who}"
    campaign = _launched(journey, advertiser, staff, who, name)
    _seen(journey, viewer, name)
    _charged(journey, viewer, advertiser, campaign, video)
    return Charged(advertiser, who, len(_shares(creator)))


def _video(creator: Person) -> int:
    about = {"title": "六秒钟 Six seconds", "duration_ms": WATCH_MS, "language": "zh-hans"}
    video = creator.ask("POST", "/api/v1/videos/", about, expect=201)
    creator.ask("POST", f"/api/v1/videos/{video['id']}/publish/", {})
    return int(video["id"])


def _paid_in(journey: Journey, advertiser: Person) -> int:
    """Return the number of an advertiser with a balance."""
    with journey.step("advertise, and pay in"):
        advertiser.sign_up()
        who = int(advertiser.ask("POST", "/api/v1/advertisers/", {"name": "Walker"}, expect=201)["id"])
        asked = {"amount": BALANCE, "currency": advertiser.site.currency}
        placed = advertiser.ask("POST", f"/api/v1/advertisers/{who}/top-up/", asked, expect=201)
        order = f"/api/v1/orders/{placed['id']}/"
        pay_at_the_provider(advertiser.ask("POST", f"{order}pay/", {})["checkout_url"])
        until(lambda: advertiser.ask("GET", order)["state"] == "paid", "what was paid in is not booked")
    return who


def _launched(journey: Journey, advertiser: Person, staff: Person, who: int, title: str) -> str:
    """Return the address of a campaign that runs: a sponsorship, so that nobody else has the first place."""
    now = datetime.now(UTC)
    with journey.step("draft a campaign; staff look at what it shows; launch it"):
        about = {"advertiser": who, "name": title, "tier": "sponsorship", "currency": advertiser.site.currency}
        span = {"starts_at": (now - timedelta(minutes=1)).isoformat(), "ends_at": (now + timedelta(days=2)).isoformat()}
        made = staff.ask("POST", "/api/v1/ad-campaigns/", about | span, expect=201)
        campaign = f"/api/v1/ad-campaigns/{made['id']}/"
        paid = {"name": "all", "budget": BUDGET, "bid": BID, "is_even": False}
        flight = advertiser.ask("POST", f"{campaign}flights/", paid, expect=201)
        card = {"flight": flight["id"], "format": "card", "title": title, "link_url": "https://ads.example/"}
        creative = advertiser.ask("POST", "/api/v1/ad-creatives/", card, expect=201)
        advertiser.ask("POST", f"{campaign}launch/", {}, expect=409)  # nobody has looked at it
        staff.ask("POST", f"/api/v1/ad-creatives/{creative['id']}/approve/", {})
        launched = advertiser.ask("POST", f"{campaign}launch/", {})
        must(launched["committed"] == BUDGET, f"{launched['committed']} is set aside")
    return campaign


def _seen(journey: Journey, viewer: Person, title: str) -> None:
    with journey.step("it stands in the feed, labelled"):
        found: list[dict[str, Any]] = []

        def stands() -> bool:
            found[:] = [ad for ad in viewer.ask("GET", "/api/v1/feed/")["ads"] if ad["title"] == title]
            return bool(found)

        until(stands, "it is in no feed")  # another process may have read the campaigns a moment before
        must(found[0]["label"] in {"广告", "Ad"}, f"it is labelled {found[0]['label']}")
    with journey.step("it is seen, told twice and billed once; one that is forged is not"):
        time.sleep(A_LOOK_S)
        view = {"token": found[0]["token"], "kind": "view", "share": 1.0, "ms": 1_100}
        told = [viewer.ask("POST", "/api/v1/ad-events/", {"events": [view]})[0] for _ in range(2)]
        must([one["is_counted"] for one in told] == [True, True], f"told as {told}")
        [forged] = viewer.ask("POST", "/api/v1/ad-events/", {"events": [view | {"token": "x"}]})
        must(forged["code"] == "bad_offer", f"a forged one: {forged}")


def _charged(journey: Journey, viewer: Person, advertiser: Person, campaign: str, video: int) -> None:
    with journey.step("the advertiser is charged for one view"):
        # Watched before and after: on whichever side of midnight it is charged, somebody was watched that day.
        _watch(viewer, video)
        journey.programs.run("pass_time", viewer.site.slug, "charge", "--days", "0", quiet=True)
        _watch(viewer, video)
        [flight] = advertiser.ask("GET", f"{campaign}flights/")
        must((flight["spent"], flight["charged"]) == (BID * 1_000, BID // 1_000), f"it was charged {flight}")


def see_share(journey: Journey, charged: Charged, creator: Person) -> None:
    """Look at what became of the charge once its day was shared: some days must have passed."""
    with journey.step("a part of it is the creator's, and the advertiser's statement adds up") as found:
        shares = _shares(creator)
        must(len(shares) > charged.shares and shares[0]["amount"] > 0, f"the creator's parts are {shares}")
        span = {"since": "2000-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
        asked = urlencode(span | {"currency": creator.site.currency})
        statement = charged.advertiser.ask("GET", f"/api/v1/advertisers/{charged.pk}/statement/?{asked}")
        lines = [(line["kind"], line["amount"]) for line in statement["lines"]]
        must(lines == [("sale", BALANCE), ("ad_charge", -BID // 1_000)], f"the statement says {lines}")
        must(statement["closing"] == BALANCE - BID // 1_000, f"{statement['closing']} is left")
        month = charged.advertiser.ask("GET", "/api/v1/ad-statements/")["results"][-1]
        must(month["movements"] == BALANCE - BID // 1_000, f"the month's statement says {month}")
        must(charged.advertiser.take(f"/api/v1/ad-statements/{month['id']}/pdf/").startswith(b"%PDF"), "it is no PDF")
        found["creator's part"] = shares[0]["amount"]


def _shares(creator: Person) -> list[dict[str, Any]]:
    return list(creator.ask("GET", "/api/v1/ad-shares/")["results"])


def _watch(viewer: Person, video: int) -> None:
    started = datetime.now(UTC) - timedelta(milliseconds=WATCH_MS + 500)
    seen = {"event_id": str(uuid.uuid4()), "item": video, "started_at": started.isoformat(), "watch_ms": WATCH_MS}
    viewer.ask("POST", "/api/v1/watches/", {"watches": [seen | {"source": "feed"}]}, expect=(200, 201))
