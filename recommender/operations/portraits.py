"""What is done with portraits: asked for, written block by block, finished, forgotten."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.scope import current_tenant_id
from recommender import queries
from recommender.models import Audience, Portrait, PortraitRun, PropensityReport, Rule, Segment

REFRESH = "recommender.tasks.refresh_portraits"
EXPORT = "recommender.tasks.export_portraits"
AT_ONCE = 5_000


@dataclass(frozen=True)
class Row:
    """One portrait as it is written: what is JSON there is text here."""

    viewer_id: int
    segment_id: int | None
    interests: str
    active_hours: str
    next_topics: str
    next_items: str
    next_hours: str
    vector: bytes
    events: int
    first_seen_at: datetime
    last_seen_at: datetime
    churn: float | None
    purchase: float | None


@dataclass(frozen=True)
class Found:
    """A segment that was found: under which label, around what, what is told of it."""

    label: int
    centre: dict[str, float]
    about: Sequence[Any]


@transaction.atomic
def ask_for_portraits() -> Job | None:
    """Have a worker refresh the tenant's portraits; None when that is waiting to be done already."""
    return enqueue(REFRESH, queue="training", key=REFRESH)


@transaction.atomic
def ask_for_export() -> Job | None:
    """Have a worker write P and F down; None when that is waiting to be done already."""
    return enqueue(EXPORT, queue="training", key=EXPORT)


@transaction.atomic
def begin_run(*, at: datetime, half_life_days: float) -> PortraitRun:
    """Begin a refresh."""
    return PortraitRun.objects.create(at=at, half_life_days=half_life_days)


@transaction.atomic
def keep_segments(*, run: PortraitRun, found: Iterable[Found]) -> list[int]:
    """Write the segments down under their labels and return their ids; those not found any more are retired."""
    segments = [
        Segment.objects.update_or_create(
            label=of.label, defaults={"run": run, "centre": of.centre, "about": of.about, "retired_at": None}
        )[0]
        for of in found
    ]
    ids = [segment.pk for segment in segments]
    Segment.objects.filter(retired_at=None).exclude(pk__in=ids).update(retired_at=run.at, size=0)
    return ids


COLUMNS = [field.name for field in fields(Row)]


@transaction.atomic
def store_portraits(*, run: PortraitRun, rows: Sequence[Row]) -> None:
    """Write portraits, each in the place of the viewer's earlier one, but of nobody who has refused meanwhile.

    PostgreSQL does not COPY into a table that has row-level security: so into a temporary one, and on from there.
    """
    names = ", ".join(COLUMNS)
    fixed: dict[str, Any] = {"tenant_id": current_tenant_id(), "run_id": run.pk, "updated_at": run.at}
    changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in [*COLUMNS[1:], "run_id", "updated_at"])
    unwilling, theirs = queries.not_to_draw().query.sql_with_params()
    likeness = f"SELECT {names} FROM recommender_portrait WITH NO DATA"  # noqa: S608  names are the model's
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS {likeness}")
        with cursor.copy(f"COPY incoming ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(astuple(row))
        cursor.execute(f"DELETE FROM incoming WHERE viewer_id IN ({unwilling})", theirs)  # noqa: S608
        cursor.execute(
            f"INSERT INTO recommender_portrait ({names}, {', '.join(fixed)})"  # noqa: S608  names are the model's
            f" SELECT {names}, {', '.join(['%s'] * len(fixed))} FROM incoming"
            f" ON CONFLICT (tenant_id, viewer_id) DO UPDATE SET {changed}",
            [*fixed.values()],
        )
        cursor.execute("DROP TABLE incoming")


@transaction.atomic
def finish_run(
    *,
    run: PortraitRun,
    sizes: dict[int, int],
    rules: Sequence[Rule],
    audiences: Sequence[Audience],
    reports: Sequence[PropensityReport],
    at: datetime,
) -> None:
    """Put what was counted in the place of what the refresh before had counted; whom it has not met is forgotten."""
    Portrait.objects.exclude(run=run).delete()
    Portrait.objects.filter(viewer__in=queries.not_to_draw()).delete()
    for segment, size in sizes.items():
        Segment.objects.filter(pk=segment).update(size=size)
    Rule.objects.all().delete()
    Rule.objects.bulk_create(rules, batch_size=AT_ONCE)
    Audience.objects.all().delete()
    Audience.objects.bulk_create(audiences, batch_size=AT_ONCE)
    PropensityReport.objects.bulk_create(reports)
    run.rules, run.finished_at = len(rules), at
    run.save()


class StalePortraits(RuntimeError):
    """Nobody has refreshed them for too long: whoever looks after the jobs is to see it."""


def check_portraits(*, at: datetime) -> None:
    """Do nothing while the portraits are fresh. Raises StalePortraits."""
    fresh = queries.freshness(at=at)
    if fresh.is_stale:
        raise StalePortraits(f"The portraits were last refreshed at {fresh.refreshed_at or 'no time'}.")
