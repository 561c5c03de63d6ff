"""Which items say nearly the same: for staff."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.tenancy.admin_base import TenantAdmin
from recommender.models import AlikePair


@admin.register(AlikePair)
class AlikePairAdmin(TenantAdmin):
    list_display = ("item", "made_by", "other", "other_by", "cosine", "found_at")
    list_select_related = ("item__creator", "other__creator")
    number_fields = ("pk", "item_id", "other_id")
    ordering = ("-cosine", "-pk")

    @display(description=_("creator"))
    def made_by(self, pair: AlikePair) -> str:
        return str(pair.item.creator)

    @display(description=_("the other's creator"))
    def other_by(self, pair: AlikePair) -> str:
        return str(pair.other.creator)
