"""Versions change under the requests of real web processes: none is dropped, and soon all serve the same."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from threading import Event, Thread
from typing import Any, Self

import pytest
from django.utils import timezone

from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.operations import issue_token
from kpplatform.tenancy.scope import scope
from recommender import operations
from recommender.models import ModelVersion
from recommender.operations import Word
from tests import make
from tests.conftest import COMMITTED
from tests.processes import eventually, web
from tests.recommender import planted

pytestmark = [COMMITTED, pytest.mark.slow, pytest.mark.usefixtures("_fresh_cache")]

PROCESSES = 2
VIEWERS = 6
EVERYWHERE_WITHIN_S = 5.0


def ask(port: int, path: str, key: str) -> tuple[int, dict[str, Any]]:
    """Ask over a connection of its own, so that any of the processes may answer."""
    asked = HTTPConnection("127.0.0.1", port, timeout=10)
    asked.request("GET", path, headers={"Host": "school.localhost", "Authorization": f"Bearer {key}"})
    answer = asked.getresponse()
    body = answer.read()
    asked.close()
    return answer.status, json.loads(body) if answer.status == 200 else {}


@dataclass
class Scrolling:
    """Viewers who ask for pages, each in a thread of its own, until they are told to stop."""

    port: int
    keys: dict[int, str]  # by viewer
    seen: list[tuple[float, int, int, int | None]] = field(default_factory=list)  # asked at, viewer, status, version
    stopped: Event = field(default_factory=Event)

    def scroll(self, viewer: int) -> None:
        while not self.stopped.is_set():
            asked_at = time.monotonic()
            status, page = ask(self.port, "/api/v1/feed/?limit=3", self.keys[viewer])
            self.seen.append((asked_at, viewer, status, page.get("version")))

    def __enter__(self) -> Self:
        self.threads = [Thread(target=self.scroll, args=(viewer,)) for viewer in self.keys]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def since(self, at: float) -> dict[int, set[int | None]]:
        """Return which versions each viewer was served by when they asked after that."""
        told: dict[int, set[int | None]] = {viewer: set() for viewer in self.keys}
        for asked_at, viewer, _, version in list(self.seen):
            if asked_at > at:
                told[viewer].add(version)
        return told


@dataclass(frozen=True)
class Site:
    tenant: Tenant
    port: int
    keys: dict[int, str]
    staff: str
    first: ModelVersion
    second: ModelVersion

    def is_everywhere(self, version: ModelVersion) -> bool:
        """Tell whether every web process serves this version."""
        told = [ask(self.port, "/api/v1/models/serving/", self.staff)[1] for _ in range(8)]
        served = {answer["process"]: answer["version"] for answer in told}
        return len(served) == PROCESSES and set(served.values()) == {version.pk}


def word() -> Word:
    return Word(by=None, why="a test", at=timezone.now())


def key_of(member: Member) -> str:
    return issue_token(member=member, name="test", scopes=["read"], at=timezone.now())[1]


@pytest.fixture
def site(school: Tenant) -> Iterator[Site]:
    """Two web processes that serve the second of two versions, and viewers whose taste both know."""
    with scope(school):
        groups = planted.videos(40), planted.videos(40)
        viewers = [make.member() for _ in range(VIEWERS)]
        for viewer in viewers:
            planted.watch(viewer, groups[0][0])
        first, second = (planted.published(planted.tastes(*groups)) for _ in range(2))
        keys = {viewer.pk: key_of(viewer) for viewer in viewers}
        staff = key_of(make.member(Member.Role.STAFF))
        first.refresh_from_db()
    with web(workers=PROCESSES) as port:
        yield Site(school, port, keys, staff, first, second)


def soon_is_everywhere(site: Site, version: ModelVersion, scrolling: Scrolling) -> None:
    began_at = time.monotonic()

    eventually(lambda: site.is_everywhere(version))

    everywhere_at = time.monotonic()
    assert everywhere_at - began_at < EVERYWHERE_WITHIN_S
    time.sleep(1)
    assert list(scrolling.since(everywhere_at).values()) == [{version.pk}] * VIEWERS


def test_a_version_is_promoted_and_rolled_back_everywhere_without_dropping_a_request(site: Site) -> None:
    with Scrolling(site.port, site.keys) as scrolling:
        eventually(lambda: site.is_everywhere(site.second))
        with scope(site.tenant):
            operations.promote_version(version=site.first, word=word())
        soon_is_everywhere(site, site.first, scrolling)
        with scope(site.tenant):
            operations.roll_back(word=word())
        soon_is_everywhere(site, site.second, scrolling)

    assert len(scrolling.seen) > 100
    assert {status for _, _, status, _ in scrolling.seen} == {200}


def test_a_canary_is_served_to_the_same_viewers_by_every_process(site: Site) -> None:
    with scope(site.tenant):
        operations.try_version(version=site.first, percent=50, word=word())
        canary = ModelVersion.objects.get(pk=site.first.pk)
    time.sleep(1.5)  # what a process has read is a second old at most
    began_at = time.monotonic()

    with Scrolling(site.port, site.keys) as scrolling:
        time.sleep(4)

    expected = {viewer: {(canary if canary.is_tried_on(viewer) else site.second).pk} for viewer in site.keys}
    assert scrolling.since(began_at) == expected
    assert {status for _, _, status, _ in scrolling.seen} == {200}
