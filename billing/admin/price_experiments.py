"""Prices that are tried: how they stand, what came of them, and the button that takes one for good."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing import queries
from billing.admin.books import money
from billing.admin.inlines import PriceArms
from billing.models import PriceArm, PriceExperiment, PriceShown, TriedLine
from billing.money import Money
from billing.operations import pricing
from billing.queries.price_results import Answer, ArmResult, PriceResults
from kpplatform.tenancy.admin_base import TenantAdmin, labelled, staff
from kpplatform.tenancy.admin_parts import WordsForm, words_of
from kpplatform.tenancy.scope import tenant_or_none

COLOURS = {"running": "info", "ended": "", "adopted": "success"}
ANSWERS = {
    Answer.UNFAIR: _("the arms were not dealt fairly"),
    Answer.TOO_FEW: _("too few viewers or buyers"),
    Answer.NO_DIFFERENCE: _("no difference can be told"),
    Answer.MORE: _("more than at the first price"),
    Answer.LESS: _("less than at the first price"),
}


@admin.register(PriceExperiment)
class PriceExperimentAdmin(TenantAdmin):
    own = "creator__member"
    inlines = (PriceArms,)
    action_form = WordsForm
    list_display = ("name", "sold", "creator", "shown_state", "began_at", "ends_at", "ended_at", "adopted")
    list_select_related = ("item", "product", "creator")
    search_fields = ("name", "item__title", "product__title")
    number_fields = ("pk", "item_id", "product_id")
    list_filter = ("state", "began_at")
    actions = ("end",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "found"]

    @display(description=_("sold"))
    def sold(self, experiment: PriceExperiment) -> str:
        return str(experiment.sold)

    @display(description=_("state"), label=COLOURS)
    def shown_state(self, experiment: PriceExperiment) -> tuple[str, str]:
        return labelled(experiment.state, experiment.get_state_display())

    @display(description=_("result"))
    def found(self, experiment: PriceExperiment) -> SafeString | str:
        """Show each price with its buyers and revenue, and what may be said of it; to operators it is not told."""
        if tenant_or_none() is None:
            return ""
        return format_html_join("", "<p>{}</p>", ((line,) for line in _lines(queries.price_results(experiment))))

    @admin.action(description=_("End: one price for everybody"), permissions=["acting"])
    def end(self, request: HttpRequest, queryset: QuerySet[PriceExperiment]) -> None:
        told: dict[str, Any] = {"by": staff(request), "why": words_of(request) or "console", "at": timezone.now()}
        self.do_each(request, queryset, lambda row: pricing.end_price_experiment(experiment=row, **told))


def _lines(results: PriceResults) -> Iterator[str]:
    for of in results.arms:
        shown = {"name": of.arm.name, "price": of.arm.money, "buyers": of.buyers, "shown": of.shown}
        told = gettext("%(name)s, %(price)s: bought by %(buyers)s of %(shown)s") % shown
        yield " · ".join([told, _each(of, of.revenue.mean), *_answers(of)])
    yield gettext("How likely it is that viewers were dealt by the shares: %(p)s") % {
        "p": f"{results.sample_ratio_p:.3g}"
    }


def _each(of: ArmResult, minor: float) -> str:
    return gettext("%(revenue)s per viewer") % {"revenue": Money(round(minor), of.arm.experiment.currency)}


def _answers(of: ArmResult) -> Iterator[str]:
    if of.answer:
        yield str(ANSWERS[of.answer])
    if of.difference:
        yield f"[{_each(of, of.difference.low)}, {_each(of, of.difference.high)}]"


@admin.register(PriceArm)
class PriceArmAdmin(TenantAdmin):
    own = "experiment__creator__member"
    list_display = ("experiment", "name", money, "share")
    list_select_related = ("experiment",)
    search_fields = ("experiment__name",)
    number_fields = ("pk", "experiment_id")
    actions = ("adopt",)

    @admin.action(description=_("Adopt: this price for everybody"), permissions=["acting"])
    def adopt(self, request: HttpRequest, queryset: QuerySet[PriceArm]) -> None:
        told: dict[str, Any] = {"by": staff(request), "at": timezone.now()}
        self.do_each(request, queryset, lambda arm: pricing.adopt_price(arm=arm, **told))


@admin.register(PriceShown)
class PriceShownAdmin(TenantAdmin):
    list_display = ("experiment", "arm", "viewer", "shown_at")
    list_select_related = ("experiment", "arm", "viewer")
    number_fields = ("pk", "experiment_id", "viewer_id")
    list_filter = ("shown_at",)


@admin.register(TriedLine)
class TriedLineAdmin(TenantAdmin):
    list_display = ("line", "arm", "amount", "added_tax")
    list_select_related = ("line__item", "line__product", "line__creator", "arm")
    number_fields = ("pk", "line_id", "arm_id")
