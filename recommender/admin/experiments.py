"""Experiments in the web admin: how they stand, and the switch that ends them at once."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as said
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.tenancy.admin_base import TenantAdmin, labelled
from recommender import operations
from recommender.admin.runs import rows
from recommender.models import Experiment, ExperimentReading, Exposure

Figures = dict[str, Any]
STATE_COLOURS = {"running": "info", "stopped": "success", "killed": "danger", "draft": ""}


@admin.register(Experiment)
class ExperimentAdmin(TenantAdmin):
    list_display = ("name", "shown_state", "metric", "verdict", "started_at", "ended_at")
    search_fields = ("name", "hypothesis")
    list_filter = ("state", "metric")
    actions = ("begin", "look", "end", "kill")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.get_readonly_fields(request, obj) if name not in {"id", "figures"}]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "found"]

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, experiment: Experiment) -> tuple[str, str]:
        return labelled(experiment.state, experiment.get_state_display())

    @display(description=_("result"))
    def verdict(self, experiment: Experiment) -> str:
        """Show what is known of the metric that it is about."""
        figures = experiment.figures
        if not figures:
            return said("not read yet")
        if not figures["dealt_fairly"]:
            return said("the arms were not dealt fairly")
        told = [f"{arm} {_bounds(by[experiment.metric])}" for arm, by in figures["differences"].items()]
        return " · ".join(told)

    @display(description=_("result"))
    def found(self, experiment: Experiment) -> SafeString | str:
        """Show every metric of every arm, and by how much it surely differs from the control."""
        figures = experiment.figures
        return rows(["", *_heads(figures)], _body(figures)) if figures else said("not read yet")

    @admin.action(description=_("Begin"), permissions=["staff"])
    def begin(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        at = timezone.now()
        self.do_each(request, queryset, lambda row: operations.begin_experiment(experiment=row, at=at))

    @admin.action(description=_("Look at it now"), permissions=["staff"])
    def look(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        at = timezone.now()
        self.do_each(request, queryset, lambda row: operations.read_experiment(experiment=row, at=at))

    @admin.action(description=_("End"), permissions=["staff"])
    def end(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        self._end(request, queryset, killed=False)

    @admin.action(description=_("Kill: serve everybody as before at once"), permissions=["staff"])
    def kill(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        self._end(request, queryset, killed=True)

    def _end(self, request: HttpRequest, queryset: QuerySet[Experiment], *, killed: bool) -> None:
        word: dict[str, Any] = {"why": "console", "killed": killed, "at": timezone.now()}
        self.do_each(request, queryset, lambda row: operations.end_experiment(experiment=row, **word))


def _heads(figures: Figures) -> list[str]:
    viewers = figures["viewers"]
    return [f"{arm} ({count})" for arm, count in viewers.items()] + [f"Δ {arm}" for arm in list(viewers)[1:]]


def _body(figures: Figures) -> Iterator[list[str]]:
    means, differences = figures["means"], figures["differences"]
    for metric in next(iter(means.values())):
        own = [f"{of[metric]:.4g}" for of in means.values()]
        yield [metric, *own, *(_bounds(by[metric]) for by in differences.values())]


def _bounds(by: dict[str, float] | None) -> str:
    return f"{by['mean']:+.3g} [{by['low']:+.3g}, {by['high']:+.3g}]" if by else said("too few viewers")


@admin.register(Exposure)
class ExposureAdmin(TenantAdmin):
    list_display = ("experiment", "arm", "viewer", "exposed_at")
    list_select_related = ("experiment", "viewer")
    number_fields = ("pk", "experiment_id", "viewer_id")
    list_filter = ("exposed_at",)


@admin.register(ExperimentReading)
class ExperimentReadingAdmin(TenantAdmin):
    list_display = ("experiment", "read_at")
    list_select_related = ("experiment",)
    number_fields = ("pk", "experiment_id")
    list_filter = ("read_at",)
