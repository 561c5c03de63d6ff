"""Who waits for a creator's answer."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Comment
from catalog.queries import unanswered
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Look, Panel, Shown, Table
from kpplatform.console.pages.studio import links
from kpplatform.metrics.queries import totals

WAITING_DAYS = 90  # what is older is not asked for
A_PAGE = 20
SHORT = 160  # characters of a comment


def shown(look: Look) -> Shown:
    assert look.creator, "A studio is of a creator."
    since = look.at - timedelta(days=WAITING_DAYS)
    found = list(unanswered(look.creator, since=since, before=_before(look))[: A_PAGE + 1])
    return Shown(cards=_cards(look), parts=[_table(look, found[:A_PAGE]), *_older(look, found), _rate(look)])


def _before(look: Look) -> Comment | None:
    """Return the comment behind which the page begins, if it is one under the creator's items."""
    return Comment.objects.filter(item__creator=look.creator, pk=look.id_of("before")).first()


def _cards(look: Look) -> list[Card]:
    now, before = (totals(["comments", "replies"], of) for of in (look.span, look.span.before()))
    titles = {"comments": _("Comments"), "replies": _("Your replies")}
    return [
        words.card_of_ratio(look, "reply_rate", _("Reply rate")),
        *(
            Card(title, words.count(now[name]), words.change(now[name], before[name]), metric=name)
            for name, title in titles.items()
        ),
    ]


def _table(look: Look, found: list[Comment]) -> Table:
    return Table(
        _("Without your answer, the newest first"),
        [_("written"), _("who"), _("under"), _("comment"), ""],
        [_row(look, comment) for comment in found],
        gettext_lazy("Nobody waits for an answer."),
        is_wide=True,
    )


def _row(look: Look, comment: Comment) -> list[object]:
    body = comment.body if len(comment.body) <= SHORT else f"{comment.body[:SHORT]}…"
    return [
        date_format(timezone.localtime(comment.written_at), "SHORT_DATETIME_FORMAT"),
        str(comment.viewer),
        words.link(links.to(look, "studio-videos", item=comment.item_id), comment.item.title),
        body,
        words.link(f"{reverse('admin:catalog_comment_changelist')}?id__exact={comment.pk}", _("Reply")),
    ]


def _older(look: Look, found: list[Comment]) -> list[Panel]:
    if len(found) <= A_PAGE:
        return []
    href = links.to(look, "studio-comments", before=found[A_PAGE - 1].pk)
    return [Panel(_("There are more"), href=href, more=_("Older comments"))]


def _rate(look: Look) -> Chart:
    lines = words.lines(look, {"comments": _("comments"), "replies": _("replies")})
    return Chart(
        _("Comments and replies"),
        look.labels,
        lines,
        kind="bar",
        metrics=["comments", "replies"],
        when_empty=gettext_lazy("Nobody wrote anything."),
    )
