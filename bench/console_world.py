"""A tenant whose days were counted, one day of real events, and other tenants beside it: written by SQL."""

from datetime import date, datetime
from typing import Any

HOST = "bench.localhost"
CREATORS, BUYERS = 1_000, 1_000
# Nothing is looked up while millions of rows are written that are known to fit.
KEYS = """
    SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
    WHERE contype = 'f' AND conrelid IN (
        'catalog_watch'::regclass, 'recommender_impression'::regclass, 'metrics_dailyfigure'::regclass,
        'billing_order'::regclass, 'billing_orderline'::regclass, 'billing_payment'::regclass,
        'billing_account'::regclass, 'billing_journal'::regclass, 'billing_transfer'::regclass)"""
PEOPLE = """
    INSERT INTO tenancy_member (tenant_id, role, name, language)
        SELECT %(tenant)s, 'viewer', 'Viewer ' || n, '' FROM generate_series(1, %(viewers)s) n;
    INSERT INTO creators_creator (tenant_id, handle, name, bio, links, followers)
        SELECT %(tenant)s, 'creator-' || n, 'Creator ' || n, '', '[]', 0 FROM generate_series(1, %(creators)s) n;
    INSERT INTO catalog_topic (tenant_id, slug, name_zh, name_en)
        SELECT %(tenant)s, 'topic-' || n, '题' || n, 'Topic ' || n FROM generate_series(1, 50) n;
    INSERT INTO catalog_item (tenant_id, kind, creator_id, topic_id, title, description, tags, language, duration_ms,
                              state, published_at, is_free, likes, saves, shares, comments, updated_at)
        SELECT %(tenant)s, 'video', c.id, t.id, 'Lesson ' || n, '', '{}', 'en', 30000, 'published',
               now() - interval '200 days', true, 0, 0, 0, 0, now()
        FROM generate_series(1, %(items)s) n
        JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS at FROM creators_creator) c
             ON c.at = n %% %(creators)s
        JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS at FROM catalog_topic) t ON t.at = n %% 50"""
# What each level has of each day: (metric, part, how much of the day's watches).
OF_ITEMS = """('impressions', 'model', 3.0), ('impressions', 'popular', 1.0), ('impressions', 'explored', 0.5),
    ('impressions', 'followed', 0.5), ('impressions_known', 'model', 4.0), ('plays', 'feed', 0.8),
    ('plays', 'search', 0.2), ('watch_ms', 'feed', 12000), ('watch_ms', 'search', 3000), ('finished', 'feed', 0.3),
    ('viewers', '', 0.5), ('stops', '3', 0.3), ('stops', '10', 0.3), ('stops', '20', 0.4)"""
OF_SALES = """('sales', 'item:CNY', 90), ('sales', 'tip:CNY', 10), ('refunds', 'item:CNY', 2),
    ('purchases', 'feed', 0.01), ('checkouts', 'feed', 0.02), ('product_visits', 'feed', 0.1),
    ('profile_visits', 'feed', 0.1),
    ('buyers', '', 0.01),
    ('creator_income', 'sale:item:CNY', 70), ('creator_income', 'tip:CNY', 8)"""
OF_TENANT = """('platform_fees', 'CNY', 15), ('items_shown', '', 0.05), ('items_on_show', '', 0.09),
    ('explored', '', 0.5),
    ('new_creators', '', 0.2), ('small_creators', '', 0.9), ('exposure_gini', '', 5), ('topics_a_page', '', 40),
    ('topic_bits', '', 30), ('kept_out', 'bot', 0.02), ('received', 'minute', 0.9), ('received', 'later', 0.1),
    ('retained', '0', 0.01), ('retained', '1', 0.1), ('retained', '30', 0.1), ('came_back', 'new', 0.01),
    ('came_back', '1', 0.4), ('plays_by_device', 'phone', 0.8), ('plays_by_device', 'unknown', 0.2),
    ('ads_offered', 'auction', 0.3), ('ads_seen', 'auction', 0.2), ('ads_clicked', 'auction', 0.01),
    ('ad_spend', 'auction:CNY', 900000)"""
