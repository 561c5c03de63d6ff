"""Where a request is made is known from the operator's proxy alone, and is told of those only who agreed."""

from typing import Any

import pytest

from billing.ads import operations
from billing.ads.operations import Target
from kpplatform.rest.countries import COUNTRIES, country_of
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.ads import adverts

pytestmark = pytest.mark.usefixtures("in_school")


def test_there_are_as_many_countries_as_iso_has() -> None:
    assert len(COUNTRIES) == 249


@pytest.mark.parametrize(
    ("header", "told", "country"),
    [
        ("CF-IPCountry", "CN", "CN"),
        ("CF-IPCountry", " de ", "DE"),
        ("CF-IPCountry", "XX", ""),
        ("CF-IPCountry", "T1", ""),
        ("CF-IPCountry", "203.0.113.7", ""),
        ("CF-IPCountry", "CN, US", ""),
        ("", "CN", ""),
        ("X-Country", "CN", ""),
    ],
)
def test_the_header_says_two_letters_of_a_country_or_nothing(
    settings: Any, header: str, told: str, country: str
) -> None:
    settings.COUNTRY_HEADER = header

    assert country_of({"CF-IPCountry": told}) == country


def test_a_flight_for_a_country_stands_there_only(viewer: Member) -> None:
    flight = adverts.live(target=Target(countries=("CN", "SG")))

    shown = [adverts.shown(viewer, session=f"{number}", country=of) for number, of in enumerate(("", "US", "CN"))]

    assert [[placed.card.flight for placed in each] for each in shown] == [[], [], [flight.pk]]
    viewer.is_minor = True
    assert adverts.shown(viewer, session="minor", country="CN") == []


@pytest.mark.parametrize("wrong", ["XX", "cn", "China"])
def test_what_is_no_country_is_no_target(wrong: str) -> None:
    with pytest.raises(operations.BadTarget):
        adverts.flight(target=Target(countries=(wrong,)))


def test_a_flights_countries_are_set_and_told_through_the_api() -> None:
    flight = adverts.flight()
    client = make.client(flight.campaign.advertiser.member)
    path = f"/api/v1/ad-campaigns/{flight.campaign_id}/flights/"
    said: dict[str, Any] = {"name": "here", "budget": 1_000, "bid": 900, "countries": ["CN"]}

    assert client.post(path, said).json()["countries"] == ["CN"]
    assert client.post(path, said | {"countries": ["XX"]}).json()["code"] == "bad_target"
    assert [each["countries"] for each in client.get(path).json()] == [[], ["CN"]]
