"""Jobs: how far they are, why they failed, and the way to try a dead one again."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.jobs import operations
from kpplatform.jobs.models import Job
from kpplatform.tenancy.admin_base import TenantAdmin, labelled

STATE_COLOURS = {"done": "success", "dead": "danger", "running": "info", "waiting": "warning"}


@admin.register(Job)
class JobAdmin(TenantAdmin):
    list_display = (
        "__str__",
        "shown_state",
        "done_so_far",
        "attempts",
        "queue",
        "created_at",
        "finished_at",
        "last_error",
    )
    search_fields = ("name", "key")
    list_filter = ("state", "created_at", "finished_at")
    actions = ("replay",)

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, job: Job) -> tuple[str, str]:
        return labelled(job.state, job.get_state_display())

    @display(description=_("progress"))
    def done_so_far(self, job: Job) -> str:
        return f"{job.progress:.0%}"

    @display(description=_("error"))
    def last_error(self, job: Job) -> str:
        """Show the last line of the traceback: what was raised."""
        lines = job.error.strip().splitlines()
        return lines[-1][:120] if lines else ""

    @admin.action(description=_("Replay the dead"), permissions=["staff"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        now = timezone.now()
        self.do_each(request, queryset, lambda job: operations.replay(job=job, at=now))
