"""Dealing viewers to the arms of a trial of loads, and noting since when."""

from datetime import datetime

from billing.ads.models import LoadTrial, LoadViewer
from billing.ads.serving.loads import load_dealt
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.once import insert_once


def deal_load(viewer: Member, trial: LoadTrial | None, *, usual: int, is_new: bool, at: datetime) -> int:
    """Return how many items stand between two ads for the viewer, and note the first time that they are in an arm.

    `is_new` says that they are to be remembered, and were not noted yet: others are dealt like everybody, and not noted
    (again); nor are the tenant's staff.
    """
    dealt = load_dealt(trial, viewer_id=viewer.pk) if trial and trial.is_on(at) else None
    if trial is None or dealt is None:
        return usual
    if is_new and not viewer.runs_the_tenant:
        insert_once(LoadViewer, trial_id=trial.pk, viewer_id=viewer.pk, load=dealt, dealt_at=at)
    return dealt
