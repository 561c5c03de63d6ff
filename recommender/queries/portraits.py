"""What can be told of viewers: their portraits, segments, who is near whom, and whether it is old."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import Item, Watch
from catalog.queries import not_consenting
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant, current_tenant_id
from recommender.ml.arrays import Floats, Longs
from recommender.ml.portraits.interests import explain, features_of
from recommender.ml.portraits.latent import nearest
from recommender.models import PersonalisationRefusal, Portrait, PortraitRefusal, PortraitRun, PropensityReport, Segment

READ_AT_ONCE = 50_000
VECTORS = """
SELECT max(viewer_id), string_agg(int8send(viewer_id), '' ORDER BY viewer_id),
       string_agg(vector, '' ORDER BY viewer_id)
FROM (SELECT viewer_id, vector FROM recommender_portrait
      WHERE tenant_id = %(tenant)s AND run_id = %(run)s AND viewer_id > %(after)s
        AND octet_length(vector) = %(width)s
      ORDER BY viewer_id LIMIT %(most)s) p
"""


def portraits() -> QuerySet[Portrait]:
    """Return the tenant's portraits, newest first."""
    return Portrait.objects.select_related("viewer", "segment").order_by("-pk")


def portrait_of(viewer: Member) -> Portrait | None:
    """Return the viewer's portrait, if there is one."""
    return portraits().filter(viewer=viewer).first()


def vector_of(portrait: Portrait) -> Floats:
    """Return the latent vector (D,) of a portrait."""
    return np.frombuffer(portrait.vector, np.float32)


def fit(viewer: Member, item: Item) -> list[tuple[str, float]]:
    """Return why the item fits the viewer: the terms of p · f by the names of what they have in common."""
    portrait = portrait_of(viewer)
    wish = dict(portrait.interests) if portrait else {}
    return explain(wish, features_of(item.topic.slug if item.topic else None, item.tags))


def segments() -> QuerySet[Segment]:
    """Return the segments as they are now, in the order of their labels."""
    return Segment.objects.filter(retired_at=None).order_by("label")


def centres_by_label() -> Mapping[int, Mapping[str, float]]:
    """Return the centres of the segments as they are now."""
    return dict(segments().values_list("label", "centre"))


def first_unused_label() -> int:
    """Return the label above every one that was ever given."""
    last = Segment.objects.order_by("-label").values_list("label", flat=True).first()
    return (last or 0) + 1


def newest_run() -> PortraitRun | None:
    """Return the last refresh that came to its end."""
    return PortraitRun.objects.exclude(finished_at=None).order_by("-at", "-pk").first()


def propensity_reports() -> QuerySet[PropensityReport]:
    """Return how good the chances were, the newest first."""
    return PropensityReport.objects.select_related("run").order_by("-pk")


def viewers_to_draw() -> Longs:
    """Return the members (U,) of whom a portrait may be drawn, ascending: all who want one and a feed of their own."""
    willing = Member.objects.filter(may_be_drawn("pk")).order_by("pk")
    return np.fromiter(willing.values_list("pk", flat=True).iterator(), np.int64)


def may_be_drawn(viewer: str) -> Q:
    """Return what holds of rows about viewers of whom something may be drawn, the name of their column given.

    They did not refuse that, nor close personalisation, and consent; nor are they nobody. Each is looked up by itself:
    NOT IN of a long list would compare each viewer with each on it.
    """
    theirs = OuterRef(viewer)
    against = (PortraitRefusal.objects.filter(viewer=theirs), PersonalisationRefusal.objects.filter(viewer=theirs))
    return Q(*(~Exists(rows) for rows in (*against, not_consenting().filter(pk=theirs))))


def not_to_draw() -> QuerySet[Member, int]:
    """Return the ids of the members of whom nothing is drawn: to be looked for IN them, never NOT IN."""
    return Member.objects.filter(~may_be_drawn("pk")).order_by().values_list("pk", flat=True)


def refused_at(viewer: Member) -> datetime | None:
    """Return since when the viewer wants no portrait, if they do not."""
    refusal = PortraitRefusal.objects.filter(viewer=viewer).first()
    return refusal.refused_at if refusal else None


@dataclass(frozen=True)
class Freshness:
    """When the portraits were last refreshed, and whether that is too long ago."""

    refreshed_at: datetime | None
    is_stale: bool


def freshness(*, at: datetime) -> Freshness:
    """Tell whether the portraits are older than two refreshes should be apart, while there is something to draw."""
    run = newest_run()
    since = run.at if run else current_tenant().created_at
    overdue = since < at - timedelta(seconds=2 * settings.PORTRAITS_EVERY_S)
    return Freshness(run.at if run else None, overdue and Watch.objects.exists())


def nearest_to(portrait: Portrait, *, most: int) -> list[tuple[Portrait, float]]:
    """Return the viewers whose vectors are nearest to this one's, with the cosines, the nearest first.

    Exact: all vectors of the same refresh are looked at, some at a time.
    """
    own = vector_of(portrait)
    best: list[tuple[float, int]] = []
    for viewers, vectors in _vectors(portrait) if len(own) and own.any() else ():
        places, cosines = nearest(own, vectors, most=most + 1)
        best = sorted([*best, *zip((-cosines).tolist(), viewers[places].tolist(), strict=True)])[: most + 1]
    known = {of.viewer_id: of for of in portraits().filter(viewer__in=[viewer for _, viewer in best])}
    found = [(known[viewer], -far) for far, viewer in best if viewer in known and viewer != portrait.viewer_id]
    return found[:most]


def _vectors(portrait: Portrait) -> Iterator[tuple[Longs, Floats]]:
    """Yield viewers (n,) and their vectors (n, D), of the same refresh and as wide as this one's."""
    asked = {"tenant": current_tenant_id(), "run": portrait.run_id, "most": READ_AT_ONCE}
    width, after = len(portrait.vector), 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(VECTORS, asked | {"after": after, "width": width})
            last, viewers, vectors = cursor.fetchone()
        if last is None:
            return
        yield (
            np.frombuffer(viewers, ">i8").astype(np.int64),
            np.frombuffer(vectors, np.float32).reshape(-1, width // 4),
        )
        after = last
