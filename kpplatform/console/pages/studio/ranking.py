"""What moves a creator's items in the feed: what it looks at, with the creator's value and the tenant's median.

Nothing stands here that tests/kpplatform/test_ranking_factors.py does not see move an item.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.queries import tenants_time
from catalog.models import LIVE_STATES, Item, Ruling
from catalog.queries import rulings_of
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Look, Panel, Shown, Table
from kpplatform.console.pages.studio import links
from kpplatform.console.pages.studio.brand import amount, medians
from kpplatform.metrics.models import DailyFigure
from kpplatform.metrics.queries import Span, by_part
from recommender.models import AlikePair
from recommender.queries import feed_settings
from recommender.queries.on_show import FRESH_FOR, TRIALS

LATEST = 50


@dataclass(frozen=True)
class Factor:
    """Something that the feed looks at: which part of `standing` tells it, what moves it, and what it moves."""

    part: str
    name: Promise
    used: Promise


FACTORS = (
    Factor(
        "reach",
        gettext_lazy("viewers"),
        gettext_lazy("What most viewers watched in seven days comes first among the popular."),
    ),
    Factor(
        "completion",
        gettext_lazy("watched to the end"),
        gettext_lazy("Where a ranker is in place, it puts what is watched longer further up."),
    ),
    Factor(
        "engagement",
        gettext_lazy("interaction"),
        gettext_lazy("Among the popular with as many viewers, more likes, saves and shares come first."),
    ),
    Factor(
        "followers",
        gettext_lazy("followers"),
        gettext_lazy("Followers are offered what you published last."),
    ),
    Factor(
        "told",
        gettext_lazy("items with topic and tags"),
        gettext_lazy("Who chose a topic is offered what has it; who muted a word is not shown what says it."),
    ),
    Factor(
        "unwanted",
        gettext_lazy("not interested, by plays"),
        gettext_lazy("Who did not want an item is not shown it again, and its like falls for them."),
    ),
)


def shown(look: Look) -> Shown:
    return Shown(parts=[_factors(look), _chances(look), _rules(look), _rulings(look)])


def _factors(look: Look) -> Table:
    days = DailyFigure.objects.filter(creator=look.creator, item=None, metric="standing", day__lte=look.until)
    last = days.filter(day__gte=look.since).order_by("-day").values_list("day", flat=True).first()
    own = by_part("standing", Span(last, last, look.creator)) if last else {}
    usual = medians(last, [factor.part for factor in FACTORS]) if last else {}
    rows = [
        [
            factor.name,
            amount(factor.part, own.get(factor.part, 0)),
            usual[factor.part],
            factor.used,
        ]
        for factor in FACTORS
        if last
    ]
    headers = [_("factor"), _("yours"), _("median"), _("what it moves")]
    none = gettext_lazy("Nothing of yours is on show yet.")
    return Table(_("What the feed looks at"), headers, rows, none, is_wide=True)


def _live(look: Look) -> Any:
    return Item.objects.filter(creator=look.creator, state__in=LIVE_STATES, published_at__lte=look.at)


def _chances(look: Look) -> Panel:
    """Tell what is given to small creators and to what is new, and who of the creator's items have it."""
    assert look.creator, "A studio is of a creator."
    small = feed_settings().small_followers
    new = _live(look).filter(is_free=True, published_at__gt=look.at - FRESH_FOR).count()
    told = _(
        "What is free and new is shown %(trials)s times in its first seven days, whatever is known of it. "
        "Creators with fewer than %(small)s followers have a part of all places."
    ) % {"trials": TRIALS, "small": small}
    facts = [
        Card(_("Yours that are new"), words.count(new)),
        Card(_("You count as small"), _("yes") if look.creator.followers < small else _("no")),
    ]
    return Panel(_("What you are given anyway"), facts, told=told)


def _rules(look: Look) -> Panel:
    """Tell what keeps the creator's items down: what was taken off show, what is for buyers, what says the same."""
    counts = Item.objects.filter(creator=look.creator).aggregate(
        withdrawn=Count("pk", filter=Q(state=Item.State.WITHDRAWN)),
        paid=Count("pk", filter=Q(state__in=LIVE_STATES, is_free=False)),
    )
    alike = AlikePair.objects.filter(item__creator=look.creator, other__creator=look.creator).count()
    facts = [
        Card(_("Withdrawn"), words.count(counts["withdrawn"]), is_alarming=counts["withdrawn"] > 0),
        Card(_("Only for buyers"), words.count(counts["paid"])),
        Card(_("Pairs that say the same"), words.count(alike), is_alarming=alike > 0),
    ]
    told = _(
        "What is withdrawn is shown to nobody; what is not free, to those who have access. Of items that say the same "
        "the second comes last on a page. Your own plays and those of robots are not counted as viewers."
    )
    href = links.to(look, "studio-advice")
    return Panel(_("What keeps items down"), facts, told=told, href=href, more=_("What could be better about them"))


def _rulings(look: Look) -> Table:
    """Tell which of the creator's items break a rule, what that does, and how it stands with an appeal."""
    assert look.creator, "A studio is of a creator."
    rows = [
        [
            words.link(reverse("admin:catalog_ruling_changelist", query={"q": of.pk}), str(of.pk)),
            of.item.title,
            _(of.get_rule_display()),
            _(of.get_effect_display()),
            date_format(tenants_time(of.ruled_at), "SHORT_DATE_FORMAT"),
            _stands(of),
        ]
        for of in rulings_of(look.creator)[:LATEST]
    ]
    return Table(
        _("What was found to break a rule: to appeal, follow its number, write why and choose Appeal"),
        [_("ruling"), _("title"), _("rule"), _("effect"), _("since"), _("how it stands")],
        rows,
        gettext_lazy("Nothing of yours was found to break a rule."),
        is_wide=True,
    )


def _stands(of: Ruling) -> str:
    appeal = next(iter(of.appeals.all()), None)
    if appeal and appeal.is_upheld is False:
        return _("stands: the appeal was rejected") + f" {appeal.answer}"
    if of.lifted_at:
        return _("lifted")
    return _("the appeal waits for an answer") if appeal else _("stands")