DAYS = "generate_series(%(until)s::date - (%(days)s - 1), %(until)s::date, interval '1 day') d (day)"
FIGURES = f"""
    INSERT INTO metrics_dailyfigure (tenant_id, day, metric, creator_id, item_id, part, value)
        SELECT %(tenant)s, d.day, m.metric, i.creator_id, i.id, m.part, ceil(m.many * %(daily)s / %(items)s)
        FROM {DAYS} CROSS JOIN (VALUES {OF_ITEMS}) m (metric, part, many) CROSS JOIN catalog_item i;
    INSERT INTO metrics_dailyfigure (tenant_id, day, metric, creator_id, part, value)
        SELECT %(tenant)s, d.day, m.metric, c.id, m.part, ceil(m.many * %(daily)s / %(creators)s)
        FROM {DAYS} CROSS JOIN (VALUES {OF_ITEMS}, {OF_SALES}) m (metric, part, many) CROSS JOIN creators_creator c;
    INSERT INTO metrics_dailyfigure (tenant_id, day, metric, part, value)
        SELECT %(tenant)s, d.day, m.metric, m.part, ceil(m.many * %(daily)s)
        FROM {DAYS} CROSS JOIN (VALUES {OF_ITEMS}, {OF_SALES}, {OF_TENANT}) m (metric, part, many);
    INSERT INTO metrics_dailyfigure (tenant_id, day, metric, part, value)
        SELECT %(tenant)s, d.day, 'plays_by_hour', h, %(daily)s / 24 FROM {DAYS} CROSS JOIN generate_series(0, 23) h;
    INSERT INTO metrics_countedday (tenant_id, day, counted_at) SELECT %(tenant)s, d.day, now() FROM {DAYS}"""
# A tenth of the watches begin at ten percent of the items; every viewer comes.
EVENTS = """
    INSERT INTO catalog_watch (tenant_id, event_id, viewer_id, item_id, started_at, received_at, watch_ms, duration_ms,
                               source, session, quarantine, device)
        SELECT %(tenant)s, gen_random_uuid(), %(viewer)s + n %% %(viewers)s,
               %(item)s + floor(%(items)s * power(random(), 2))::bigint, at, at + interval '30 seconds',
               30000 * random(), 30000, CASE WHEN n %% 5 = 0 THEN 'search' ELSE 'feed' END, '',
               CASE WHEN n %% 50 = 0 THEN 'bot' ELSE '' END, n %% 5
        FROM (SELECT n, %(begins)s + random() * interval '23 hours' AS at FROM generate_series(1, %(watches)s) n) w;
    INSERT INTO recommender_impression (tenant_id, viewer_id, item_id, page, position, propensity, source, shown_at)
        SELECT %(tenant)s, %(viewer)s + n %% %(viewers)s, %(item)s + floor(%(items)s * power(random(), 2))::bigint,
               md5((n / 10)::text)::uuid, n %% 10, 1, CASE WHEN n %% 9 = 0 THEN 'explored' ELSE 'model' END,
               %(begins)s + n * (interval '23 hours' / %(impressions)s)
        FROM generate_series(1, %(impressions)s) n;
    INSERT INTO billing_order (tenant_id, viewer_id, key, state, amount, currency, placed_at, paid_at)
        SELECT %(tenant)s, %(viewer)s + n %% %(viewers)s, n, 'paid', 9000, 'CNY', at, at FROM (
            SELECT n, %(begins)s + n * (interval '23 hours' / %(orders)s) AS at FROM generate_series(1, %(orders)s) n
        ) o;
    INSERT INTO billing_orderline (tenant_id, order_id, kind, item_id, creator_id, amount, tax, processor, platform,
                                   share, refunded)
        SELECT %(tenant)s, o.id, 'item', i.id, i.creator_id, 9000, 0, 0, 1000, 8000, 0
        FROM billing_order o JOIN catalog_item i ON i.id = %(item)s + o.key::int %% %(items)s;
    INSERT INTO billing_journal (tenant_id, kind, key, seq, at, digest, link)
        SELECT %(tenant)s, 'sale', 'sale:' || o.key, o.key::int, o.paid_at, sha256('x'), sha256('x')
        FROM billing_order o;
    INSERT INTO billing_payment (tenant_id, order_id, provider, key, reference, checkout_url, state, amount, currency,
                                 created_at, captured_at, journal_id)
        SELECT %(tenant)s, o.id, 'sandbox', o.key, o.key, '', 'captured', 9000, 'CNY', o.paid_at, o.paid_at, j.id
        FROM billing_order o JOIN billing_journal j ON j.seq = o.key::int;
    INSERT INTO billing_account (tenant_id, name, kind, currency, creator_id, floor, debits, credits)
        SELECT %(tenant)s, 'pending/CNY/creator/' || creator_id, 'pending', 'CNY', creator_id, 0, 0, count(*) * 8000
        FROM billing_orderline GROUP BY creator_id;
    INSERT INTO billing_account (tenant_id, name, kind, currency, debits, credits)
        VALUES (%(tenant)s, 'clearing/CNY', 'clearing', 'CNY', 9000 * %(orders)s::bigint, 0),
               (%(tenant)s, 'fees/CNY', 'fees', 'CNY', 0, 1000 * %(orders)s::bigint);
    INSERT INTO billing_transfer (tenant_id, journal_id, debit_id, credit_id, currency, amount, digest)
        SELECT %(tenant)s, p.journal_id, d.id, c.id, 'CNY', CASE c.kind WHEN 'fees' THEN 1000 ELSE 8000 END, sha256('x')
        FROM billing_payment p JOIN billing_orderline l ON l.order_id = p.order_id
        JOIN billing_account d ON d.kind = 'clearing'
        JOIN billing_account c ON c.creator_id = l.creator_id OR c.kind = 'fees'"""
