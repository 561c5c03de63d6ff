"""What viewers said and did about items and creators on a day."""

from django.utils.translation import gettext_lazy as _

from kpplatform.metrics.dictionary import Counting, Metric, Unit
from kpplatform.metrics.queries.watching import OF_ITEM

REACTIONS = Counting(
    metrics=tuple(
        Metric(name, Unit.COUNT, definition, "catalog_reaction")
        for name, definition in (
            ("likes", _("Items that somebody began to like.")),
            ("saves", _("Items that somebody saved.")),
            ("shares", _("Items that somebody shared.")),
            ("unwanted", _("Items of whose like somebody wants to see less.")),
        )
    ),
    sql=f"""SELECT i.creator_id AS creator, e.item_id AS item, '' AS part,
               e.likes, e.saves, e.shares, e.unwanted FROM (
        SELECT r.item_id, count(*) FILTER (WHERE r.kind = 'like') AS likes,
               count(*) FILTER (WHERE r.kind = 'save') AS saves,
               count(*) FILTER (WHERE r.kind = 'share') AS shares,
               count(*) FILTER (WHERE r.kind = 'not_interested') AS unwanted
        FROM catalog_reaction r
        WHERE r.tenant_id = %(tenant)s AND r.reacted_at >= %(begins)s AND r.reacted_at < %(ends)s
        GROUP BY r.item_id) e {OF_ITEM}""",  # noqa: S608  only our own words
)
COMMENTS = Counting(
    metrics=(
        Metric("comments", Unit.COUNT, _("Comments by others than the creator, not deleted since."), "catalog_comment"),
        Metric("replies", Unit.COUNT, _("Comments that the creator wrote under another."), "catalog_comment"),
    ),
    sql="""SELECT i.creator_id AS creator, t.item_id AS item, '' AS part,
               count(*) FILTER (WHERE c.member_id IS DISTINCT FROM t.viewer_id) AS comments,
               count(*) FILTER (WHERE c.member_id = t.viewer_id AND t.parent_id IS NOT NULL) AS replies
        FROM catalog_comment t JOIN catalog_item i ON i.tenant_id = %(tenant)s AND i.id = t.item_id
        JOIN creators_creator c ON c.tenant_id = %(tenant)s AND c.id = i.creator_id
        WHERE t.tenant_id = %(tenant)s AND t.written_at >= %(begins)s AND t.written_at < %(ends)s
              AND t.deleted_at IS NULL GROUP BY 1, 2""",
)
FOLLOWS = Counting(
    metrics=(
        Metric("follows", Unit.COUNT, _("Viewers who began to follow a creator, and still do."), "creators_follow"),
    ),
    sql="""SELECT f.creator_id AS creator, NULL::bigint AS item, '' AS part, count(*) AS follows FROM creators_follow f
        WHERE f.tenant_id = %(tenant)s AND f.followed_at >= %(begins)s AND f.followed_at < %(ends)s GROUP BY 1""",
)
COUNTINGS = (REACTIONS, COMMENTS, FOLLOWS)
