"""How many ads stand in a viewer's feed: the load that holds for all, or that of their arm where loads are tried."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from billing.ads.models import LoadChange, LoadTrial
from billing.money import WHOLE_BPS
from kpplatform.experiments import arm_of
from kpplatform.tenancy.scope import current_tenant_id


@dataclass(frozen=True)
class Loads:
    """What was adopted last, and what is being tried; `usual` is what holds where nothing was ever adopted."""

    adopted: int | None = None
    trial: LoadTrial | None = None

    @classmethod
    def read(cls) -> Self:
        """Return those of the scope's tenant."""
        adopted = LoadChange.objects.order_by("-pk").values_list("load", flat=True).first()
        return cls(adopted, LoadTrial.objects.filter(ended_at=None).first())

    def for_all(self, *, usual: int) -> int:
        """Return how many items stand between two ads for who is in no arm; 0: no ads."""
        return usual if self.adopted is None else self.adopted

    def has_ads(self, *, usual: int) -> bool:
        """Tell whether anybody sees ads."""
        return bool(self.for_all(usual=usual) or self.trial)

    def least(self, *, usual: int, at: datetime) -> int:
        """Return how many items stand between two ads for everybody at least; 0: nobody sees any."""
        tried = self.trial.loads if self.trial and self.trial.is_on(at) else []
        return min((every for every in (self.for_all(usual=usual), *tried) if every), default=0)


def load_dealt(trial: LoadTrial, *, viewer_id: int) -> int | None:
    """Return the load of the viewer's arm, always the same one; None: they are left out.

    It is a hash of their id and the trial's, which nobody chooses: neither portrait nor consent matters.
    """
    shares = {str(load): share / WHOLE_BPS for load, share in zip(trial.loads, trial.shares_bps, strict=True)}
    name = arm_of(viewer_id, tenant=current_tenant_id(), experiment=f"ad load:{trial.pk}", shares=shares)
    return None if name is None else int(name)
