"""With a model the feed follows the viewer's taste, as it is at this very moment."""

import logging
import subprocess
import sys

import pytest
from rest_framework.test import APIClient

from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender.models import Impression, ModelVersion
from recommender.serving.kept import Kept
from tests import make
from tests.processes import ROOT, environment
from tests.recommender import planted
from tests.recommender.test_feed import page, shown

pytestmark = pytest.mark.usefixtures("_fresh_cache")

Groups = tuple[list[Item], list[Item]]


@pytest.fixture
def groups(in_school: Tenant) -> Groups:
    """Two tastes, forty videos each."""
    return planted.videos(40), planted.videos(40)


def share(items: list[int], group: list[Item]) -> float:
    return len(set(items) & {item.pk for item in group}) / len(items)


def test_what_is_like_the_watched_comes_first(client: APIClient, viewer: Member, groups: Groups) -> None:
    piano, _cooking = groups
    planted.published(planted.tastes(*groups))

    planted.watch(viewer, piano[0])

    assert share(shown(client, limit=10), piano) > 0.5


def test_a_watch_changes_the_very_next_page(client: APIClient, viewer: Member, groups: Groups) -> None:
    piano, cooking = groups
    planted.published(planted.tastes(*groups))
    planted.watch(viewer, piano[0])
    first = page(client, limit=10)

    for item in cooking[:5]:
        planted.watch(viewer, item)
    second = client.get(first["next"]).json()

    assert share([card["id"] for card in second["results"]], cooking) > 0.5


def test_a_like_changes_the_very_next_page(client: APIClient, viewer: Member, groups: Groups) -> None:
    piano, cooking = groups
    planted.published(planted.tastes(*groups))
    planted.watch(viewer, piano[0])
    first = page(client, limit=10)

    planted.react(viewer, cooking[0])
    planted.react(viewer, cooking[1])
    second = client.get(first["next"]).json()

    assert share([card["id"] for card in second["results"]], cooking) > 0.5


def test_not_interested_lowers_what_is_like_it(client: APIClient, viewer: Member, groups: Groups) -> None:
    piano, cooking = groups
    planted.published(planted.tastes(*groups))
    for liked in (piano[0], cooking[0]):
        planted.watch(viewer, liked)

    for unwanted in piano[1:4]:
        planted.react(viewer, unwanted, "not_interested")

    assert share([card["id"] for card in page(client)["results"] if card["source"] == "model"], cooking) == 1


def test_the_impressions_name_the_version(client: APIClient, viewer: Member, groups: Groups) -> None:
    version = planted.published(planted.tastes(*groups))
    planted.watch(viewer, groups[0][0])

    assert page(client)["version"] == version.pk
    assert set(Impression.objects.values_list("version", flat=True)) == {version.pk}


def test_a_new_version_is_served_without_a_restart(
    client: APIClient, viewer: Member, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = planted.published(planted.tastes(*groups))
    assert page(client)["version"] == first.pk

    second = planted.published(planted.tastes(*groups))
    monkeypatch.setattr("recommender.serving.kept.time.monotonic", lambda: 1e12)

    assert page(client)["version"] == second.pk


def test_a_broken_artefact_is_not_served(
    client: APIClient, viewer: Member, groups: Groups, caplog: pytest.LogCaptureFixture
) -> None:
    version = planted.published(planted.tastes(*groups))
    vectors = tenant_folder("models", version.folder) / "retrieval-planted" / "item_vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-4] + b"\0\0\0\1")
    planted.watch(viewer, groups[0][0])

    with caplog.at_level(logging.ERROR):
        answered = page(client)

    assert (answered["version"], len(answered["results"])) == (None, 20)
    assert "is broken" in caplog.text


def test_while_a_new_version_is_broken_the_old_one_goes_on(
    client: APIClient, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = planted.published(planted.tastes(*groups))
    page(client)

    broken = planted.published(planted.tastes(*groups))
    (tenant_folder("models", broken.folder) / "retrieval-planted" / "gram.npy").unlink()
    monkeypatch.setattr("recommender.serving.kept.time.monotonic", lambda: 1e12)

    assert page(client)["version"] == good.pk


def test_after_a_restart_a_broken_version_gives_way_to_the_one_before(client: APIClient, groups: Groups) -> None:
    good, broken = (planted.published(planted.tastes(*groups)) for _ in range(2))
    (tenant_folder("models", broken.folder) / "manifest.json").unlink()

    assert page(client)["version"] == good.pk


def test_a_canary_serves_its_share_of_the_viewers_and_always_the_same_ones(groups: Groups) -> None:
    published = planted.published(planted.tastes(*groups))
    canary = planted.tried(planted.tastes(*groups), share=0.5)
    viewers = [make.member() for _ in range(20)]

    served = [[page(make.client(viewer))["version"] for _ in range(2)] for viewer in viewers]

    expected = [canary.pk if canary.is_tried_on(viewer.pk) else published.pk for viewer in viewers]
    assert served == [[version] * 2 for version in expected]
    assert set(expected) == {published.pk, canary.pk}


def test_a_broken_canary_is_tried_on_nobody(client: APIClient, viewer: Member, groups: Groups) -> None:
    published = planted.published(planted.tastes(*groups))
    canary = planted.tried(planted.tastes(*groups), share=0.999999)
    (tenant_folder("models", canary.folder) / "manifest.json").unlink()

    assert canary.is_tried_on(viewer.pk)
    assert page(client)["version"] == published.pk


def test_a_tenants_model_is_its_own(viewer: Member, groups: Groups, agency: Tenant) -> None:
    ours = planted.published(planted.tastes(*groups))
    with scope(agency):
        [theirs] = planted.videos(1)
        stranger = make.member()
        planted.watch(stranger, theirs)
        assert not ModelVersion.objects.exists()
        assert not tenant_folder("models", ours.folder).exists()
        assert page(make.client(stranger)) | {"page": ""} == {
            "page": "",
            "version": None,
            "next": None,
            "results": [],
            "ads": [],
        }


def test_memory_is_shared_out_by_bytes() -> None:
    kept: Kept[bytes] = Kept(for_s=60, most_bytes=10, weigh=len)

    for tenant in (1, 2, 1, 3):
        kept.get(tenant, lambda _: b"four")

    assert kept.bytes == 8
    assert kept.get(1, lambda _: b"read again") == b"four"
    assert kept.get(2, lambda _: b"read") == b"read"


def test_what_is_being_read_again_is_not_read_beside_however_long_it_takes() -> None:
    kept: Kept[bytes] = Kept(for_s=0, most_bytes=100, weigh=len)
    kept.get(1, lambda _: b"old")

    def slow(_: bytes | None) -> bytes:
        return kept.get(1, lambda _: b"read beside") + b" and new"

    assert kept.get(1, slow) == b"old and new"


def test_what_could_not_be_read_again_is_tried_again() -> None:
    kept: Kept[bytes] = Kept(for_s=0, most_bytes=100, weigh=len)
    kept.get(1, lambda _: b"old")

    def broken(_: bytes | None) -> bytes:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        kept.get(1, broken)

    assert kept.get(1, lambda _: b"new") == b"new"


def test_a_web_process_loads_nothing_that_trains(db: None) -> None:
    look = (
        "import sys, kpplatform.wsgi, django.urls;"
        "django.urls.get_resolver().url_patterns; import recommender.api.feed;"
        "sys.exit(not {'torch', 'lightgbm', 'sklearn'}.isdisjoint(sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", look], cwd=ROOT, env=environment(), check=False).returncode == 0
