"""Who says that they are a program is held, not billed."""

from datetime import timedelta

import pytest

from billing.ads.models import Offer
from billing.ads.operations import token_of
from kpplatform.rest.programs import is_program
from tests import make
from tests.billing.ads import adverts

pytestmark = pytest.mark.usefixtures("in_school")


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0)", True),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0 Safari/537.36", True),
        ("python-requests/2.32", True),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1", False),
        ("Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 30) Chrome/120 Mobile Safari/537.36", False),
        ("", False),
    ],
)
def test_programs_say_who_they_are(agent: str, told: bool) -> None:  # noqa: FBT001
    assert is_program({"User-Agent": agent}) is told


def test_what_a_program_tells_is_held() -> None:
    flight, viewer = adverts.live(), make.member()
    (placed,) = adverts.shown(viewer)
    Offer.objects.update(expires_at=placed.offer.expires_at + timedelta(days=99_999))
    event = {"token": token_of(placed), "kind": "view", "share": 1.0, "ms": 5_000}

    answer = make.client(viewer).post(
        "/api/v1/ad-events/", {"events": [event]}, headers={"User-Agent": "Googlebot/2.1"}
    )

    assert answer.json()[0]["code"] == "held_bot"
    flight.refresh_from_db()
    assert (flight.spent, flight.reserved) == (0, 500_000)
