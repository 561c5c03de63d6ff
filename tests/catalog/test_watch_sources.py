"""Where a watch began is one of a fixed list of words."""

from rest_framework.test import APIClient

from catalog.models import Source, Watch
from kpplatform.tenancy.models import Tenant
from tests.catalog import things
from tests.catalog.test_watches import send, told


def test_where_from_is_one_of_the_published_words_and_no_event_is_lost(client: APIClient, in_school: Tenant) -> None:
    video = things.video()
    words = [*Source.values, "Feed", "for_you", "x" * 20]

    send(client, *(told(video, source=word) for word in words))

    stored = Watch.objects.order_by("source").values_list("source", flat=True)
    assert sorted(stored) == sorted([*Source.values, "other", "other", "other"])


def test_the_words_are_published(client: APIClient) -> None:
    schema = client.get("/api/schema/?format=json").content.decode()

    assert schema.count(Source.explained()) == 2  # of watches and of visits
