"""A page is drawn from a mix of sources by rules, and the chance of every place is known."""

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

from recommender.serving.anywhere import Anywhere
from recommender.serving.catalogue import Catalogue
from recommender.serving.drawing import Draw
from recommender.serving.page import Offer, Placed, Pool, Rules, Source
from recommender.serving.space import Space
from recommender.serving.texts import BETWEEN, Texts, Written, words
from recommender.serving.traits import Teller

SHOWN = 100  # items of the catalogue, 0 to 99, each of a creator of its own unless said otherwise
DRAWS = 1_500


def offers(*items: int, creator: int | None = None) -> list[Offer]:
    return [Offer(item, creator or 1_000 + item) for item in items]


def catalogue(
    *,
    topics: dict[int, int] | None = None,
    texts: dict[int, str] | None = None,
    followers: dict[int, int] | None = None,
    copies: dict[int, frozenset[int]] | None = None,
) -> Catalogue:
    """Return items of which some have a topic, a text, or a creator with followers: the others have a thousand."""
    items = np.arange(SHOWN)
    told = [(texts or {}).get(item, "").encode() for item in items.tolist()]
    return Catalogue(
        items=items,
        creators=items + 1_000,
        published=items,
        is_free=items >= 0,
        topics=np.array([(topics or {}).get(item, 0) for item in items.tolist()]),
        followers=np.array([(followers or {}).get(item, 1_000) for item in items.tolist()]),
        viewers=np.zeros(SHOWN, np.int64),
        reactions=np.zeros(SHOWN, np.int64),
        texts=Texts(b"".join(told), np.cumsum([len(text) for text in told])),
        copies=copies or {},
    )


def drawn(
    *sources: Source,
    size: int,
    seed: int = 0,
    explored: float = 0.0,
    met: tuple[int, ...] = (),
    hidden: tuple[int, ...] = (),
    of: Catalogue | None = None,
    **rules: Any,
) -> list[Placed]:
    of, rng = of or catalogue(), random.Random(seed)
    draw = Draw(
        Pool(sources),
        anywhere=Anywhere(of, share=explored, hidden=hidden, creators=(), rng=rng),
        teller=Teller(of, Space(None), np.array(met, np.int64), small_followers=100),
        rules=Rules(**{"size": size, "per_creator": 3, "per_topic": size} | rules),
        rng=rng,
    )
    return draw.fill(size)


def items(page: list[Placed]) -> list[int]:
    return [place.offer.item for place in page]


def test_one_source_gives_its_best_in_order() -> None:
    page = drawn(Source("model", 1.0, offers(1, 2, 3)), size=2)

    assert page == [Placed(Offer(1, 1_001), "model", 1.0), Placed(Offer(2, 1_002), "model", 1.0)]


def test_what_the_ranker_finds_most_relevant_comes_first() -> None:
    told = np.array([0.1, 0.9, 0.5], np.float32)

    assert items(drawn(Source("model", 1.0, offers(1, 2, 3), relevance=told), size=3)) == [2, 3, 1]


def test_the_share_of_an_exhausted_source_goes_to_the_others() -> None:
    page = drawn(Source("model", 0.9, offers(1)), Source("popular", 0.1, offers(2, 3)), size=9)

    assert sorted(items(page)) == [1, 2, 3]
    assert page[-1].propensity == 1.0


def test_an_item_of_two_sources_has_both_their_chances() -> None:
    [place] = drawn(Source("model", 0.75, offers(1, 2)), Source("popular", 0.25, offers(1, 3)), size=1)

    assert (place.offer.item, place.propensity) == (1, 1.0)


def test_a_random_item_is_as_likely_as_its_source_and_its_chance() -> None:
    places = {drawn(Source("model", 0.5, offers(1)), explored=0.5, size=1, seed=seed)[0] for seed in range(20)}

    assert {(place.offer.item == 1, place.propensity) for place in places} == {(True, 0.505), (False, 0.005)}


def test_any_item_may_be_explored_but_what_is_hidden() -> None:
    page = drawn(explored=1.0, hidden=(0, 7), size=SHOWN)

    assert sorted(items(page)) == [item for item in range(SHOWN) if item not in (0, 7)]
    assert [place.propensity for place in page] == [1 / many for many in range(98, 0, -1)]


def test_the_cap_on_a_creator_yields_only_when_nothing_else_is_left() -> None:
    page = drawn(Source("model", 1.0, [*offers(1, 2, 3, creator=5), *offers(4, 6)]), size=5, per_creator=2)

    assert items(page) == [1, 2, 4, 6, 3]


def test_a_topic_has_its_part_of_a_page_while_others_have_something() -> None:
    about = catalogue(topics={1: 8, 2: 8, 3: 8, 4: 9})

    assert items(drawn(Source("model", 1.0, offers(1, 2, 3, 4)), of=about, size=4, per_topic=2)) == [1, 2, 4, 3]


