"""Portraits in the web admin, for staff: who the viewers are, in which groups, and how good the foretelling is."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.tenancy.admin_base import TenantAdmin, runs_the_tenant
from kpplatform.tenancy.scope import tenant_or_none
from recommender import queries
from recommender.models import Portrait, PortraitRefusal, PortraitRun, PropensityReport, Segment

CELL = "<td class='pr-6 align-top'>{}</td>"


def table(head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> SafeString:
    """Return a table of cells."""
    above = format_html_join("", "<th class='text-left pr-6'>{}</th>", ((cell,) for cell in head))
    body = format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in rows))
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", above, body)


def shares(pairs: Iterable[Sequence[Any]], *, most: int) -> str:
    """Return [[what, share] …] as words: piano 31 %."""
    return " · ".join(f"{what} {share:.0%}" for what, share in list(pairs)[:most])


class Drawn(TenantAdmin):
    """Shows some columns drawn, in the place of the raw ones."""

    drawn: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.get_readonly_fields(request, obj) if name not in {"id", *self.raw}]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.drawn, *super().get_readonly_fields(request, obj)]


@admin.register(PortraitRun)
class PortraitRunAdmin(Drawn):
    list_display = ("__str__", "viewers", "dimensions", "silhouette", "reason", "rules", "finished_at")
    list_filter = ("at",)
    drawn, raw = ("hit_rates", "wanted", "data_quality"), ("foretold", "demand", "quality")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Say aloud that the portraits are old, or that the data want looking at."""
        for said in _alarms() if tenant_or_none() and runs_the_tenant(request) else ():
            self.message_user(request, said, messages.WARNING)
        return super().changelist_view(request, extra_context)

    @display(description=_("hit rates on withheld events"))
    def hit_rates(self, run: PortraitRun) -> SafeString:
        ways = ("gru", "markov", "popularity")
        rows = [
            [head, told["best"], told["judged"], *(_hits(told.get(way)) for way in ways)]
            for head, told in run.foretold.items()
        ]
        return table(["", _("best"), _("viewers"), *ways], rows)

    @display(description=_("demand"))
    def wanted(self, run: PortraitRun) -> SafeString:
        ranked = sorted(run.demand.items(), key=lambda told: -told[1][0])
        return table(["", _("share"), _("viewers")], [[topic, f"{of:.1%}", fans] for topic, (of, fans) in ranked])

    @display(description=_("data quality"))
    def data_quality(self, run: PortraitRun) -> SafeString:
        told = {**run.quality.get("completeness", {}), **run.quality.get("drift", {})}
        told |= {name: run.quality.get(name) for name in ("fresh_hours", "agreement")}
        rows = [[name, f"{value:.3f}"] for name, value in told.items() if value is not None]
        return table([], [*rows, *(["⚠", alert] for alert in run.quality.get("alerts", ()))])


@admin.register(Segment)
class SegmentAdmin(Drawn):
    list_display = ("label", "size", "topics", "retired_at")
    drawn, raw = ("topics", "what_sets_it_apart"), ("about", "centre")
    ordering = ("-size", "-pk")

    @display(description=_("top topics"))
    def topics(self, segment: Segment) -> str:
        return shares(((what, share) for what, share, _lift in segment.about), most=3)

    @display(description=_("what sets it apart"))
    def what_sets_it_apart(self, segment: Segment) -> SafeString:
        return table(["", _("share"), _("times the usual")], [[a, f"{s:.1%}", f"{x:g}"] for a, s, x in segment.about])


@admin.register(Portrait)
class PortraitAdmin(Drawn):
    list_display = ("viewer", "segment", "likes_most", "events", "leaving", "buying", "last_seen_at", "updated_at")
    list_select_related = ("viewer", "segment")
    number_fields = ("pk", "viewer_id")
    list_filter = ("updated_at",)
    drawn = ("likes", "busy_hours", "ahead")
    raw = ("interests", "active_hours", "next_topics", "next_items", "next_hours", "vector")

    @display(description=_("interests"))
    def likes_most(self, portrait: Portrait) -> str:
        return shares(portrait.interests, most=3)

    @display(description=_("interests"))
    def likes(self, portrait: Portrait) -> SafeString:
        return table(["", _("share")], [[what, f"{share:.1%}"] for what, share in portrait.interests])

    @display(description=_("active hours"))
    def busy_hours(self, portrait: Portrait) -> str:
        busy = [(f"{hour}:00", share) for hour, share in enumerate(portrait.active_hours) if share >= 0.05]
        return shares(busy, most=24)

    @display(description=_("likely next"))
    def ahead(self, portrait: Portrait) -> SafeString:
        hours = [[f"{hour}:00", chance] for hour, chance in portrait.next_hours]
        told = (portrait.next_topics, portrait.next_items, hours)
        names = (_("topic"), _("item"), _("hour"))
        return table([], [[name, shares(pairs, most=3)] for name, pairs in zip(names, told, strict=True)])

    @display(description=_("churn"))
    def leaving(self, portrait: Portrait) -> str:
        return _chance(portrait.churn)

    @display(description=_("purchase"))
    def buying(self, portrait: Portrait) -> str:
        return _chance(portrait.purchase)


@admin.register(PortraitRefusal)
class PortraitRefusalAdmin(TenantAdmin):
    list_display = ("viewer", "refused_at")
    list_select_related = ("viewer",)
    number_fields = ("pk", "viewer_id")


@admin.register(PropensityReport)
class PropensityReportAdmin(Drawn):
    list_display = ("outcome", "run", "auc", "ece", "brier", "base_rate", "judged", "reason")
    list_select_related = ("run",)
    list_filter = ("outcome",)
    drawn, raw = ("calibration", "reasons"), ("bins", "weights")

    @display(description=_("calibration"))
    def calibration(self, report: PropensityReport) -> SafeString:
        rows = [[f"{told:.1%}", f"{came:.1%}", judged] for told, came, judged in report.bins]
        return table([_("foretold"), _("observed"), _("viewers")], rows)

    @display(description=_("weights"))
    def reasons(self, report: PropensityReport) -> SafeString:
        ranked = sorted(report.weights.items(), key=lambda told: -abs(told[1]))
        return table(["", _("weight")], [[name, f"{weight:+.2f}"] for name, weight in ranked])


def _alarms() -> list[str]:
    run = queries.newest_run()
    alerts = run.quality.get("alerts", ()) if run else ()
    shifted = gettext("The data want looking at: %(alerts)s") % {"alerts": ", ".join(alerts)}
    old = gettext("The portraits are old: they have not been refreshed.")
    is_stale = queries.freshness(at=timezone.now()).is_stale
    return [said for said, holds in ((old, is_stale), (shifted, alerts)) if holds]


def _cells(row: Sequence[Any]) -> SafeString:
    return format_html_join("", CELL, ((cell,) for cell in row))


def _hits(told: Any) -> str:
    return " · ".join(f"{name} {value:.3f}" for name, value in told.items()) if told else ""


def _chance(chance: float | None) -> str:
    return "" if chance is None else f"{chance:.0%}"
