"""Trainings in the web admin: how far, how they learn, what they cost, and several beside each other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as said
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from kpplatform.tenancy.admin_base import TenantAdmin, labelled
from recommender import operations, queries
from recommender.admin.asking import SearchForm
from recommender.admin.charts import Points, line_chart
from recommender.models import TrainingRun

STATE_COLOURS = {"waiting": "warning", "running": "info", "done": "success", "failed": "danger", "cancelled": ""}
BESIDE_EACH_OTHER = 6
CELL, HEAD = "<td class='pr-6 align-top'>{}</td>", "<th class='text-left pr-6'>{}</th>"
FACTS = (
    "kind",
    "outcome",
    "model",
    "device",
    "seconds",
    "peak_mb",
    "events",
    "viewers",
    "items",
    "data",
    "resumed",
    "started_at",
    "ended_at",
)


@admin.register(TrainingRun)
class TrainingRunAdmin(TenantAdmin):
    list_display = ("__str__", "shown_state", "stage", "far", "left", "reached", "outcome", "cost", "started_at")
    search_fields = ("outcome", "model", "error")
    list_filter = ("state", "kind", "started_at")
    actions = ("compare", "cancel")
    actions_list = ("search",)
    drawn = (
        "far",
        "left",
        "reached",
        "cost",
        "asked",
        "curve",
        "quality_of_models",
        "sure",
        "costs_of_models",
        "said_on_the_way",
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        raw = {"curves", "metrics", "costs", "notes", "plan"}
        return [name for name in self.get_readonly_fields(request, obj) if name not in {"id", *raw}]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.drawn, *super().get_readonly_fields(request, obj)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingRun]:
        return queries.with_lost(super().get_queryset(request))

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, run: TrainingRun) -> tuple[str, str]:
        if run.is_lost:  # type: ignore[attr-defined]
            return labelled("failed", said("its worker died"))
        return labelled(run.state, run.get_state_display())

    @display(description=_("progress"))
    def far(self, run: TrainingRun) -> SafeString:
        """Show the share that is done as a number and a bar."""
        percent = round(100 * run.progress)
        return format_html("<progress max='100' value='{}'></progress> {} %", percent, percent)

    @display(description=_("time left"))
    def left(self, run: TrainingRun) -> str:
        is_told = run.state == TrainingRun.State.RUNNING and run.seconds_left is not None
        return str(timedelta(seconds=round(run.seconds_left or 0))) if is_told else ""

    @display(description=_("best so far"))
    def reached(self, run: TrainingRun) -> str:
        """Show which settings of a search have done best until now, and how well."""
        if "found" not in run.metrics:
            return ""
        settings = ", ".join(f"{name} {value:.4g}" for name, value in run.metrics["found"].items())
        return f"{_of_best(run, 'models')['ndcg@10']:.4f} ({settings})"

    @display(description=_("cost"))
    def cost(self, run: TrainingRun) -> str:
        return f"{timedelta(seconds=round(run.seconds))} · {run.peak_mb:,.0f} MiB"

    @display(description=_("curves"))
    def curve(self, run: TrainingRun) -> SafeString:
        return charts({"": run})

    @display(description=_("metrics"))
    def quality_of_models(self, run: TrainingRun) -> SafeString:
        """Show every figure of every model, each model on a row."""
        return grid(run.metrics.get("models", {}))

    @display(description=_("intervals"))
    def sure(self, run: TrainingRun) -> SafeString:
        """Show between what bounds every figure lies, where that was told."""
        bounds = run.metrics.get("intervals", {})
        return grid({model: {name: _bounds(of) for name, of in told.items()} for model, told in bounds.items()})

    @display(description=_("asked"))
    def asked(self, run: TrainingRun) -> SafeString:
        """Show what was to be tried: models, a protocol, a budget, a seed."""
        return rows([], ([name, asked] for name, asked in run.plan.items()))

    @display(description=_("costs"))
    def costs_of_models(self, run: TrainingRun) -> SafeString:
        return grid(run.costs)

    @display(description=_("notes"))
    def said_on_the_way(self, run: TrainingRun) -> SafeString:
        return format_html_join("", "<div>{} {}</div>", ((note["at"], note["what"]) for note in run.notes))

    @admin.action(description=_("Cancel"), permissions=["staff"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> None:
        now = timezone.now()
        self.do_each(request, queryset, lambda run: operations.cancel_run(run=run, at=now))

    @action(description=_("Search settings"), url_path="search", permissions=["staff"])
    def search(self, request: HttpRequest) -> HttpResponse:
        """Ask for a search: of which model, and for how long."""
        form = SearchForm(request.POST or None)
        if form.is_valid() and form.asked(at=timezone.now()):
            self.message_user(request, said("A worker will search."), messages.SUCCESS)
            return redirect("admin:recommender_trainingrun_changelist")
        context = {**self.admin_site.each_context(request), "title": said("Search settings"), "form": form}
        return TemplateResponse(request, "recommender/search.html", context)

    @admin.action(description=_("Compare"))
    def compare(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> TemplateResponse:
        """Show the chosen runs beside each other."""
        runs = {str(run): run for run in queryset.order_by("pk")[:BESIDE_EACH_OTHER]}
        facts = [[said(_name(field)), *(getattr(run, field) for run in runs.values())] for field in FACTS]
        facts += [[said("protocol"), *(run.plan.get("protocol", "") for run in runs.values())]]
        figures = [[name, *values] for name, values in best_figures(runs.values())]
        context = {
            **self.admin_site.each_context(request),
            "title": said("Trainings beside each other"),
            "table": rows(["", *runs], facts + figures),
            "charts": charts(runs),
        }
        return TemplateResponse(request, "recommender/compared.html", context)


def charts(runs: Mapping[str, TrainingRun]) -> SafeString:
    """Draw the loss and the quality of all models of the runs, each over its steps."""
    lines: dict[str, dict[str, Points]] = {"loss": {}, "quality": {}}
    for name, run in runs.items():
        for model, points in run.curves.items():
            for what, into in lines.items():
                told = [(point["step"], point[what]) for point in points if point.get(what) is not None]
                into[f"{name} {model}".strip()] = told
    return line_chart(said("loss"), lines["loss"]) + line_chart(said("quality"), lines["quality"])


def best_figures(runs: Collection[TrainingRun]) -> list[tuple[str, list[str]]]:
    """Return each figure by its name, with what the best model of every run has reached and how sure that is."""
    reached = [_of_best(run, "models") for run in runs]
    bounds = [_of_best(run, "intervals") for run in runs]
    names = sorted({name for figures in reached for name in figures})
    beside = [*zip(reached, bounds, strict=True)]
    return [(name, [_with_bounds(figures, sure, name) for figures, sure in beside]) for name in names]


def _of_best(run: TrainingRun, part: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = run.metrics.get(part, {}).get(run.metrics.get("best"), {})
    return found


def _with_bounds(figures: Mapping[str, float], sure: Mapping[str, Sequence[float]], name: str) -> str:
    if name not in figures:
        return ""
    return f"{figures[name]:.4f}" + (f" ({_bounds(sure[name])})" if name in sure else "")


def _bounds(of: Sequence[float]) -> str:
    low, high = of
    return f"{low:.4f} … {high:.4f}"


def grid(figures: Mapping[str, Mapping[str, Any]]) -> SafeString:
    """Show figures by name, each row's under one head."""
    names = sorted({name for of in figures.values() for name in of})
    return rows(["", *names], [[row, *(_short(of.get(name)) for name in names)] for row, of in figures.items()])


def rows(head: list[str], body: Iterable[Iterable[Any]]) -> SafeString:
    heads = format_html_join("", HEAD, ((name,) for name in head))
    lines = format_html_join("", "<tr>{}</tr>", ((format_html_join("", CELL, ((c,) for c in row)),) for row in body))
    table = format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", heads, lines)
    return format_html('<div style="max-width: 64vw; overflow-x: auto">{}</div>', table)


def _short(value: Any) -> str:
    return f"{value:,.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else "" if value is None else str(value)


def _name(field: str) -> str:
    return str(TrainingRun._meta.get_field(field).verbose_name)  # type: ignore[union-attr]
