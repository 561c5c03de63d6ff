"""A version carries what places an item that was published after the training."""

import numpy as np
import pytest
from django.utils import timezone

from catalog.models import Item
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from recommender.queries import published_version
from recommender.serving import artefacts
from recommender.training import retrain
from tests.recommender import planted

pytestmark = pytest.mark.usefixtures("_fresh_cache")


def test_a_version_places_an_item_that_nobody_has_met_by_what_is_told_of_it(in_school: Tenant) -> None:
    piano, cooking = planted.busy_world()
    for tag, items in (("music", piano), ("food", cooking)):
        Item.objects.filter(pk__in=[item.pk for item in items]).update(tags=[tag])
    retrain(tenant=in_school, at=timezone.now())

    version = published_version()
    assert version is not None
    bundle = artefacts.load(tenant_folder("models", version.folder), version.sha256, tenant_id=in_school.pk)
    new = bundle.cold.vectors(titles=["", ""], tags=[["music"], ["food"]], creators=np.array([-1, -1]))

    assert bundle.cold.name == bundle.main.name
    main = bundle.main
    likes_piano = main.item_vectors[main.item_codes(np.array([item.pk for item in piano]))].mean(0)  # type: ignore[attr-defined]
    music, food = new @ likes_piano
    assert music > 2 * abs(food)
