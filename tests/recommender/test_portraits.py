"""Portraits: drawn from what viewers did, block by block, and drawn anew."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from catalog.models import Access, Watch
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender.models import Audience, Portrait, PortraitRun, PropensityReport, Rule, Segment
from recommender.queries import newest_run
from recommender.training import refresh_portraits
from recommender.training.portraits import refreshing
from tests.recommender.portrayed import NOW, TOPICS, bought, fans, members, portrait, topics, watched

pytestmark = pytest.mark.usefixtures("_fresh_cache")


def test_interests_are_shares_of_decayed_ratings(in_school: Tenant) -> None:
    items = topics("piano", "cooking")
    (viewer,) = members(1)
    watched(viewer, items["piano"][:1], days_ago=30)  # one half-life ago: 3 becomes 1½
    watched(viewer, items["cooking"][:1], days_ago=0)

    refresh_portraits(tenant=in_school, at=NOW + timedelta(minutes=1))

    told = dict(portrait(viewer).interests)
    assert told == pytest.approx(
        {"topic:cooking": 1 / 3, "tag:cooking-tag": 1 / 3, "topic:piano": 1 / 6, "tag:piano-tag": 1 / 6}, abs=1e-3
    )
    assert portrait(viewer).events == 2
    assert portrait(viewer).updated_at == NOW + timedelta(minutes=1)


def test_viewers_of_one_taste_are_in_one_segment_that_is_named_by_it(in_school: Tenant) -> None:
    people = fans(topics(*TOPICS), each=15)

    refresh_portraits(tenant=in_school, at=NOW)

    viewers = [viewer for of in people.values() for viewer in of]
    truth = [slug for slug, of in people.items() for _ in of]
    labels = [portrait(viewer).segment_id for viewer in viewers]
    assert adjusted_rand_score(truth, labels) >= 0.8
    segment = portrait(people["chess"][0]).segment
    assert segment is not None
    assert segment.about[0][0] in {"topic:chess", "tag:chess-tag"}
    assert sum(Segment.objects.values_list("size", flat=True)) == 60
    (last,) = PortraitRun.objects.all()
    assert (last.viewers, last.reason, last.dimensions) == (60, "", 8)
    assert last.demand["piano"][0] == pytest.approx(0.25, abs=0.05)


def test_segments_keep_their_labels_and_lost_ones_are_retired(in_school: Tenant) -> None:
    items = topics(*TOPICS)
    people = fans(items, each=15)
    refresh_portraits(tenant=in_school, at=NOW)
    before = {slug: portrait(of[0]).segment for slug, of in people.items()}
    for viewer in people["chess"]:  # everybody who liked chess goes over to history
        watched(viewer, items["history"] * 40, days_ago=0.5)

    refresh_portraits(tenant=in_school, at=NOW + timedelta(days=1))

    after = {slug: portrait(of[0]).segment for slug, of in people.items()}
    assert {slug: after[slug] for slug in ("piano", "cooking", "history")} == {
        slug: before[slug] for slug in ("piano", "cooking", "history")
    }
    assert after["chess"] == before["history"]
    assert before["chess"] is not None
    before["chess"].refresh_from_db()
    assert before["chess"].retired_at == NOW + timedelta(days=1)


def test_hours_are_the_tenants(in_school: Tenant) -> None:
    (viewer,) = members(1)
    watched(viewer, topics("piano")["piano"])  # at noon in London it is eight in the evening in Shanghai

    refresh_portraits(tenant=in_school, at=NOW)

    assert portrait(viewer).active_hours[20] == 1


def test_three_viewers_have_portraits_but_no_segments_and_the_reason_is_told(in_school: Tenant) -> None:
    items = topics("piano", "cooking")
    people = members(3)
    for viewer in people:
        watched(viewer, items["piano"][:1])

    refresh_portraits(tenant=in_school, at=NOW)

    assert [portrait(viewer).segment for viewer in people] == [None] * 3
    last = newest_run()
    assert last is not None
    assert (last.viewers, last.reason) == (3, "too_few_viewers")
    assert {report.reason for report in PropensityReport.objects.all()} == {"too_few_viewers"}
    assert not Rule.objects.exists()


def test_viewers_who_are_all_alike_are_one_crowd_and_no_segment(in_school: Tenant) -> None:
    items = topics("piano")
    for viewer in members(30):
        watched(viewer, items["piano"])

    refresh_portraits(tenant=in_school, at=NOW)

    last = newest_run()
    assert last is not None
    assert (last.viewers, last.reason) == (30, "all_alike")


def test_an_empty_tenant_is_no_mistake(in_school: Tenant) -> None:
    refresh_portraits(tenant=in_school, at=NOW)

    last = newest_run()
    assert last is not None
    assert (last.viewers, last.reason, last.foretold["topic"]["best"]) == (0, "too_few_viewers", "popularity")


def test_one_viewer_with_very_many_events_is_drawn_as_any_other(in_school: Tenant) -> None:
    items = topics("piano")
    (viewer,) = members(1)
    watched(viewer, items["piano"] * 4_000, days_ago=20)

    refresh_portraits(tenant=in_school, at=NOW)

    assert portrait(viewer).events == 20_000


def test_a_viewer_who_did_nothing_any_more_has_no_portrait(in_school: Tenant) -> None:
    items = topics("piano")
    here, gone = members(2)
    for viewer in (here, gone):
        watched(viewer, items["piano"])
    refresh_portraits(tenant=in_school, at=NOW)
    Watch.objects.filter(viewer=gone).delete()

    refresh_portraits(tenant=in_school, at=NOW + timedelta(days=1))

    assert list(Portrait.objects.values_list("viewer", flat=True)) == [here.pk]


def test_blocks_make_no_difference(in_school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    people = fans(topics(*TOPICS), each=6)
    shown = [viewer.pk for of in people.values() for viewer in of]

    def drawn() -> list[Any]:
        found = {of.viewer_id: of for of in Portrait.objects.all()}
        return [
            (found[pk].interests, found[pk].next_items, found[pk].active_hours, found[pk].segment_id) for pk in shown
        ]

    refresh_portraits(tenant=in_school, at=NOW)
    whole, audiences = drawn(), _audiences()
    monkeypatch.setattr(refreshing, "AT_ONCE", 7)
    refresh_portraits(tenant=in_school, at=NOW)

    assert drawn() == whole
    assert _audiences() == audiences


def _audiences() -> list[Any]:
    return list(Audience.objects.order_by("creator", "days").values_list("creator", "days", "viewers", "counts"))


def test_leaving_and_buying_are_foretold_and_judged_on_later_days(in_school: Tenant) -> None:
    rng = np.random.default_rng(0)
    items = topics("piano")["piano"]
    people = members(240)
    daily = rng.beta(1, 2, 240)
    rows = []
    for viewer, chance in zip(people, daily, strict=True):
        last = 0 if rng.random() < 0.5 else int(rng.integers(0, 60))  # days ago
        for days in (np.flatnonzero(rng.random(60) < chance) + 1).tolist():
            if days > last:
                rows.append((viewer, items[days % 5], float(days)))
                if rng.random() < 0.08 and not Access.objects.filter(viewer=viewer, item=items[days % 5]).exists():
                    bought(viewer, items[days % 5], at=NOW - timedelta(days=int(days)))
    Watch.objects.bulk_create(
        Watch(
            event_id=uuid.uuid4(),
            viewer=viewer,
            item=item,
            started_at=NOW - timedelta(days=days),
            received_at=NOW,
            watch_ms=60_000,
            duration_ms=60_000,
        )
        for viewer, item, days in rows
    )

    refresh_portraits(tenant=in_school, at=NOW)

    churn = PropensityReport.objects.get(outcome="churn")
    assert churn.auc is not None
    assert churn.auc > 0.75
    assert churn.ece is not None
    assert churn.ece < 0.15
    assert sum(judged for _, _, judged in churn.bins) == churn.judged
    assert churn.weights["days_since_last"] > 0
    foreseen = np.array(Portrait.objects.order_by("last_seen_at").values_list("churn", flat=True))
    assert foreseen[:40].mean() > foreseen[-40:].mean() + 0.2
    assert PropensityReport.objects.get(outcome="purchase").auc is not None


def test_what_comes_next_is_foretold(in_school: Tenant) -> None:
    """Everybody goes round the topics, two videos of each: who has just begun with one goes on with it."""
    items = topics(*TOPICS)
    round_of = [items[slug][turn] for slug in TOPICS for turn in range(2)]
    people = members(60)
    for number, viewer in enumerate(people):
        start = number % 8
        watched(viewer, [round_of[(start + place) % 8] for place in range(24)])

    refresh_portraits(tenant=in_school, at=NOW)

    last = newest_run()
    assert last is not None
    assert last.foretold["item"]["judged"] == 60
    best = last.foretold["item"]["best"]
    assert last.foretold["item"][best]["hit@1"] > last.foretold["item"]["popularity"]["hit@1"] + 0.5
    for number, viewer in enumerate(people[:8]):
        expected = round_of[(number % 8 + 24) % 8]
        assert portrait(viewer).next_items[0][0] == expected.pk


def test_a_refresh_that_died_is_not_the_newest(in_school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    items = topics("piano")
    people = members(3)
    for viewer in people:
        watched(viewer, items["piano"])
    refresh_portraits(tenant=in_school, at=NOW)
    finish: Callable[..., Any] = refreshing.Refresh.finish
    monkeypatch.setattr(refreshing.Refresh, "finish", _die)
    with pytest.raises(MemoryError):
        refresh_portraits(tenant=in_school, at=NOW + timedelta(days=1))
    last = newest_run()
    assert last is not None
    assert last.at == NOW
    monkeypatch.setattr(refreshing.Refresh, "finish", finish)

    refresh_portraits(tenant=in_school, at=NOW + timedelta(days=2))

    assert {of.updated_at for of in Portrait.objects.all()} == {NOW + timedelta(days=2)}
    assert Portrait.objects.count() == 3


def _die(*_: Any) -> None:
    raise MemoryError


def test_one_tenants_refresh_leaves_anothers_alone(school: Tenant, agency: Tenant) -> None:
    for tenant in (school, agency):
        with scope(tenant):
            items = topics("piano")
            (viewer,) = members(1)
            watched(viewer, items["piano"])
            refresh_portraits(tenant=tenant, at=NOW)

    refresh_portraits(tenant=school, at=NOW + timedelta(days=1))

    with scope(agency):
        assert [of.updated_at for of in Portrait.objects.all()] == [NOW]
