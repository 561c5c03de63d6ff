"""Telling creators what was ruled of their items, and what was answered to them: each once, in both languages."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.queries import tenants_time
from catalog.models import Appeal, Ruling
from catalog.queries import untold_answers, untold_rulings
from kpplatform.tenancy.models import Member
from recommender.models import Notice
from recommender.operations.notices import tell

AT_ONCE = 500
CHINESE, ENGLISH = "zh-hans", "en"


@transaction.atomic
def tell_of_rulings(*, at: datetime) -> int:
    """Tell the creators of some rulings and answers of which they were not told; return how many these were.

    Whose creator is no member here is told nothing, but not asked about again.
    """
    rulings, answers = untold_rulings(most=AT_ONCE), untold_answers(most=AT_ONCE)
    told = [(of.item.creator.member, f"ruling:{of.pk}", partial(_of_ruling, of)) for of in rulings]
    told += [(of.ruling.item.creator.member, f"appeal:{of.pk}", partial(_of_answer, of)) for of in answers]
    link = reverse("admin:figures", args=["studio-ranking"])
    notices = [in_both(member, about=about, say=say, link=link) for member, about, say in told if member]
    tell(notices=notices, at=at)
    Ruling.objects.filter(pk__in=[of.pk for of in rulings]).update(told_at=at)
    Appeal.objects.filter(pk__in=[of.pk for of in answers]).update(told_at=at)
    return len(told)


def in_both(member: Member, *, about: str, say: Callable[[], str], link: str) -> Notice:
    """Return a notice that says the same in Chinese and in English."""
    said = {}
    for name, language in (("text_zh", CHINESE), ("text_en", ENGLISH)):
        with translation.override(language):
            said[name] = say()
    return Notice(viewer=member, about=about, link=link, **said)


def _of_ruling(ruling: Ruling) -> str:
    """Tell the rule, the effect, the day, and how to appeal."""
    said = {
        "title": ruling.item.title,
        "rule": _(ruling.get_rule_display()),
        "effect": _(ruling.get_effect_display()),
        "day": date_format(tenants_time(ruling.ruled_at), "DATE_FORMAT"),
        "id": ruling.pk,
    }
    text = _("“%(title)s” breaks a rule: %(rule)s. Since %(day)s it is %(effect)s.") % said
    if ruling.why:
        text += " " + ruling.why
    return text + " " + _("If that is wrong, appeal: ruling %(id)s in the studio, under Ranking. Staff answer.") % said


def _of_answer(of: Appeal) -> str:
    said = {"title": of.ruling.item.title}
    text = (
        _("Your appeal about “%(title)s” was upheld: the ruling is lifted.")
        if of.is_upheld
        else _("Your appeal about “%(title)s” was rejected: the ruling stands.")
    )
    return f"{text % said} {of.answer}".strip()
