"""A page is drawn from a mix of sources, and the chance of every place is known."""

import random
from collections import Counter

import pytest

from recommender.serving.page import Draw, Offer, Placed, Source


def offers(*items: int, creator: int | None = None) -> list[Offer]:
    return [Offer(item, creator or 1_000 + item) for item in items]


def drawn(*sources: Source, size: int, seed: int = 0, cap: int = 3, hidden: set[int] | None = None) -> list[Placed]:
    draw = Draw(sources, hidden=hidden or set(), own=None, cap=cap, rng=random.Random(seed))
    return draw.fill(size)


def items(page: list[Placed]) -> list[int]:
    return [place.offer.item for place in page]


def test_one_source_gives_its_best_in_order() -> None:
    page = drawn(Source("model", 1.0, offers(1, 2, 3)), size=2)

    assert page == [Placed(Offer(1, 1_001), "model", 1.0), Placed(Offer(2, 1_002), "model", 1.0)]


def test_the_share_of_an_exhausted_source_goes_to_the_others() -> None:
    page = drawn(Source("model", 0.9, offers(1)), Source("popular", 0.1, offers(2, 3)), size=9)

    assert sorted(items(page)) == [1, 2, 3]
    assert page[-1].propensity == 1.0


def test_an_item_of_two_sources_has_both_their_chances() -> None:
    [place] = drawn(Source("model", 0.75, offers(1, 2)), Source("popular", 0.25, offers(1, 3)), size=1)

    assert (place.offer.item, place.propensity) == (1, 1.0)


def test_a_random_offer_is_as_likely_as_its_source_and_its_chance() -> None:
    sources = Source("model", 0.5, offers(1)), Source("explored", 0.5, offers(7), chance=0.01)

    places = {drawn(*sources, size=1, seed=seed)[0] for seed in range(20)}

    assert {(place.source, place.propensity) for place in places} == {("model", 0.505), ("explored", 0.005)}


def test_the_hidden_and_ones_own_are_not_placed() -> None:
    source = Source("model", 1.0, [*offers(1, 2), Offer(3, 77)])
    draw = Draw([source], hidden={1}, own=77, cap=3, rng=random.Random(0))

    assert items(draw.fill(9)) == [2]


def test_the_cap_on_a_creator_yields_only_when_nothing_else_is_left() -> None:
    page = drawn(Source("model", 1.0, [*offers(1, 2, 3, creator=5), *offers(4, 6)]), size=5, cap=2)

    assert items(page) == [1, 2, 4, 6, 3]


@pytest.mark.parametrize("place", [0, 1])
def test_propensities_are_the_frequencies_of_many_draws(place: int) -> None:
    sources = [
        Source("model", 0.6, offers(1, 2, 3)),
        Source("popular", 0.1, offers(2, 4)),
        Source("fresh", 0.3, offers(4, 5, 6), ratio=0.5),
    ]
    seen: Counter[tuple[int, ...]] = Counter()
    told: dict[tuple[int, ...], float] = {}

    for seed in range(20_000):
        page = drawn(*sources, size=place + 1, seed=seed)
        seen[tuple(items(page))] += 1
        told[tuple(items(page))] = page[place].propensity * (page[0].propensity if place else 1)

    for page_items, likely in told.items():
        assert seen[page_items] / 20_000 == pytest.approx(likely, abs=0.015)
