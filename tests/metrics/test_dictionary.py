"""The document says of each number what the code says."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command

from kpplatform.metrics.queries import METRICS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def test_the_document_has_the_table_that_the_command_prints() -> None:
    printed = StringIO()

    call_command("describe_metrics", stdout=printed)

    table = printed.getvalue().strip()
    assert len(table.splitlines()) == 2 + len(METRICS)
    assert table in DOCUMENT.read_text(), "manage.py describe_metrics prints what is to stand there."


def test_the_document_names_no_metric_that_is_not_there() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]

    assert [row.split("`")[1] for row in rows] == list(METRICS)
