"""What is done with versions of the model."""

from django.db import transaction

from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import enqueue

RETRAIN = "recommender.tasks.retrain"


@transaction.atomic
def ask_for_training() -> Job | None:
    """Have a worker train the tenant's model; None when that is waiting to be done already."""
    return enqueue(RETRAIN, queue="training", key=RETRAIN)
