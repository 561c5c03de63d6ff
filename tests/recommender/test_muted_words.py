"""What has a word in it that a viewer has muted is in no page, list or search of theirs, nor among the comments."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog.models import Item, MutedWord
from catalog.operations import comment
from kpplatform.tenancy.models import Member
from recommender.queries import shelf_at_hand
from recommender.serving.texts import BETWEEN, Texts
from tests import make
from tests.conftest import NOON
from tests.recommender import planted
from tests.recommender.test_feed import session, shown

pytestmark = pytest.mark.usefixtures("_fresh_cache")

WORDS = "/api/v1/muted-words/"


def mute(client: APIClient, word: str) -> int:
    answer = client.post(WORDS, {"word": word}, "json")
    assert answer.status_code == 201, answer.content
    return int(answer.json()["id"])


def titled(*titles: str) -> list[Item]:
    items = planted.videos(len(titles))
    for item, title in zip(items, titles, strict=True):
        Item.objects.filter(pk=item.pk).update(title=title)
    return items


def test_a_muted_word_is_in_no_page_list_or_search_until_it_is_heard_again(client: APIClient) -> None:
    casino, tagged, chinese, plain = titled("The CASINO of cats", "Cats", "赌场的猫", "Cats and dogs")
    Item.objects.filter(pk=tagged.pk).update(tags=["Online-Casino"])
    muted = [mute(client, word) for word in (" Casino ", "casino", "赌场")]

    assert muted[0] == muted[1], "Twice is once."
    assert session(client) == [plain.pk]
    for asked in ({}, {"q": "cats"}):
        assert [of["id"] for of in client.get("/api/v1/items/", asked).json()["results"]] == [plain.pk]
    everybody = make.client(make.member())
    assert len(everybody.get("/api/v1/items/").json()["results"]) == len(session(everybody)) == 4

    for word in {*muted}:
        assert client.delete(f"{WORDS}{word}/").status_code == 204
    assert set(session(client)) == {item.pk for item in (casino, tagged, chinese, plain)}


def test_what_was_renamed_a_moment_ago_is_not_shown_either(client: APIClient) -> None:
    renamed, plain = titled("Cats", "Dogs")
    mute(client, "100%_casino")
    assert len(session(client)) == 2
    assert shelf_at_hand()

    Item.objects.filter(pk=renamed.pk).update(title="A 100%_casino")
    Item.objects.filter(pk=plain.pk).update(title="A 100 % casino")

    assert session(client) == [plain.pk]


def test_comments_of_others_with_the_word_are_left_out(client: APIClient, viewer: Member) -> None:
    [item] = planted.videos(1)
    for by, body in ((make.member(), "To the Casino!"), (make.member(), "Lovely."), (viewer, "My casino")):
        comment(viewer=by, item=item, body=body, parent_id=None, at=NOON)
    mute(client, "casino")

    said = [of["body"] for of in client.get(f"/api/v1/items/{item.pk}/comments/").json()["results"]]

    assert said == ["My casino", "Lovely."]


def test_words_are_ones_own_and_what_is_none_is_refused(client: APIClient) -> None:
    word = mute(client, "casino")
    other = make.client(make.member())

    assert other.get(WORDS).json()["results"] == []
    assert other.delete(f"{WORDS}{word}/").status_code == 404
    for none in ("", " ", "x", "a\tb", "x" * 41, "İ" * 40):
        assert client.post(WORDS, {"word": none}, "json").status_code == 400, none
    MutedWord.objects.bulk_create(
        MutedWord(viewer=MutedWord.objects.get().viewer, word=f"word {number}", muted_at=NOON) for number in range(99)
    )
    assert client.post(WORDS, {"word": "more"}, "json").json()["code"] == "too_many_words"
    assert MutedWord.objects.count() == 100


def test_muting_costs_a_page_and_a_list_no_statement(client: APIClient) -> None:
    titled(*(f"Cats {number}" for number in range(5)))

    def asked() -> list[int]:
        counts = []
        for path in ("/api/v1/feed/", "/api/v1/items/", WORDS):
            with CaptureQueriesContext(connection) as statements:
                client.get(path)
            counts.append(len(statements))
        return counts

    shown(client)
    before = asked()
    for number in range(5):
        mute(client, f"word {number}")
    assert asked() == before


def test_a_word_is_found_where_it_is_and_not_across_two_items() -> None:
    told = [f"Big cat{BETWEEN}pets", "nap", "Äpfel", "", "CAT"]
    texts = Texts("".join(told).encode(), np.cumsum([len(text.encode()) for text in told]))

    found = {word: texts.containing(word).tolist() for word in ("cat", "pets", "tsn", "äpfel", "dog")}

    assert found == {"cat": [0, 4], "pets": [0], "tsn": [], "äpfel": [2], "dog": []}


def noted(
    of: Texts, looked: list[bytes], find: Callable[[Texts, bytes], Iterator[int]], needle: bytes
) -> Iterator[int]:
    """Write down what is looked for, and look for it."""
    looked.append(needle)
    return find(of, needle)


def test_a_word_is_looked_for_once_however_many_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Texts(b"catdog", np.array([3, 6]))
    words = ["cat", "dog", *(f"word {number}" for number in range(98))]
    looked: list[bytes] = []
    find = Texts._with

    def noted(of: Texts, needle: bytes) -> Iterator[int]:
        looked.append(needle)
        return find(of, needle)

    monkeypatch.setattr(Texts, "_with", noted)

    for _ in range(2):
        assert [told.containing(word).tolist() for word in words] == [[0], [1], *([] for _ in range(98))]

    assert len(looked) == 100
