"""A tenant with many items, viewers who watched some, and a published model: written straight into the tables."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

HOST = "bench.localhost"
SIGNED_IN = 2_000  # viewers with a key
GROUPS = 50  # of items that are liked by the same viewers
CREATORS = 2_000
UNKNOWN = 2_000  # of the newest items, to the model of a version that has a cold start
MADE = """
INSERT INTO tenancy_user (password, email, is_superuser, is_active, is_operator)
    SELECT '', n || '@example.com', false, true, false FROM generate_series(1, %(signed_in)s) n;
INSERT INTO tenancy_member (tenant_id, user_id, role, name, language)
    SELECT %(tenant)s, id, 'viewer', email, '' FROM tenancy_user;
INSERT INTO tenancy_member (tenant_id, role, name, language)
    SELECT %(tenant)s, 'viewer', 'Viewer ' || n, '' FROM generate_series(1, %(viewers)s - %(signed_in)s) n;
INSERT INTO creators_creator (tenant_id, handle, name, bio, links, followers)
    SELECT %(tenant)s, 'creator-' || n, 'Creator ' || n, '', '[]', 0 FROM generate_series(1, %(creators)s) n;
INSERT INTO catalog_topic (tenant_id, slug, name_zh, name_en)
    SELECT %(tenant)s, 'topic-' || n, '题' || n, 'Topic ' || n FROM generate_series(1, %(groups)s) n;
INSERT INTO catalog_item (tenant_id, kind, creator_id, topic_id, title, description, tags, language, duration_ms, state,
                          published_at, is_free, likes, saves, shares, comments, updated_at)
    SELECT %(tenant)s, 'video', c.id, t.id, 'How to play the piano, part 第' || n || '课', '', '{}', 'en', 30000,
           'published', now() - interval '40 days' * (n::float8 / %(items)s), true, 0, 0, 0, 0, now()
    FROM generate_series(1, %(items)s) n
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS at FROM creators_creator) c ON c.at = n %% %(creators)s
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS at FROM catalog_topic) t ON t.at = n %% %(groups)s;
INSERT INTO catalog_watch (tenant_id, event_id, viewer_id, item_id, started_at, received_at, watch_ms, duration_ms,
                           source, session, quarantine)
    SELECT %(tenant)s, gen_random_uuid(), m.id, %(first_item)s + (m.id %% %(groups)s) + %(groups)s
               * floor(random() * (%(items)s / %(groups)s))::bigint,
           now() - interval '30 days' * random(), now(), 30000 * random(), 30000, 'feed', '', ''
    FROM generate_series(1, %(watches)s), (SELECT id FROM tenancy_member ORDER BY random()) m
"""


def seed(*, items: int, viewers: int, watches: int, factors: int, ranker: str = "") -> list[str]:
    """Fill the tables and publish a model; return the keys of some viewers.

    With the kind of a ranker the version has one, and a cold start for the newest items, which the model does not know.
    """
    from django.db import connections  # noqa: PLC0415

    from kpplatform.tenancy.models import Member  # noqa: PLC0415
    from kpplatform.tenancy.operations import create_tenant, issue_token  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    tenant = create_tenant(slug="bench", name="Bench", hosts=[HOST])
    sizes = {"items": items, "viewers": viewers, "watches": watches, "groups": GROUPS, "creators": CREATORS}
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('kp.tenant', %s, false)", [str(tenant.pk)])
        asked = sizes | {"tenant": tenant.pk, "signed_in": SIGNED_IN, "first_item": 1}
        for statement in MADE.split(";\n"):
            cursor.execute(statement, asked)
        cursor.execute("VACUUM ANALYZE")
    with scope(tenant):
        _publish(items=items, factors=factors, ranker=ranker)
        now = datetime.now(UTC)
        members = Member.objects.exclude(user=None).order_by("pk")
        return [issue_token(member=member, name="bench", scopes=["read", "write"], at=now)[1] for member in members]


def impressions() -> int:
    """Return how many places have been written down."""
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415
    from recommender.models import Impression  # noqa: PLC0415

    with scope(Tenant.objects.get()):
        return Impression.objects.count()


def _publish(*, items: int, factors: int, ranker: str) -> None:
    """Publish a model in which the items of a group point the same way, more or less."""
    from bench.feed_parts import cold_start, ranking  # noqa: PLC0415
    from catalog.models import Item  # noqa: PLC0415
    from recommender.ml.factors import Factors  # noqa: PLC0415
    from recommender.serving.bundle import COLD, RANKER, retrieval  # noqa: PLC0415

    ids = np.array(Item.objects.order_by("pk").values_list("pk", flat=True))
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(GROUPS, factors))
    ids = ids[:-UNKNOWN] if ranker else ids
    vectors = (directions[ids % GROUPS] + rng.normal(size=(len(ids), factors))).astype(np.float32) / factors**0.5
    model = Factors(
        name="planted",
        fold="implicit",
        numbers={"alpha": 10.0, "others": items, "mean": items + 250, "reg": 80.0, "power": 0.5},
        viewer_ids=np.zeros(0, np.int64),
        item_ids=ids,
        viewer_vectors=np.zeros((0, factors), np.float32),
        item_vectors=vectors,
        item_bias=np.zeros(len(ids), np.float32),
        gram=vectors.T @ vectors,
    )
    beside = {COLD: cold_start(model, rng), RANKER: ranking(ranker, ids, rng)} if ranker else {}
    publish({retrieval(model.name): model, **beside})


def publish_again() -> int:
    """Publish the parts of the published version once more, in a folder of their own; return the new version."""
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.places import tenant_folder  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415
    from recommender.queries import published_version  # noqa: PLC0415
    from recommender.serving.artefacts import load  # noqa: PLC0415

    tenant = Tenant.objects.get()
    with scope(tenant):
        before = published_version()
        if before is None:
            raise RuntimeError("Nothing is published.")
        bundle = load(tenant_folder("models", before.folder), before.sha256, tenant_id=tenant.pk)
        return publish(bundle.parts)


def publish(parts: Mapping[str, Any]) -> int:
    """Store the parts as a version and publish it."""
    from kpplatform.tenancy.places import tenant_folder  # noqa: PLC0415
    from kpplatform.tenancy.scope import current_tenant_id  # noqa: PLC0415
    from recommender.operations import Trained, publish_version  # noqa: PLC0415
    from recommender.queries import published_version  # noqa: PLC0415
    from recommender.serving.artefacts import store  # noqa: PLC0415

    folder, at = uuid.uuid4().hex, datetime.now(UTC)
    sealed = store(parts, tenant_folder("models", folder), tenant_id=current_tenant_id())
    trained = Trained(events=0, data="", learned_until=at, at=at, over=published_version())
    return publish_version(
        trained=trained, kind="planted", reason="planted", metrics={}, folder=folder, sha256=sealed
    ).pk
