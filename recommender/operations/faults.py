"""What web processes find out about versions."""

from collections.abc import Mapping

from django.db import transaction

from recommender.models import ModelVersion


@transaction.atomic(savepoint=False)
def note_faults(broken: Mapping[int, str]) -> None:
    """Write down where staff see it why versions could not be read, the first reason of each."""
    for version, code in broken.items():
        ModelVersion.objects.filter(pk=version, fault="").update(fault=code)
