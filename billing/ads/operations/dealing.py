"""Dealing viewers to the arms of a trial of loads, and noting since when."""

from datetime import datetime

from billing.ads.models import LoadViewer
from billing.ads.serving.loads import Loads, load_dealt
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.once import insert_once


def deal_load(viewer: Member, loads: Loads, *, usual: int, is_remembered: bool, at: datetime) -> int:
    """Return how many items stand between two ads for the viewer, and note the first time that they are in an arm.

    Who does not consent to be remembered is dealt like everybody, and not noted; nor are the tenant's staff.
    """
    trial = loads.trial
    dealt = load_dealt(trial, viewer_id=viewer.pk) if trial and trial.is_on(at) else None
    if trial is None or dealt is None:
        return loads.for_all(usual=usual)
    if is_remembered and not viewer.runs_the_tenant:
        insert_once(LoadViewer, trial_id=trial.pk, viewer_id=viewer.pk, load=dealt, dealt_at=at)
    return dealt
