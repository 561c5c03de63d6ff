"""Who a creator's viewers are: counts of many, never one of them."""

from collections.abc import Mapping
from contextlib import suppress

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from creators.models import Creator
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Panel, Shown
from kpplatform.console.pages.studio.wording import topic_names
from kpplatform.metrics.queries import by_part, totals
from kpplatform.tenancy.models import Member
from recommender.ml.portraits.audiences import WINDOWS
from recommender.operations import AudienceTooSmall, PrivacyIsSpent, Told, tell_audience
from recommender.queries import segments

NOBODY = gettext_lazy("Nobody watched these days.")
TOO_FEW = gettext_lazy("Too few are alike to be told apart.")
MOST_TOPICS = 12


def shown(look: Look) -> Shown:
    return Shown(
        cards=_cards(look), parts=[*_portrait(look), _follows(look), _viewers(look), _hours(look), _devices(look)]
    )


def _cards(look: Look) -> list[Card]:
    now, before = (totals(["viewers", "follows", "plays"], of) for of in (look.span, look.span.before()))
    a_day = now["viewers"] / len(look.days)
    assert look.creator, "A studio is of a creator."
    return [
        Card(_("Followers"), words.count(look.creator.followers)),
        Card(_("New followers"), words.count(now["follows"]), words.change(now["follows"], before["follows"])),
        Card(_("Viewers a day"), f"{a_day:,.1f}", words.change(now["viewers"], before["viewers"]), metric="viewers"),
        Card(_("Plays"), words.count(now["plays"]), words.change(now["plays"], before["plays"]), metric="plays"),
    ]


def _portrait(look: Look) -> list[Chart | Panel]:
    """Draw what the audience's door tells, by its rules: enough viewers, with noise where the tenant wants it."""
    if look.by is None or look.creator is None:
        return []
    try:
        told = _told(look.creator, look.by, look)
    except (AudienceTooSmall, PrivacyIsSpent) as refused:
        return [Panel(_("Portrait of your audience"), told=_why(refused))]
    counts = told.counts
    return [
        _about(told, look),
        _cells(_("What they like best"), _of_topics(counts.get("topics", {}))),
        _cells(_("Segments"), _of_segments(counts.get("segments", {}))),
        _cells(_("New and returning"), {_(name): of for name, of in _ranked(counts.get("visits", {})).items()}),
        _active(counts.get("hours", {})),
    ]


def _told(creator: Creator, by: Member, look: Look) -> Told:
    """Return what is told of the days; of fewer of them where the others add too few viewers to be told of."""
    told = tell_audience(creator=creator, days=len(look.days), by=by, at=look.at)
    for days in (of for of in reversed(WINDOWS) if of < len(look.days)):
        if told.epsilon is not None or told.counts.get("topics") or told.counts.get("hours"):
            break
        with suppress(AudienceTooSmall):
            told = tell_audience(creator=creator, days=days, by=by, at=look.at)
    return told


def _why(refused: AudienceTooSmall | PrivacyIsSpent) -> str:
    if isinstance(refused, PrivacyIsSpent):
        return _("What may be told of your audience this month has been told.")
    return _("So few watched that nobody is told apart from the others.")


def _about(told: Told, look: Look) -> Panel:
    facts = [Card(_("Viewers"), words.count(told.viewers)), Card(_("Fewest in a group"), words.count(told.k))]
    if told.epsilon is not None:
        facts.append(Card(_("Noise: ε"), f"{told.epsilon:g}"))
    text = _("Groups of fewer viewers are not shown, and nothing here leads to a single one.")
    if told.days != len(look.days):
        text += " " + _("It is of the last %(days)s days: those before add too few.") % {"days": told.days}
    return Panel(_("Portrait of your audience"), facts, told=text)


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda cell: (-cell[1], cell[0])))


def _of_topics(counts: Mapping[str, int]) -> dict[str, int]:
    ranked = list(_ranked(counts).items())[:MOST_TOPICS]
    names = topic_names([slug for slug, _viewers in ranked])
    return {names[slug]: viewers for slug, viewers in ranked}


def _of_segments(counts: Mapping[str, int]) -> dict[str, int]:
    """Return viewers by what sets their segment apart."""
    labels = [int(label) for label in counts if label.isdecimal()]
    about = {str(of.label): [str(told[0]) for told in of.about[:2]] for of in segments().filter(label__in=labels)}
    names = topic_names([_bare(dimension) for told in about.values() for dimension in told])
    said = {label: " · ".join(names[_bare(of)] for of in told) for label, told in about.items()}
    return {f"{label}: {said[label]}" if said.get(label) else label: of for label, of in _ranked(counts).items()}


def _bare(dimension: str) -> str:
    """Return the topic or the tag that a dimension of portraits is of."""
    return dimension.rpartition(":")[2]


def _cells(title: str, counts: Mapping[str, int]) -> Chart:
    return Chart(title, list(counts), [Line(_("viewers"), list(counts.values()))], kind="bar", when_empty=TOO_FEW)


def _active(hours: Mapping[str, int]) -> Chart:
    values = [hours.get(str(hour), 0) for hour in range(24)]
    labels = [f"{hour}:00" for hour in range(24)]
    title = _("When they are most active anywhere")
    return Chart(title, labels, [Line(_("viewers"), values)], kind="bar", when_empty=TOO_FEW)


def _follows(look: Look) -> Chart:
    lines = words.lines(look, {"follows": _("new followers")})
    none = gettext_lazy("Nobody began to follow you.")
    return Chart(_("New followers"), look.labels, lines, kind="bar", metrics=["follows"], when_empty=none)


def _viewers(look: Look) -> Chart:
    lines = words.lines(look, {"viewers": _("viewers")})
    return Chart(_("Viewers"), look.labels, lines, metrics=["viewers"], when_empty=NOBODY)


def _hours(look: Look) -> Chart:
    plays = by_part("plays_by_hour", look.span)
    line = Line(_("plays"), [plays.get(str(hour), 0) for hour in range(24)])
    labels = [f"{hour}:00" for hour in range(24)]
    title = _("When they watch you")
    return Chart(title, labels, [line], kind="bar", metrics=["plays_by_hour"], when_empty=NOBODY)


def _devices(look: Look) -> Chart:
    plays = by_part("plays_by_device", look.span)
    line = Line(_("plays"), list(plays.values()))
    labels = [_(part) for part in plays]
    return Chart(_("Plays by device"), labels, [line], kind="bar", metrics=["plays_by_device"], when_empty=NOBODY)