TENANTS = """
    INSERT INTO tenancy_tenant (slug, name, language, currency, time_zone, settings)
        SELECT 'other-' || n, 'Other ' || n, 'en', 'CNY', 'UTC', '{}' FROM generate_series(1, %(tenants)s) n"""
OF_OTHERS = f"""
    INSERT INTO metrics_dailyfigure (tenant_id, day, metric, part, value)
        SELECT %(tenant)s, d.day, m.metric, m.part, ceil(m.many * 1000)
        FROM {DAYS} CROSS JOIN (VALUES ('plays', 'feed', 0.8), ('plays', 'search', 0.2), ('viewers', '', 0.5),
             ('sales', 'item:CNY', 90), ('platform_fees', 'CNY', 15), ('creator_income', 'sale:item:CNY', 70)
        ) m (metric, part, many)"""


def seed(*, viewers: int, items: int, days: int, daily: int, until: date) -> int:
    """Make the tenant with its people, items and counted days, and return its id."""
    from kpplatform.tenancy.operations import create_tenant  # noqa: PLC0415

    tenant = create_tenant(slug="bench", name="Bench", hosts=[HOST])
    asked = {"viewers": viewers, "creators": CREATORS, "items": items, "days": days, "daily": daily, "until": until}
    write(tenant.pk, KEYS, PEOPLE, FIGURES, asked=asked)
    return tenant.pk


def happen(tenant: int, *, watches: int, impressions: int, orders: int, begins: datetime) -> None:
    """Write down a day's events."""
    from catalog.models import Item  # noqa: PLC0415
    from kpplatform.tenancy.models import Member, Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    with scope(Tenant.objects.get(pk=tenant)):
        viewers = Member.objects.filter(role=Member.Role.VIEWER).order_by("pk")
        first, item, many, items = (
            viewers[0].pk,
            Item.objects.order_by("pk")[0].pk,
            viewers.count(),
            Item.objects.count(),
        )
    asked: dict[str, Any] = {"viewer": first, "viewers": many, "item": item, "items": items, "begins": begins}
    write(tenant, EVENTS, asked=asked | {"watches": watches, "impressions": impressions, "orders": orders})


def surround(*, tenants: int, days: int, until: date) -> None:
    """Put other tenants with counted days beside it."""
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415

    first = Tenant.objects.order_by("-pk")[0].pk
    write(first, TENANTS, asked={"tenants": tenants})
    for tenant in Tenant.objects.filter(pk__gt=first).values_list("pk", flat=True):
        write(tenant, OF_OTHERS, asked={"days": days, "until": until})


def write(tenant: int, *texts: str, asked: dict[str, Any]) -> None:
    """Run statements as the owner, inside the tenant's scope; what KEYS returns is run as well."""
    from django.db import connections, transaction  # noqa: PLC0415

    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('kp.tenant', %s, true)", [str(tenant)])
        for text in texts:
            if text == KEYS:
                cursor.execute(KEYS)
                for (drop,) in cursor.fetchall():
                    cursor.execute(drop)
                continue
            for statement in text.split(";\n"):
                cursor.execute(statement, asked | {"tenant": tenant})


def settle_down() -> None:
    """Do what autovacuum does within some minutes: tell the planner what is there, and the indexes what is visible."""
    from django.db import connections  # noqa: PLC0415

    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
