"""Changing what counts how much as taste: the next training learns by it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from kpplatform.errors import Forbidden, Invalid
from kpplatform.tenancy.models import Member
from recommender import queries
from recommender.models import RatingMapping
from recommender.models.ratings import WEIGHED
from recommender.operations.served import hold_versions


class BadRatings(Invalid):
    code = "bad_ratings"


class NotYourRatings(Forbidden):
    code = "not_your_ratings"


@transaction.atomic
def change_ratings(*, changes: Mapping[str, Any], by: Member, why: str = "", at: datetime) -> RatingMapping:
    """Let events count so much from the next training on; what is not named stays, and so does what was before.

    Raises NotYourRatings, and BadRatings with the code of every mistake.
    """
    if not by.runs_the_tenant:
        raise NotYourRatings("Only the tenant's staff say what counts how much.")
    if unknown := changes.keys() - set(WEIGHED):
        raise BadRatings(f"unknown_signal: there is no {', '.join(sorted(unknown))}.")
    hold_versions()
    standing = queries.rating_mappings().first()
    before = standing.as_sent() if standing else RatingMapping().as_sent()
    row = RatingMapping(**{**before, **changes}, by=by, why=why, changed_at=at)
    try:
        row.full_clean(exclude=["tenant", "by"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise BadRatings(" ".join(_told(error))) from error
    if standing and row.as_sent() == before:
        return standing
    row.save()
    return row


def _told(error: ValidationError) -> list[str]:
    return [
        f"{name.strip('_')}: {told.code}: {' '.join(told.messages)}"
        for name, mistakes in error.error_dict.items()
        for told in mistakes
    ]
