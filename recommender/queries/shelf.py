"""What this process has at hand to serve a tenant: the catalogue, the published version, the canary, what is new.

Every second it is asked which versions are live and what is new; the whole catalogue is read again twice a minute.
What was withdrawn in between is caught when a page is written.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Self

from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import current_tenant_id
from recommender.ml.feed_settings import Settings
from recommender.models import Experiment, ModelVersion
from recommender.queries.experiments import arm_of, running_experiments
from recommender.queries.feed_settings import feed_settings
from recommender.queries.on_show import fresh, on_show
from recommender.queries.versions import KEPT, State, live_versions, retired_versions
from recommender.serving.artefacts import BrokenArtefactError, load
from recommender.serving.breaker import Breaker
from recommender.serving.catalogue import Catalogue
from recommender.serving.floor import forget_floors
from recommender.serving.kept import Kept
from recommender.serving.page import Offer
from recommender.serving.served import Served

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
CATALOGUE_FOR = timedelta(seconds=30)
MOST_BYTES = 2 << 30  # of all tenants' shelves in one process


@dataclass(frozen=True)
class Shelf:
    """What there is to show in a tenant, as of a moment ago."""

    catalogue: Catalogue
    read_at: datetime  # the catalogue
    live: Mapping[State, ModelVersion]  # what the database says
    served: Served | None  # what is served: another version while the published one is broken
    tried: Served | None  # the canary, unless it is broken
    fresh: tuple[Offer, ...]  # those that had the fewest trials first, then the newest
    settings: Settings
    running: tuple[Experiment, ...] = ()
    broken: Mapping[int, str] = field(default_factory=dict)  # versions that could not be read, and why

    def served_to(self, viewer: int) -> Served | None:
        """Return the version that this viewer is served by, if there is any: the canary for its share of them."""
        is_tried = self.tried and self.live[State.CANARY].is_tried_on(viewer)
        return self.tried if is_tried else self.served

    def dealt_to(self, viewer: int) -> list[tuple[Experiment, str]]:
        """Return the arms that this viewer is in, of all that run."""
        arms = ((experiment, arm_of(experiment, viewer_id=viewer)) for experiment in self.running)
        return [(experiment, arm) for experiment, arm in arms if arm is not None]

    def as_tried(self, dealt: Sequence[tuple[Experiment, str]]) -> Self:
        """Return the same with the settings of these arms."""
        differs = {name: value for experiment, arm in dealt for name, value in experiment.settings_of(arm).items()}
        return replace(self, settings=replace(self.settings, **differs)) if differs else self

    @property
    def unnoted(self) -> Mapping[int, str]:
        """Return which versions are broken, and why, as far as the database did not say so when it was last asked."""
        noted = {version.pk for version in self.live.values() if version.fault}
        return {version: code for version, code in self.broken.items() if version not in noted}

    def breakers(self) -> Iterator[tuple[str, Breaker]]:
        """Yield the breaker of each part in use, by the part's name."""
        for served in filter(None, (self.served, self.tried)):
            yield from served.bundle.breakers.items()

    @property
    def nbytes(self) -> int:
        return self.catalogue.nbytes + sum(served.nbytes for served in (self.served, self.tried) if served)


_shelves: Kept[Shelf] = Kept(for_s=LOOK_EVERY_S, most_bytes=MOST_BYTES, weigh=lambda shelf: shelf.nbytes)


def shelf(*, at: datetime) -> Shelf:
    """Return what there is to show in the scope's tenant, at most a second old."""
    return _shelves.get(current_tenant_id(), partial(_read, at=at))


def shelf_at_hand() -> Shelf | None:
    """Return what this process has in memory of the scope's tenant."""
    return _shelves.values().get(current_tenant_id())


def bytes_at_hand() -> int:
    """Return what all tenants' shelves weigh in this process."""
    return _shelves.bytes


def lacking() -> list[str]:
    """Return what this process serves its tenants without: broken versions, and stages whose breaker is not closed."""
    lacks = []
    for shelf in _shelves.values().values():
        lacks += [f"recommender: a version is {code}" for code in shelf.broken.values()]
        lacks += [f"recommender: {part} is {breaker.state}" for part, breaker in shelf.breakers() if breaker.is_open]
    return lacks


def forget_shelves() -> None:
    """Read everything again, and owe nobody anything (between tests)."""
    _shelves.forget()
    forget_floors()


def _read(before: Shelf | None, *, at: datetime) -> Shelf:
    live = live_versions()
    is_new = before is not None and before.read_at <= at < before.read_at + CATALOGUE_FOR
    if before and is_new and _same(before.live, live):
        return replace(before, live=live, fresh=fresh(at=at), settings=feed_settings(), running=running_experiments())
    catalogue, read_at = (before.catalogue, before.read_at) if before and is_new else (on_show(at=at), at)
    broken: dict[int, str] = {}
    served = _published(live.get(State.PUBLISHED), catalogue, before, broken)
    tried = _served(live[State.CANARY], catalogue, before, broken) if State.CANARY in live else None
    return Shelf(catalogue, read_at, live, served, tried, fresh(at=at), feed_settings(), running_experiments(), broken)


def _same(before: Mapping[State, ModelVersion], now: Mapping[State, ModelVersion]) -> bool:
    return {state: of.pk for state, of in before.items()} == {state: of.pk for state, of in now.items()}


def _published(
    version: ModelVersion | None, catalogue: Catalogue, before: Shelf | None, broken: dict[int, str]
) -> Served | None:
    """Return the published version; when it is broken, what was served before: from memory, else from the disk."""
    if version is None:
        return None
    if served := _served(version, catalogue, before, broken):
        return served
    if before and before.served:
        old = before.served
        return Served.of(old.version, old.bundle, catalogue, old, weights=old.weights)
    standbys = (_served(standby, catalogue, None, broken) for standby in retired_versions()[: KEPT - 1])
    return next(filter(None, standbys), None)


def _served(version: ModelVersion, catalogue: Catalogue, before: Shelf | None, broken: dict[int, str]) -> Served | None:
    """Return the version beside the catalogue, read from the disk unless it is in memory; None when it is `broken`."""
    known = [served for served in (before.served, before.tried) if served] if before else []
    at_hand = next((served for served in known if served.version == version.pk), None)
    if at_hand:
        return Served.of(version.pk, at_hand.bundle, catalogue, at_hand, weights=version.weights())
    try:
        bundle = load(tenant_folder("models", version.folder), version.sha256, tenant_id=current_tenant_id())
    except BrokenArtefactError as error:
        log.exception("version %s is broken; what was served before goes on", version.pk)
        broken[version.pk] = error.code
        return None
    return Served.of(version.pk, bundle, catalogue, weights=version.weights())
