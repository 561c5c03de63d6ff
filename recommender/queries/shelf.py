"""What this process has at hand to serve a tenant: the catalogue, the published model, what is new.

Every second it is asked which version is published and what is new; the whole catalogue is read again twice a
minute. What was withdrawn in between is caught when a page is written.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import current_tenant_id
from recommender.models import ModelVersion
from recommender.queries.on_show import fresh, on_show
from recommender.queries.versions import published_version
from recommender.serving.artefacts import BrokenArtefactError, load, weight
from recommender.serving.catalogue import Catalogue
from recommender.serving.kept import Kept
from recommender.serving.page import Offer
from recommender.serving.retrieval import Index

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
CATALOGUE_FOR = timedelta(seconds=30)
MOST_BYTES = 2 << 30  # of all tenants' shelves in one process


@dataclass(frozen=True)
class Shelf:
    """What there is to show in a tenant, as of a moment ago."""

    catalogue: Catalogue
    read_at: datetime  # the catalogue
    told: int | None  # the version that the database names
    version: int | None  # the version that is served: another one while the named one is broken
    index: Index | None
    fresh: tuple[Offer, ...]  # those that had the fewest trials first, then the newest

    @property
    def nbytes(self) -> int:
        return self.catalogue.nbytes + (self.index.nbytes + weight(self.index.model) if self.index else 0)


_shelves: Kept[Shelf] = Kept(for_s=LOOK_EVERY_S, most_bytes=MOST_BYTES, weigh=lambda shelf: shelf.nbytes)


def shelf(*, at: datetime) -> Shelf:
    """Return what there is to show in the scope's tenant, at most a second old."""
    return _shelves.get(current_tenant_id(), partial(_read, at=at))


def forget_shelves() -> None:
    """Read everything again (between tests)."""
    _shelves.forget()


def _read(before: Shelf | None, *, at: datetime) -> Shelf:
    version = published_version()
    told = version.pk if version else None
    is_old = before is None or not before.read_at <= at < before.read_at + CATALOGUE_FOR
    if before and not is_old and before.told == told:
        return Shelf(before.catalogue, before.read_at, told, before.version, before.index, fresh(at=at))
    catalogue = before.catalogue if before and not is_old else on_show(at=at)
    served, index = _indexed(version, catalogue, before)
    return Shelf(catalogue, at if is_old or before is None else before.read_at, told, served, index, fresh(at=at))


def _indexed(
    version: ModelVersion | None, catalogue: Catalogue, before: Shelf | None
) -> tuple[int | None, Index | None]:
    """Return the version to serve and its index; when its artefact is broken, what was served before."""
    if version is None:
        return None, None
    try:
        known = before.index.model if before and before.index and before.version == version.pk else None
        model = known or load(tenant_folder("models", version.folder), version.sha256)
    except BrokenArtefactError:
        log.exception("version %s is broken; what was served before goes on", version.pk)
        if before is None or before.index is None:
            return None, None
        return before.version, Index.of(before.index.model, catalogue)
    return version.pk, Index.of(model, catalogue)
