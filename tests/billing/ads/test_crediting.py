"""A key is one credit: the same again is the same, and another under it is refused."""

from datetime import timedelta
from typing import Any

import pytest

from billing import ledger
from billing.ads import operations
from billing.ads.models import Campaign, Credit, Flight
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.ads import adverts
from tests.billing.ads.test_invalidating import billed, find
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")


def charged(many: int = 1) -> list[Campaign]:
    """Return campaigns of one advertiser of which a view cost five minor units each."""
    who = adverts.advertiser()
    made = []
    for number in range(many):
        flight = adverts.live(who, budget=5_000, bid=5_000, tier=Campaign.Tier.SPONSORSHIP)
        viewer = make.member()
        (placed,) = adverts.shown(viewer, session=f"{number}")
        adverts.told(viewer, placed, NOON + timedelta(seconds=5))
        operations.charge_campaign(campaign=flight.campaign, at=NOON)
        operations.pause_campaign(campaign=flight.campaign, by=who.member, at=NOON)
        made.append(flight.campaign)
    return made


def asked(amount: int = 2) -> dict[str, Any]:
    return {"amount": amount, "reason": "make_good", "note": "Less was shown."}


@pytest.mark.parametrize("key", ["once", "k" * 200])
def test_the_same_key_is_the_same_credit_whoever_of_the_staff_asks(key: str) -> None:
    (campaign,) = charged()
    staff = [make.client(make.member(Member.Role.STAFF)) for _ in range(2)]
    path, headers = f"/api/v1/ad-campaigns/{campaign.pk}/credit/", {"Idempotency-Key": key}

    answers = [client.post(path, asked(), headers=headers) for client in (*staff, *staff)]
    other = make.client(make.member(Member.Role.STAFF)).post(path, asked(3), headers=headers)

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == Credit.objects.count() == 1
    assert (other.status_code, other.json()["code"]) == (409, "credit_key_taken")
    assert "2 CNY" in other.json()["detail"]


def test_of_two_campaigns_at_once_one_gets_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first waits for the ledger, the second is given the same under the same key."""
    first, second = charged(2)
    by, held = make.member(Member.Role.STAFF), ledger.held
    said = {**asked(), "by": by, "key": "once", "at": NOON}

    def waits(name: ledger.Name) -> Any:
        monkeypatch.setattr(ledger, "held", held)
        operations.credit_advertiser(campaign=second, **said)
        return held(name)

    monkeypatch.setattr(ledger, "held", waits)
    with pytest.raises(operations.CreditKeyTaken):
        operations.credit_advertiser(campaign=first, **said)


def test_a_long_key_is_one_of_what_is_found_invalid_too() -> None:
    (campaign,) = charged()
    offers = billed(Flight.objects.get(campaign=campaign))

    first, again = (find(offers, key="k" * 200) for _ in range(2))

    assert first == again == Credit.objects.get()
