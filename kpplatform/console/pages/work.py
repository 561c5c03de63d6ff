"""Is the work done that is to be done? Jobs that wait or are dead, and what is done again and again."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Shown, Table
from kpplatform.jobs import queries
from kpplatform.jobs.models import Job

MOST_NAMES, MOST_DEAD = 8, 8
LATE = 2  # times the span between two rounds: then one was left out


def shown(look: Look) -> Shown:
    by_name = queries.lately()
    last = queries.last_of(settings.RECURRING_JOBS)
    late = [name for name in last if _is_late(last[name], look.at)]
    return Shown(
        cards=_cards(look, by_name, late),
        parts=[_took(by_name), _states(by_name), _names(by_name), _recurring(last, look.at), _dead()],
    )


def _cards(look: Look, by_name: list[dict[str, Any]], late: list[str]) -> list[Card]:
    page = reverse("admin:jobs_job_changelist")
    waiting, dead, oldest = queries.waiting(), queries.dead().count(), queries.waiting().first()
    waits = _seconds(look.at - oldest.due_at) if oldest else 0
    done = sum(of["done"] for of in by_name)
    return [
        Card(_("Jobs waiting"), words.count(waiting.count()), href=f"{page}?state__exact=waiting"),
        Card(_("Waiting longest"), words.time(max(0, 1000 * waits)) if oldest else "–"),
        Card(_("Jobs dead"), words.count(dead), href=f"{page}?state__exact=dead", is_alarming=dead > 0),
        Card(_("Done lately"), words.count(done), href=f"{page}?state__exact=done"),
        Card(_("Rounds left out"), words.count(len(late)), is_alarming=bool(late)),
    ]


def _seconds(span: timedelta | None) -> float:
    return span.total_seconds() if span else 0.0


def _took(by_name: list[dict[str, Any]]) -> Chart:
    slowest = sorted((of for of in by_name if of["took"]), key=lambda of: -_seconds(of["took"]))[:MOST_NAMES]
    return Chart(
        _("From due to done, in seconds, on average"),
        [_short(of["name"]) for of in slowest],
        [Line(_("seconds"), [round(_seconds(of["took"]), 2) for of in slowest])],
        kind="bar",
        is_across=True,
        when_empty=_("No job was done."),
    )


def _states(by_name: list[dict[str, Any]]) -> Chart:
    most = by_name[:MOST_NAMES]
    lines = [Line(_(state.label), [of[state.value] for of in most]) for state in Job.State]
    labels = [_short(of["name"]) for of in most]
    title = _("The newest jobs, by what became of them")
    return Chart(title, labels, lines, kind="bar", is_across=True, is_stacked=True, when_empty=_("There are no jobs."))


def _names(by_name: list[dict[str, Any]]) -> Table:
    rows = [
        [
            of["name"],
            words.count(of["many"]),
            words.count(of["dead"]),
            _when(of["last"]),
            words.time(1000 * _seconds(of["took"])) if of["took"] else "–",
        ]
        for of in by_name
    ]
    headers = [_("job"), _("how many"), _("dead"), _("last done"), _("from due to done")]
    return Table(_("The newest jobs, by name"), headers, rows, _("There are no jobs."), is_wide=True)


def _recurring(last: dict[str, Job], at: datetime) -> Table:
    rows = []
    for name, (every_s, _queue) in settings.RECURRING_JOBS.items():
        job = last.get(name)
        told = [_("never"), "–"] if job is None else [_when(job.created_at), _(job.get_state_display())]
        late = _("left out") if job and _is_late(job, at) else ""
        rows.append([name, words.time(1000 * every_s), *told, late])
    headers = [_("job"), _("every"), _("last round"), _("state"), ""]
    return Table(_("What is done again and again"), headers, rows, _("There are no jobs."), is_wide=True)


def _is_late(job: Job, at: datetime) -> bool:
    every_s, _queue = settings.RECURRING_JOBS[job.name]
    return at - job.created_at > timedelta(seconds=LATE * every_s)


def _dead() -> Table:
    rows = [
        [
            words.link(reverse("admin:jobs_job_change", args=[job.pk]), job.name),
            job.attempts,
            _when(job.created_at),
            (job.error.strip().splitlines() or [""])[-1][:120],
        ]
        for job in queries.dead()[:MOST_DEAD]
    ]
    headers = [_("job"), _("attempts"), _("begun"), _("error")]
    return Table(_("Dead jobs, the newest first"), headers, rows, _("No job is dead."), is_wide=True)


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _when(at: datetime | None) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else "–"
