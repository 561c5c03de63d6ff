"""Why this? Each item of the feed answers, to whom it was shown, in their language."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Item
from creators.models import Follow
from kpplatform.tenancy.models import Member, Tenant
from recommender.models import Impression
from tests import make
from tests.recommender import planted
from tests.recommender.test_feed import page
from tests.recommender.test_sources import only

WHY = "/api/v1/items/{}/why/"

pytestmark = pytest.mark.usefixtures("_fresh_cache")

Groups = tuple[list[Item], list[Item]]


@pytest.fixture
def groups(in_school: Tenant) -> Groups:
    return planted.videos(10), planted.videos(10)


def why(client: APIClient, shown: dict[str, Any], place: int = 0, language: str = "en") -> dict[str, Any]:
    item = shown["results"][place]["id"]
    answer = client.get(WHY.format(item), {"page": shown["page"]}, headers={"accept-language": language})
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def test_what_a_model_recommends_names_what_it_is_like(client: APIClient, viewer: Member, groups: Groups) -> None:
    version = planted.published(planted.tastes(*groups))
    Item.objects.filter(pk=groups[0][0].pk).update(title="Moonlight Sonata")
    planted.watch(viewer, groups[0][0])
    planted.watch(viewer, groups[1][0], share=0.01)
    only(personal=1)

    told = why(client, page(client, limit=3))

    assert (told["position"], told["version"], told["propensity"]) == (0, version.pk, 1.0)
    assert told["near"] == {"item": groups[0][0].pk, "title": "Moonlight Sonata", "likeness": 1.0}
    assert told["reasons"][:2] == [
        {"source": "model", "about": "Moonlight Sonata", "text": "It fits what you watched."},
        {"source": "similar", "about": "Moonlight Sonata", "text": "It is like something you liked."},
    ]


def test_all_that_speaks_for_an_item_is_told(client: APIClient, viewer: Member, groups: Groups) -> None:
    creator = groups[0][0].creator
    Follow.objects.create(viewer=viewer, creator=creator, followed_at=timezone.now())
    only(followed=1)

    told = why(client, page(client, limit=1), language="zh-CN")

    assert told["near"] is None
    assert told["reasons"] == [
        {"source": "followed", "about": creator.name, "text": "您关注了它的创作者。"},
        {"source": "popular", "about": "", "text": "近期很多人在看。"},
    ]


def test_only_who_was_shown_an_item_is_told_why(client: APIClient, groups: Groups) -> None:
    shown = page(client, limit=1)
    path = WHY.format(shown["results"][0]["id"])

    assert client.get(path).json() == why(client, shown, language="zh-CN")
    assert make.client(make.member()).get(path).status_code == 404
    assert client.get(path, {"page": str(uuid.uuid4())}).status_code == 404
    assert client.get(path, {"page": "first"}).status_code == 400


@pytest.mark.parametrize("source", Impression.Source.values)
def test_every_source_has_its_word(client: APIClient, groups: Groups, source: str) -> None:
    shown = page(client, limit=1)
    Impression.objects.update(source=source)

    first, *_ = why(client, shown)["reasons"]

    assert first["source"] == source
    assert first["text"] != why(client, shown, language="zh-CN")["reasons"][0]["text"]


def test_asking_takes_few_statements(client: APIClient, viewer: Member, groups: Groups) -> None:
    planted.published(planted.tastes(*groups))
    planted.watch(viewer, groups[0][0])
    shown = page(client, limit=3)
    why(client, shown)

    with CaptureQueriesContext(connection) as statements:
        why(client, shown)

    assert len(statements) <= 10  # scope and sign-in, the impression, the past, a title
