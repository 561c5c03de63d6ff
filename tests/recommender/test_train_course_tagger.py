"""The command that trains the tagger, from a file to a folder."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recommender.ml.tagger.sentences import SPLITS, Sentence, write
from recommender.ml.tagger.tagger import Tagger
from tests.recommender.ml.tagger.planted import reviews


@pytest.fixture
def data(tmp_path: Path) -> Path:
    said = [Sentence(of.text, of.spans, split) for split in SPLITS for of in reviews()]
    write(tmp_path / "said.jsonl", said)
    return tmp_path / "said.jsonl"


def test_it_prints_losses_and_reports_and_writes_a_tagger(data: Path, tmp_path: Path) -> None:
    printed = StringIO()

    call_command(
        "train_course_tagger",
        *("--epochs", "2", "--batch-size", "8", "--lr", "2e-5", "--max-len", "32", "--model", "small"),
        *("--data", str(data), "--to", str(tmp_path / "tagger")),
        stdout=printed,
    )

    said = printed.getvalue()
    assert [f"epoch {number}: loss" in said for number in (1, 2, 3)] == [True, True, False]
    assert said.count("dev\n") == 2
    assert said.count("Negative ") == 3
    assert "test\n" in said
    tagger = Tagger.load(tmp_path / "tagger")
    assert tagger.longest == 32
    assert {"O", "Positive", "Negative"} <= set(tagger.facts["test"])


def test_what_cannot_be_learned_from_is_refused_by_code(data: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{}")

    for asked, code in ((["--data", tmp_path / "bad.jsonl"], "no_text"), (["--model", tmp_path], "no_encoder")):
        with pytest.raises(CommandError, match=code):
            call_command("train_course_tagger", "--data", str(data), *map(str, asked), "--to", str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()
