"""Staff look at what is to be shown."""

from datetime import datetime

from django.db import transaction

from billing.ads.models import Creative
from billing.ads.operations.advertisers import must_act_for
from billing.ads.operations.campaigns import held_campaign, noted
from billing.operations.staff import must_run_the_tenant
from kpplatform.errors import Invalid
from kpplatform.tenancy.models import Member

State = Creative.State


class NoReason(Invalid):
    code = "no_reason"


@transaction.atomic
def approve_creative(*, creative: Creative, by: Member, at: datetime) -> Creative:
    """Let it be shown. Raises StaffOnly."""
    must_run_the_tenant(by)
    return _decided(creative, State.APPROVED, by=by, at=at)


@transaction.atomic
def reject_creative(*, creative: Creative, by: Member, reason: str, at: datetime) -> Creative:
    """Let it not be shown, and say why. Raises StaffOnly and NoReason."""
    must_run_the_tenant(by)
    if not reason.strip():
        raise NoReason("Who is rejected is told why.")
    return _decided(creative, State.REJECTED, by=by, reason=reason.strip(), at=at)


@transaction.atomic
def withdraw_creative(*, creative: Creative, by: Member, at: datetime) -> Creative:
    """Show it no longer. Raises NotYourAdvertiser."""
    must_act_for(creative.flight.campaign.advertiser, by)
    return _decided(creative, State.WITHDRAWN, by=by, at=at)


def _decided(creative: Creative, state: Creative.State, *, by: Member, reason: str = "", at: datetime) -> Creative:
    campaign = held_campaign(creative.flight.campaign)
    creative = Creative.objects.select_related("flight").get(pk=creative.pk)
    if creative.state != state:
        creative.state, creative.reason, creative.decided_by = state, reason, by
        creative.save(update_fields=["state", "reason", "decided_by"])
        noted(campaign, by=by, what=f"creative {creative.pk} {state}", reason=reason, at=at)
    return creative
