"""How good videos are, before they are published and afterwards: the score, its parts, and what to do about each."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import LIVE_STATES, Item
from kpplatform.console.pages.shapes import Look, Table
from kpplatform.console.pages.studio.wording import about
from kpplatform.metrics.queries.quality import Part, Quality, qualities, quality

NEWEST = 20
NAMES: dict[str, Promise] = {
    "title": gettext_lazy("title"),
    "description": gettext_lazy("description"),
    "tags": gettext_lazy("topic and tags"),
    "captions": gettext_lazy("captions"),
    "picture": gettext_lazy("picture"),
    "loudness": gettext_lazy("loudness"),
    "originality": gettext_lazy("originality"),
    "length": gettext_lazy("length"),
    "completion": gettext_lazy("watched to the end"),
}


def unpublished(look: Look) -> Table:
    """Tell how good the newest videos are that nobody else sees yet, and what would help each most."""
    drafts = Item.objects.filter(creator=look.creator, kind=Item.Kind.VIDEO).exclude(
        state__in=LIVE_STATES, published_at__lte=look.at
    )
    newest = list(drafts.select_related("topic").order_by("-pk")[:NEWEST])
    found = qualities(newest, at=look.at)
    return Table(
        _("Before you publish: how good your newest videos are"),
        [_("title"), _("quality of 100"), _("what is known of it"), _("what would help most")],
        [[about(look, item), *_row(found[item.pk])] for item in newest],
        gettext_lazy("There is no video of yours that is not published."),
        is_wide=True,
    )


def _row(of: Quality) -> list[str]:
    lost = [part for part in of.parts if part.share is not None and part.todo]
    worst = max(lost, key=lambda part: part.weight * (1 - (part.share or 0.0)), default=None)
    return [str(of.score), f"{of.known:.0%}", f"{worst.reason} {worst.todo}" if worst else ""]


def parts(look: Look, item: Item) -> Table:
    """Tell of which parts a video's quality is made."""
    of = quality(item, at=look.at)
    said = {"score": of.score, "known": f"{of.known:.0%}"}
    return Table(
        _("Quality: %(score)s of 100, by the %(known)s of it that is known") % said,
        [_("part"), _("points"), _("why"), _("what to do")],
        [[NAMES[part.name], _points(part), part.reason, part.todo] for part in of.parts],
        "",
        is_wide=True,
    )


def _points(part: Part) -> str:
    return _("not known") if part.points is None else f"{part.points:.1f} / {part.weight}"
