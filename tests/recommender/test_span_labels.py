"""Staff mark praise and blame in comments, are compared, and teach the tagger."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from creators.models import Creator
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from recommender import operations, queries
from recommender.ml.tagger.sentences import Sentence, Span, read
from recommender.models import SpanLabel
from tests import make
from tests.catalog import things
from tests.conftest import NOON
from tests.recommender.commented import said


@pytest.fixture
def maker(in_school: Tenant) -> Creator:
    return things.creator(make.member(Member.Role.CREATOR))


@pytest.fixture
def staff(in_school: Tenant) -> Member:
    return make.member(Member.Role.ADMIN)


def test_two_members_mark_the_same_comments_and_are_compared(maker: Creator, staff: Member) -> None:
    """Of ten characters both marked the first four; the other one also the next two: κ = (.8 − .48) / (1 − .48)."""
    comment, other = said(things.video(maker), "abcdefghij", "later")
    second = make.member(Member.Role.ADMIN)
    both = {"comment": comment.pk, "spans": [{"start": 0, "end": 4, "label": "Positive"}]}

    made = make.client(staff).post("/api/v1/span-labels/", both)
    longer = both | {"spans": [{"start": 0, "end": 6, "label": "Positive"}]}
    make.client(second).post("/api/v1/span-labels/", longer)
    (told,) = make.client(staff).get("/api/v1/span-labels/agreement/").json()["results"]

    assert (made.status_code, made.json()["spans"]) == (201, [[0, 4, "Positive"]])
    assert (told["comments"], told["kappa"]) == (1, pytest.approx((0.8 - 0.48) / 0.52, abs=1e-3))
    assert list(queries.labelled_sentences()) == [Sentence("abcdefghij", (Span(0, 6, "Positive"),))]
    assert queries.comment_to_label(staff) == other
    assert queries.comment_to_label(make.member(Member.Role.ADMIN)) == comment


def test_what_was_marked_is_a_lesson_for_the_tagger(maker: Creator, staff: Member, tmp_path: Path) -> None:
    (comment,) = said(things.video(maker), "讲得好")
    operations.label_spans(comment=comment, by=staff, spans=[[0, 3, "Positive"]], at=NOON)

    call_command("export_span_labels", "--tenant", "school", "--to", str(tmp_path / "marked.jsonl"), stdout=StringIO())

    assert read(tmp_path / "marked.jsonl") == [Sentence("讲得好", (Span(0, 3, "Positive"),))]
    with pytest.raises(CommandError, match="no tenant nowhere"):
        call_command("export_span_labels", "--tenant", "nowhere", "--to", str(tmp_path / "marked.jsonl"))


def test_marking_again_replaces_and_nonsense_is_refused(maker: Creator, staff: Member, client: APIClient) -> None:
    (comment,) = said(things.video(maker), "abc")
    asked, path = make.client(staff), "/api/v1/span-labels/"
    for spans in ([[0, 1, "Negative"]], []):
        operations.label_spans(comment=comment, by=staff, spans=spans, at=NOON)

    assert SpanLabel.objects.get().spans == []
    beyond = {"comment": comment.pk, "spans": [{"start": 0, "end": 4, "label": "Positive"}]}
    assert asked.post(path, beyond).json()["code"] == "bad_spans"
    assert client.post(path, beyond).status_code == 403
    assert asked.post(path, {"comment": 0, "spans": []}).status_code == 400
    with pytest.raises(Refused):
        operations.label_spans(comment=comment, by=comment.viewer, spans=[], at=NOON)
