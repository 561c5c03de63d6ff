"""Where loads of ads are tried: which one a viewer has."""

from billing.ads.models import LoadTrial
from billing.money import WHOLE_BPS
from kpplatform.experiments import arm_of
from kpplatform.tenancy.scope import current_tenant_id


def trial_of_loads() -> LoadTrial | None:
    """Return what is tried in the scope's tenant, or is going to be."""
    return LoadTrial.objects.filter(ended_at=None).first()


def load_dealt(trial: LoadTrial, *, viewer_id: int) -> int | None:
    """Return the load of the viewer's arm, always the same one; None: they are left out.

    It is a hash of their id and the trial's, which nobody chooses: neither portrait nor consent matters.
    """
    shares = {str(load): share / WHOLE_BPS for load, share in zip(trial.loads, trial.shares_bps, strict=True)}
    name = arm_of(viewer_id, tenant=current_tenant_id(), experiment=f"ad load:{trial.pk}", shares=shares)
    return None if name is None else int(name)