def test_what_says_the_same_as_another_comes_last() -> None:
    lesson, tags = "how to play the piano", f"{BETWEEN}music{BETWEEN}beginners"
    told = catalogue(texts={1: lesson + tags, 2: lesson + tags, 3: "how to cook rice at home"})
    source = Source("model", 1.0, offers(1, 2, 3))

    assert items(drawn(source, of=told, size=3, alike=0.97)) == [1, 3, 2]
    assert items(drawn(source, of=told, size=3)) == [1, 2, 3]


def test_what_is_ruled_a_copy_comes_last_though_it_is_liked_better() -> None:
    text = "how to play the piano"
    told = catalogue(texts={1: text, 2: text, 3: "how to cook rice at home"}, copies={2: frozenset({1})})

    assert items(drawn(Source("model", 1.0, offers(2, 1, 3)), of=told, size=3, alike=0.97)) == [1, 3, 2]
    assert items(drawn(Source("model", 1.0, offers(2, 3)), of=told, size=3, alike=0.97)) == [2, 3], "It stands alone."


def test_the_same_text_is_the_same_even_where_nothing_less_is() -> None:
    """Lengths are rounded: of many texts the cosine with themselves is a little below 1."""
    for many in range(20):
        page, text = Written(1.0), "how to play the piano " + "very " * many
        page.add(words(f"{text} well"))

        assert page.has(words(f"{text} well"), since=0)
        assert not page.has(words(f"{text} ill"), since=0)


def test_two_short_titles_are_not_the_same_for_that() -> None:
    told = catalogue(texts={1: "Part 1", 2: "Part 1", 3: "Part 2"})

    assert items(drawn(Source("model", 1.0, offers(1, 2, 3)), of=told, size=3, alike=0.97)) == [1, 2, 3]


def test_a_page_goes_on_with_what_is_unlike_it() -> None:
    about = catalogue(topics={1: 8, 2: 8, 3: 8, 4: 9})
    source = Source("model", 1.0, offers(1, 2, 3, 4))

    for method in ("mmr", "dpp"):
        assert items(drawn(source, of=about, size=4, method=method, diversity=0.5))[:2] == [1, 4]


def test_in_the_middle_of_a_page_stands_a_topic_that_the_viewer_has_not_met() -> None:
    about = catalogue(topics=dict.fromkeys(range(1, 20), 8) | {20: 9, 30: 7})
    sources = Source("model", 1.0, offers(*range(1, 20), 20))

    assert items(drawn(sources, of=about, met=(1,), size=4, new_topics=1)) == [1, 2, 20, 3]
    assert items(drawn(sources, of=about, met=(1, 20, 30), size=4, new_topics=1)) == [1, 2, 3, 4]


def test_small_creators_have_the_places_that_are_owed_to_them() -> None:
    known = catalogue(followers={20: 99, 21: 0, 22: 0})
    source = Source("model", 1.0, offers(*range(1, 23)))

    assert items(drawn(source, of=known, size=6, small=2)) == [1, 2, 20, 3, 21, 4]


def test_wishes_that_nothing_fulfils_do_not_shorten_the_page() -> None:
    assert items(drawn(Source("model", 1.0, offers(1, 2)), size=2, new_topics=2, small=2)) == [1, 2]


RULES: list[dict[str, Any]] = [
    {},
    {"method": "mmr", "diversity": 0.4},
    {"method": "dpp", "diversity": 0.4},
    {"new_topics": 1, "met": (1, 2), "small": 1},
    {"per_topic": 1, "alike": 0.9},
]


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: " ".join(map(str, rules)))
def test_propensities_are_the_frequencies_of_many_draws(rules: dict[str, Any]) -> None:
    """Two places by four sources, exploration among them, of a catalogue where each rule has something to say."""
    same = "a text of some words"
    of = catalogue(
        topics={1: 8, 2: 8, 3: 8, 4: 9, 5: 9, 6: 7}, texts={1: same, 2: same, 4: same}, followers={3: 0, 9: 1}
    )
    sources = [
        Source("model", 0.5, offers(1, 2, 3), relevance=np.array([0.9, 0.8, 0.7], np.float32)),
        Source("popular", 0.2, offers(2, 4)),
        Source("fresh", 0.2, offers(4, 5, 6), ratio=0.5),
    ]
    everything_else = tuple(range(12, SHOWN))
    seen: Counter[tuple[int, ...]] = Counter()
    told: dict[tuple[int, ...], float] = {}

    for seed in range(DRAWS):
        page = drawn(*sources, size=2, seed=seed, of=of, explored=0.1, hidden=everything_else, **rules)
        seen[tuple(items(page))] += 1
        told[tuple(items(page))] = page[0].propensity * page[1].propensity

    for page_items, likely in told.items():
        spread = (likely * (1 - likely) / DRAWS) ** 0.5
        assert seen[page_items] / DRAWS == pytest.approx(likely, abs=5 * spread + 1e-4)
    assert sum(told.values()) == pytest.approx(1, abs=0.02)
