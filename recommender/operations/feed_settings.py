"""Changing how a tenant's feed is put together; every change is written down."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from kpplatform.errors import Forbidden, Invalid
from kpplatform.tenancy.models import Member
from recommender.ml.feed_settings import DEFAULTS
from recommender.models import FeedSettings, FeedSettingsChange
from recommender.operations.served import hold_versions


class BadFeedSettings(Invalid):
    code = "bad_feed_settings"


class NotYourFeed(Forbidden):
    code = "not_your_feed"


@transaction.atomic
def change_feed_settings(*, changes: Mapping[str, Any], by: Member, why: str = "", at: datetime) -> FeedSettings:
    """Put the feed together differently from now on; what is not named stays. Raises NotYourFeed, BadFeedSettings."""
    if not by.runs_the_tenant:
        raise NotYourFeed("Only the tenant's staff put its feed together.")
    hold_versions()
    row = FeedSettings.objects.first() or FeedSettings()
    before = row.as_sent()
    row.changed_at = at
    set_feed(row, changes)
    after = {name: value for name, value in row.as_sent().items() if value != before[name]}
    if after or row.pk is None:
        row.save()
    if after:
        told = {"before": {name: before[name] for name in after}, "after": after, "why": why}
        FeedSettingsChange.objects.create(by=by, changed_at=at, **told)
    return row


def check_feed_settings(changes: Mapping[str, Any]) -> None:
    """Make sure that a feed can be put together with these settings in it. Raises BadFeedSettings."""
    set_feed(FeedSettings(), changes)


def set_feed(row: FeedSettings, changes: Mapping[str, Any]) -> None:
    """Set some of a row's settings, without saving it. Raises BadFeedSettings with the code of every mistake."""
    if unknown := changes.keys() - asdict(DEFAULTS).keys():
        raise BadFeedSettings(f"unknown_setting: there is no {', '.join(sorted(unknown))}.")
    for name, value in changes.items():
        setattr(row, name, value)
    try:
        row.full_clean(exclude=["tenant", "changed_at"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise BadFeedSettings(" ".join(_told(error))) from error


def _told(error: ValidationError) -> list[str]:
    return [
        f"{name.strip('_')}: {told.code}: {' '.join(told.messages)}"
        for name, mistakes in error.error_dict.items()
        for told in mistakes
    ]
