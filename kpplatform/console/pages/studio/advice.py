"""What a creator might make next, and how: each piece of advice with the numbers that speak for it."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Item
from catalog.queries import remarks
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Look, Panel, Shown, Table
from kpplatform.console.pages.studio.wording import about, card_of_course, topic_name, topic_names
from kpplatform.metrics.queries.advising import BestLength, Keyword, Length, best_hour, best_length, keywords, niches
from kpplatform.metrics.queries.courses import scorecards
from kpplatform.metrics.queries.remarking import sentence
from recommender.operations import AudienceTooSmall, PrivacyIsSpent, advise

CHECKED = 20  # newest items
MOST_TITLES = 5_000


def shown(look: Look) -> Shown:
    return Shown(parts=[*_gaps(look), *_lengths(look), _hour(look), _niches(look), _titles(look), _courses(look)])


def _gaps(look: Look) -> list[Panel]:
    """Tell which topics the audience wants more of, as far as the audience may be told of."""
    title = _("What your audience wants more of")
    if look.by is None or look.creator is None:
        return []
    try:
        found = advise(creator=look.creator, by=look.by, at=look.at)
    except AudienceTooSmall:
        return [Panel(title, told=_("So few watched that nobody is told apart from the others."))]
    except PrivacyIsSpent:
        return [Panel(title, told=_("What may be told of your audience this month has been told."))]
    if not found.advice:
        return [Panel(title, told=_("There is enough of everything that your audience likes."))]
    names = topic_names([one.topic for one in found.advice])
    return [
        Panel(
            _("Make something about %(topic)s") % {"topic": names[one.topic]},
            [
                Card(_("Viewers who like it best"), words.count(one.viewers)),
                Card(_("Of your audience"), f"{one.demand:.0%}"),
                Card(_("Of what is on show"), f"{one.supply:.0%}"),
                Card(_("Yours about it"), words.count(one.own)),
            ],
            told=_("Your audience of %(viewers)s likes it more than there is of it.") % {"viewers": found.audience},
        )
        for one in found.advice
    ]


def _lengths(look: Look) -> list[Panel]:
    assert look.creator, "A studio is of a creator."
    found = best_length(look.creator, look.span, at=look.at)
    return [_length(found), *_keywords(keywords(look.creator, found.topic, at=look.at))]


def _keywords(found: list[Keyword]) -> list[Panel]:
    if not found:
        return []
    facts = [Card(of.tag, _("%(items)s of %(of)s") % {"items": of.items, "of": of.of}) for of in found]
    told = _(
        "Others' newest items about your topic say these, none of yours does. Where one fits, put it in the title."
    )
    return [Panel(_("Keywords"), facts, told=told)]


def _length(found: BestLength) -> Panel:
    title = _("How long")
    if found.best is None:
        return Panel(title, told=_("Too little of your topic was played to compare lengths."))
    facts = [Card(_range(length), f"{length.completion:.0%}") for length in found.lengths]
    return Panel(title, facts, told=_best(found))


def _best(found: BestLength) -> str:
    """Tell shares alone: the plays are everybody's, and how often is the tenant's to know."""
    assert found.best
    topic = topic_name(found.topic) if found.topic else _("what has no topic")
    said = {"topic": topic} | _told(found.best)
    text = _("About %(topic)s, %(length)s is watched to the end most often: %(share)s of all its plays here.") % said
    if found.usual and found.usual != found.best:
        usual = _("Most of your plays are of %(length)s; here %(share)s of all its plays go to the end.")
        text += " " + usual % _told(found.usual)
    return text


def _told(length: Length) -> dict[str, str]:
    return {"length": _range(length), "share": f"{length.completion:.0%}"}


def _range(length: Length) -> str:
    if length.ends_s is None:
        return _("%(begins)s s and longer") % {"begins": length.begins_s}
    return _("%(begins)s–%(ends)s s") % {"begins": length.begins_s, "ends": length.ends_s}


def _hour(look: Look) -> Panel:
    assert look.creator, "A studio is of a creator."
    found = best_hour(look.creator, look.span)
    title = _("When to publish")
    if found is None:
        return Panel(title, told=_("Too little was played to tell the hours apart."))
    said = {"hour": f"{found.hour}:00", "share": f"{found.plays / found.of:.0%}", "plays": words.count(found.of)}
    if not found.is_own:  # how often is the tenant's to know
        text = (
            _("Publish before %(hour)s: here most is played in the hour from then on, %(share)s of all plays.") % said
        )
        return Panel(title, told=text)
    text = _("Publish before %(hour)s: your plays are most in the hour from then on, %(share)s of %(plays)s.") % said
    return Panel(title, [Card(_("Plays in that hour"), words.count(found.plays), metric="plays_by_hour")], told=text)


def _niches(look: Look) -> Table:
    assert look.creator, "A studio is of a creator."
    rows = [
        [
            topic_name(niche.topic),
            f"{niche.demand:.1%}",
            f"{niche.supply:.1%}",
            f"{100 * niche.gap:+.1f}",
            words.count(niche.creators),
            words.count(niche.own),
        ]
        for niche in niches(look.creator, look.span, at=look.at)
    ]
    return Table(
        _("Where there is room: topics that are played more than there is of them"),
        [_("topic"), _("of all plays"), _("of all items"), _("gap in points"), _("creators"), _("yours")],
        rows,
        gettext_lazy("No topic is played more than there is of it."),
        is_wide=True,
    )


def _titles(look: Look) -> Table:
    own = Item.objects.filter(creator=look.creator).exclude(state=Item.State.WITHDRAWN).order_by("-pk")
    newest = list(own.select_related("topic")[:CHECKED])
    found = remarks(newest, own_titles=own.values_list("title", flat=True)[:MOST_TITLES])
    rows = [[about(look, item), " ".join(map(sentence, found[item.pk]))] for item in newest if found[item.pk]]
    return Table(
        _("Titles, descriptions and tags of your newest"),
        [_("title"), _("what could be better")],
        rows,
        gettext_lazy("Nothing could be said better."),
        is_wide=True,
    )


def _courses(look: Look) -> Table:
    assert look.creator, "A studio is of a creator."
    return Table(
        _("Your courses"),
        [_("title"), _("quality"), _("usefulness"), _("timeliness"), _("demand for the topic")],
        [card_of_course(look, card) for card in scorecards(look.creator, look.span, at=look.at)],
        gettext_lazy("You have no course yet."),
        is_wide=True,
    )
