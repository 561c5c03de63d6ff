"""Which version is served to whom: promote, try on some viewers, withdraw, go back. Each change is written down."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import current_tenant_id
from recommender import queries
from recommender.models import ModelVersion, VersionChange
from recommender.serving import artefacts

State = ModelVersion.State
MAY_BE_SERVED = (State.CANARY, State.RETIRED, State.WITHDRAWN)
SERVED = (State.PUBLISHED, State.CANARY)


class NotServable(Conflict):
    code = "version_not_servable"


class NotServed(Conflict):
    code = "version_not_served"


class NothingToGoBackTo(Conflict):
    code = "nothing_to_go_back_to"


@dataclass(frozen=True)
class Word:
    """On whose word something is done, why and when; by nobody when a training says it."""

    by: Member | None
    why: str
    at: datetime


@transaction.atomic
def promote_version(*, version: ModelVersion, word: Word) -> ModelVersion:
    """Serve this version to everybody from now on. Raises NotServable."""
    hold_versions()
    return change(_servable(version), State.PUBLISHED, word=word)


@transaction.atomic
def try_version(*, version: ModelVersion, percent: int, word: Word) -> ModelVersion:
    """Serve this version to so many of the viewers, in place of an earlier canary. Raises NotServable."""
    hold_versions()
    return change(_servable(version), State.CANARY, share=percent / 100, word=word)


@transaction.atomic
def withdraw_version(*, version: ModelVersion, word: Word) -> ModelVersion:
    """Serve this version to nobody; without a published one the feed shows what is popular. Raises NotServed."""
    hold_versions()
    version.refresh_from_db()
    if version.state not in SERVED:
        raise NotServed(f"Version {version.pk} is {version.state}: it is not served.")
    return change(version, State.WITHDRAWN, word=word)


@transaction.atomic
def roll_back(*, word: Word, version: ModelVersion | None = None) -> ModelVersion:
    """Withdraw the published version and serve the one that was published before it.

    Raises NotServed when another version than the named one is published, and NothingToGoBackTo.
    """
    hold_versions()
    published = queries.published_version()
    if version is not None and version != published:
        raise NotServed(f"Version {version.pk} is not the published one.")
    before = next(filter(is_whole, queries.retired_versions()), None)
    if before is None:
        raise NothingToGoBackTo("No earlier version is left whose artefact is whole.")
    if published:
        change(published, State.WITHDRAWN, word=word)
    return change(before, State.PUBLISHED, word=word)


def hold_versions() -> None:
    """Let nobody else publish a version of this tenant or delete artefacts before the transaction ends."""
    with connection.cursor() as cursor:
        what = f"recommender.versions:{current_tenant_id()}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])


def change(version: ModelVersion, state: str, *, word: Word, share: float | None = None) -> ModelVersion:
    """Bring a version into a state, make room for it there, and write down who wanted that and why."""
    if state in SERVED:
        # One is published and one is tried at most: the one before gives way.
        gives_way = State.RETIRED if state == State.PUBLISHED else State.WITHDRAWN
        for other in ModelVersion.objects.filter(state=state).exclude(pk=version.pk):
            change(other, gives_way, word=word)
        version.published_at, version.fault = word.at, ""
    before, version.state, version.canary_share = version.state, state, share
    version.save()
    VersionChange.objects.create(
        version=version, before=before, after=state, share=share, by=word.by, why=word.why, changed_at=word.at
    )
    return version


def _servable(version: ModelVersion) -> ModelVersion:
    """Return the version as it is now. Raises NotServable."""
    version.refresh_from_db()
    if version.state not in MAY_BE_SERVED:
        raise NotServable(f"Version {version.pk} is {version.state}.")
    if not is_whole(version):
        raise NotServable(f"The artefact of version {version.pk} is no longer there, or not what was stored.")
    return version


def is_whole(version: ModelVersion) -> bool:
    """Tell whether the version's artefact is there and is what was stored."""
    folder = tenant_folder("models", version.folder)
    return folder.is_dir() and artefacts.seal(folder) == version.sha256
