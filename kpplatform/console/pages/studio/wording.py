"""Topics, items and the scorecards of courses, in words."""

from collections.abc import Sequence

from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from catalog.models import Item, Topic
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Look
from kpplatform.console.pages.studio import links
from kpplatform.metrics.queries.courses import Scorecard


def topic_name(topic: Topic) -> str:
    """Return a topic's name in the language of whoever reads."""
    return topic.name_zh if (get_language() or "").startswith("zh") else topic.name_en


def topic_names(slugs: Sequence[str]) -> dict[str, str]:
    """Return the names of topics by their slugs; what is no topic's keeps its own."""
    named = {topic.slug: topic_name(topic) for topic in Topic.objects.filter(slug__in=slugs)}
    return {slug: named.get(slug, slug) for slug in slugs}


def about(look: Look, item: Item) -> SafeString:
    """Return an item's title, which leads to what became of it."""
    return words.link(links.to(look, "studio-videos", item=item.pk), item.title)


def card_of_course(look: Look, card: Scorecard) -> list[str]:
    """Return a row about a course: each of the three from 0 to 100, with what it was told by."""
    quality = [
        (card.finished, _("finished %(share)s")),
        (card.praise, _("praise %(share)s")),
    ]
    useful = [
        (card.saved, _("saved and shared %(share)s")),
        (card.kept, _("kept by buyers %(share)s")),
    ]
    demand = "–" if card.demand is None else f"{card.demand - 1:+.0%}"
    return [
        about(look, card.course),
        _with(card.quality, quality),
        _with(card.usefulness, useful),
        f"{100 * card.timeliness:.0f}",
        demand,
    ]


def _with(whole: float | None, parts: list[tuple[float | None, str]]) -> str:
    if whole is None:
        return "–"
    told = ", ".join(text % {"share": f"{share:.0%}"} for share, text in parts if share is not None)
    return f"{100 * whole:.0f} ({told})"
