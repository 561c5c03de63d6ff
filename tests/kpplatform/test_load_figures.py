"""What the page of ads says of their load and of live budgets, by numbers that one can check in the head."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils.translation import override

from billing.ads.models import Flight, LoadChange
from kpplatform.console.pages import BY_SLUG, ads
from kpplatform.console.pages.shapes import Shown
from kpplatform.tenancy.models import Tenant
from tests.billing.ads import adverts
from tests.billing.ads.loads import read, tried
from tests.conftest import NOON
from tests.metrics.figured import figure, figures, look, part, rows
from tests.metrics.happened import DAY

ARMS, BESIDE = "Loads of ads", "Before and after"


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


def page(tenant: Tenant, *, days: int = 0) -> Shown:
    return BY_SLUG["ads"].build(look(tenant, at=NOON + timedelta(days=days)))


def test_where_nothing_was_tried_the_page_says_so(in_school: Tenant) -> None:
    shown = page(in_school)

    assert rows(shown, ARMS) == rows(shown, BESIDE) == []
    assert part(shown, ARMS).when_empty == "No load of ads was tried yet."
    assert str(part(shown, "Suggested").told).startswith("Try some loads on viewers first")
    assert part(shown, BESIDE).when_empty == "No load of ads was adopted yet."


def test_arms_stand_beside_each_other_and_the_load_that_follows_has_its_reason(in_school: Tenant) -> None:
    """Each unit by ads takes a sixtieth of the rest: 0.20 less of it by 0.60 and more."""
    read(tried(0, 6, floor_bps=1_000), load_0=(4.0, 0.0, 20.0), load_6=(3.7, 60.0, 19.0))

    shown = page(in_school)

    first, second = rows(shown, ARMS)
    assert first[:6] == ["no ads", "200,000 of 200,000", "4.00", "30.0", "0.00 CNY", "0.20 CNY"]
    assert first[7] == "control"
    assert second[0] == "an ad behind every 6 items"
    assert second[2].startswith("3.70 (-0.30 [-0.")
    assert second[4].startswith("0.60 CNY (0.60 CNY [")
    assert second[7].startswith("0.02 [0.0")
    panel = part(shown, "Suggested")
    assert "likely to bring most" in str(panel.told)
    facts = {str(of.title): of.shown for of in panel.facts}
    assert (facts["Load of ads"], facts["Floor of the days"]) == ("an ad behind every 6 items", "90.0%")
    assert facts["Days beside the first arm"].startswith("92.5% [91.")


def test_what_is_not_known_is_said_with_its_reason(in_school: Tenant) -> None:
    trial = tried(0, 6)
    assert "each arm needs a hundred viewers" in str(part(page(in_school), "Suggested").told)

    read(trial, load_0=(4.0, 0.0, 20.0), load_6=(3.7, 60.0, 19.0))
    trial.figures["dealt"]["6"] = 100
    trial.save(update_fields=["figures"])

    assert "not dealt fairly" in str(part(page(in_school), "Suggested").told)
    assert rows(page(in_school), ARMS)[1][7] == "the arms were not dealt fairly"


def test_the_weeks_before_and_after_a_change_stand_beside_each_other(in_school: Tenant) -> None:
    trial = tried(6, 12)
    LoadChange.objects.create(trial=trial, load=12, before=6, by=trial.made_by, changed_at=NOON)
    figures("ad_spend", day=DAY - timedelta(days=7), auction_CNY=1_000_000_000)
    figures("ad_spend", day=DAY - timedelta(days=8), auction_CNY=9_000_000_000)
    figures("ad_spend", day=DAY + timedelta(days=7), auction_CNY=600_000_000, auction_USD=5)
    figures("sales", day=DAY - timedelta(days=1), item_CNY=5_000)
    figures("sales", day=DAY + timedelta(days=1), item_CNY=6_000)
    figure("sales", 77_000, "ad_balance:CNY", day=DAY + timedelta(days=1))
    figures("refunds", day=DAY + timedelta(days=2), item_CNY=500)
    figures("watch_ms", day=DAY, feed=1)

    early = rows(page(in_school, days=7), BESIDE)
    late = rows(page(in_school, days=8), BESIDE)

    assert early[0][1:] == [
        *("an ad behind every 6 items → an ad behind every 12 items", "income by ads", "10.00 CNY"),
        *("not over yet", "–"),
    ]
    assert [row[2:] for row in late] == [
        ["income by ads", "10.00 CNY", "6.00 CNY", "-40.0%"],
        ["other sales, less refunds", "50.00 CNY", "55.00 CNY", "+10.0%"],
        ["viewers a day", "0.0", "0.0", "–"],
        ["time watched", "0.0 s", "0.0 s", "–"],
    ]
    assert "no experiment" in str(part(page(in_school), BESIDE).title)


def test_all_live_flights_count_and_the_largest_are_listed(in_school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of budgets of 100.00, 101.00 and 102.00, one of which has spent 6.00, 297.00 are left."""
    monkeypatch.setattr(ads, "MOST", 2)
    for more in range(3):
        adverts.live(budget=10_000 + 100 * more)
    Flight.objects.filter(budget=10_000).update(spent=600_000_000)

    shown = BY_SLUG["ads"].build(look(in_school, at=NOON + timedelta(minutes=1)))

    assert {of.title: of.shown for of in shown.cards}["Left of live budgets"] == "297.00 CNY"
    assert [row[2] for row in rows(shown, "Live flights")] == ["102.00 CNY", "101.00 CNY"]
