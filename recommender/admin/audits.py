"""What `ml.audit` has found of a version, as tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

CELL = "<td class='pr-6'>{}</td>"
SHARES = ("shown", "items", "wanted", "shown_to_items", "shown_to_wanted")


def audit_tables(report: Mapping[str, Any]) -> SafeString:
    """Return the report as three tables; nothing where nothing was found."""
    if not report:
        return SafeString()
    creators = [
        [way, group, *(figures.get(name, "–") for name in SHARES)]
        for way, groups in report["creators"].items()
        for group, figures in groups.items()
    ]
    popularity = [[name, value] for name, value in report["popularity"].items()]
    measure = f"ndcg@{report['k']}"
    segments = [
        [way, group, of["viewers"], *of[measure], found["gap"]]
        for way, found in report["segments"].items()
        for group, of in found.items()
        if group != "gap"
    ]
    return format_html(
        "{}{}{}",
        _table(gettext("Creators"), ["", "", *SHARES], creators),
        _table(gettext("Popularity"), ["", ""], popularity),
        _table(gettext("Viewers"), ["", "", "n", measure, "low", "high", "gap"], segments),
    )


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> SafeString:
    head = format_html_join("", "<th class='text-left pr-6'>{}</th>", ((name,) for name in names))
    body = format_html_join("", "<tr>{}</tr>", ((format_html_join("", CELL, ((of,) for of in row)),) for row in rows))
    return format_html(
        "<table class='mb-4'><caption class='text-left font-semibold'>{}</caption>"
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        title,
        head,
        body,
    )
