"""Making groups of viewers, as data: rules that are checked once and asked whenever somebody wants the viewers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from catalog.models import Topic
from creators.models import Creator
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member
from recommender import queries
from recommender.models import Segment, ViewerGroup

# What each kind of rule says, and what is allowed there.
DAYS = range(1, 366)
SAYS: dict[str, dict[str, Any]] = {
    "watched": {"topic": str, "times": range(1, 1_001), "days": DAYS},
    "paid": {"is_so": bool},
    "unseen": {"days": DAYS},
    "follows": {"creator": str},
    "may_leave": {"least": float},
    "segment": {"label": range(2**31)},
}
MOST_RULES = 10
LONGEST = 200  # of a slug or a handle


class BadRules(Invalid):
    code = "bad_rules"


class GroupNameTaken(Conflict):
    code = "group_name_taken"


class NotYourViewers(Forbidden):
    code = "not_your_viewers"


@transaction.atomic
def make_group(*, name: str, rules: Sequence[dict[str, Any]], by: Member, at: datetime) -> ViewerGroup:
    """Keep the rules under a name. Raises BadRules, NotYourViewers and GroupNameTaken."""
    found = count_group(rules=rules, by=by, at=at)
    try:
        with transaction.atomic():
            return ViewerGroup.objects.create(name=name, rules=list(rules), at_least=found, made_by=by, made_at=at)
    except IntegrityError as error:
        raise GroupNameTaken(f"There is a group {name} already.") from error


def count_group(*, rules: Sequence[dict[str, Any]], by: Member, at: datetime) -> int:
    """Return how many viewers the rules hold of, at least. Raises BadRules and NotYourViewers."""
    if not by.runs_the_tenant:
        raise NotYourViewers("Only the tenant's staff make groups of its viewers.")
    if not 0 < len(rules) <= MOST_RULES:
        raise BadRules(f"A group has 1 to {MOST_RULES} rules.")
    for rule in rules:
        _must_be_a_rule(rule)
    return queries.at_least(rules, at=at)


def _must_be_a_rule(rule: dict[str, Any]) -> None:
    says = SAYS.get(str(rule.get("kind")))
    if says is None:
        raise BadRules(f"A rule is of a kind: {', '.join(SAYS)}.")
    if rule.keys() != {"kind", *says}:
        raise BadRules(f"A rule of the kind {rule['kind']} says {', '.join(says)}, and nothing else.")
    for name, allowed in says.items():
        if not _is_allowed(rule[name], allowed):
            raise BadRules(f"A rule of the kind {rule['kind']} has another {name}.")
    _must_be_there(rule)


def _is_allowed(value: Any, allowed: Any) -> bool:
    if isinstance(allowed, range):
        return type(value) is int and value in allowed
    if allowed is float:
        return type(value) in {int, float} and 0 <= value <= 1
    # PostgreSQL's texts have no NUL.
    return type(value) is allowed and (allowed is not str or (value.isprintable() and 0 < len(value) <= LONGEST))


def _must_be_there(rule: dict[str, Any]) -> None:
    """Raise BadRules when the rule names a topic, a creator or a segment that is not there."""
    there: dict[str, Callable[[Any], QuerySet[Any]]] = {
        "topic": lambda slug: Topic.objects.filter(slug=slug),
        "creator": lambda handle: Creator.objects.filter(handle=handle),
        "label": lambda label: Segment.objects.filter(label=label, retired_at=None),
    }
    for name in rule.keys() & there.keys():
        if not there[name](rule[name]).exists():
            raise BadRules(f"There is no {name} {rule[name]!r}.")
