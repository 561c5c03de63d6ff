"""Marked texts as lines of JSON: what is wrong is said with its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from recommender.ml.tagger.sentences import SHIPPED, BrokenSentences, Sentence, Span, parts, read, write

TEXT = "Clear, but dear."


def test_sentences_are_read_as_they_were_written(tmp_path: Path) -> None:
    said = [Sentence(TEXT, (Span(0, 5, "Positive"), Span(11, 15, "Negative")), "dev"), Sentence("讲得好"), Sentence("")]

    write(tmp_path / "new" / "said.jsonl", said)

    assert read(tmp_path / "new" / "said.jsonl") == said


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "not_json"),
        ("[]", "no_text"),
        ({"text": 5}, "no_text"),
        ({"text": TEXT, "split": "exam"}, "bad_split"),
        ({"text": TEXT, "spans": 3}, "bad_span"),
        ({"text": TEXT, "spans": [[0, 5]]}, "bad_span"),
        ({"text": TEXT, "spans": [["0", 5, "Positive"]]}, "bad_span"),
        ({"text": TEXT, "spans": [[0, 17, "Positive"]]}, "bad_span"),
        ({"text": TEXT, "spans": [[5, 5, "Positive"]]}, "bad_span"),
        ({"text": TEXT, "spans": [[0, 5, "Great"]]}, "unknown_label"),
        ({"text": TEXT, "spans": [[0, 5, "Positive"], [4, 8, "Negative"]]}, "spans_overlap"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: Any, code: str) -> None:
    path = tmp_path / "said.jsonl"
    path.write_text('{"text": "fine"}\n\n' + (line if isinstance(line, str) else json.dumps(line)))

    with pytest.raises(BrokenSentences, match=r"said\.jsonl, line 3") as broken:
        read(path)

    assert broken.value.code == code


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenSentences) as broken:
        read(tmp_path / "nothing")

    assert broken.value.code == "unreadable"


def test_what_has_no_split_is_dealt_by_its_text() -> None:
    said = [Sentence(f"text {number}") for number in range(500)]

    dealt = parts([*said, *said])

    assert 300 < len(set(dealt["train"])) < 450
    assert not {of.text for of in dealt["train"]} & {of.text for of in [*dealt["dev"], *dealt["test"]]}


def test_without_sentences_to_judge_by_nothing_is_learned() -> None:
    with pytest.raises(BrokenSentences, match="dev, test") as broken:
        parts([Sentence("a", split="train")])

    assert broken.value.code == "empty_split"


def test_the_shipped_reviews_are_judged_by_what_was_not_learned() -> None:
    dealt = parts(read(SHIPPED))
    said = {
        name: {of.text[span.start : span.end] for of in found for span in of.spans} for name, found in dealt.items()
    }

    assert (len(dealt["train"]), len(dealt["dev"]), len(dealt["test"])) == (1_500, 200, 300)
    assert not {of.text for of in dealt["train"]} & {of.text for of in dealt["test"]}
    assert len(said["test"] - said["train"]) > 0.25 * len(said["test"])
