"""What goes together, who watches whom, and what of it was told with noise: for staff."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.tenancy.admin_base import TenantAdmin
from recommender.admin.portraits import Drawn, table
from recommender.models import Audience, NoisyAnswer, Rule


@admin.register(Rule)
class RuleAdmin(TenantAdmin):
    list_display = ("given", "given_verb", "then", "then_verb", "viewers", "share_of_all", "share_of_given", "times")
    list_select_related = ("given", "then")
    number_fields = ("pk", "given_id", "then_id")
    list_filter = ("given_verb", "then_verb")
    ordering = ("-lift", "-pk")

    @display(description=_("support"))
    def share_of_all(self, rule: Rule) -> str:
        return f"{rule.support:.2%}"

    @display(description=_("confidence"))
    def share_of_given(self, rule: Rule) -> str:
        return f"{rule.confidence:.1%}"

    @display(description=_("lift"))
    def times(self, rule: Rule) -> str:
        return f"{rule.lift:.2f}"


class Counted(Drawn):
    """Counts of viewers, each kind in a table of its own."""

    list_select_related: tuple[str, ...] = ("creator",)
    drawn, raw = ("topics", "hours", "segments", "visits"), ("counts",)

    @display(description=_("topics"))
    def topics(self, told: Audience | NoisyAnswer) -> SafeString:
        return _counts(told, "topics")

    @display(description=_("active hours"))
    def hours(self, told: Audience | NoisyAnswer) -> SafeString:
        return _counts(told, "hours")

    @display(description=_("segments"))
    def segments(self, told: Audience | NoisyAnswer) -> SafeString:
        return _counts(told, "segments")

    @display(description=_("visits"))
    def visits(self, told: Audience | NoisyAnswer) -> SafeString:
        return _counts(told, "visits")


@admin.register(Audience)
class AudienceAdmin(Counted):
    list_display = ("creator", "days", "viewers", "run")
    list_select_related = ("creator", "run")
    number_fields = ("pk", "creator_id")


@admin.register(NoisyAnswer)
class NoisyAnswerAdmin(Counted):
    list_display = ("creator", "period", "days", "epsilon", "answered_at")
    number_fields = ("pk", "creator_id")


def _counts(told: Audience | NoisyAnswer, name: str) -> SafeString:
    cells = sorted(told.counts.get(name, {}).items(), key=lambda cell: -cell[1])
    return table(["", _("viewers")], [[what, count] for what, count in cells if count])
