"""How well words are tagged: precision, recall and F1 of each tag, and a baseline that knows words and no sentences."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.metrics import classification_report

from recommender.ml.tagger.pieces import IGNORED, targets, windows
from recommender.ml.tagger.sentences import LABELS, Sentence
from recommender.ml.tagger.tagger import Tagger


@dataclass(frozen=True)
class Report:
    """The figures by row (O, Positive, Negative, averages), and the same as text."""

    rows: dict[str, Any]
    text: str

    @property
    def macro_f1(self) -> float:
        """Return the mean F1 of the tags."""
        return float(self.rows["macro avg"]["f1-score"])


def judged(tagger: Tagger, sentences: Sequence[Sentence]) -> Report:
    """Return how well the words of sentences are tagged, as far as they are read at once."""
    read = windows(tagger.tokenizer, [of.text for of in sentences], longest=tagger.longest, whole=False)
    truth = [label for window in read for label in targets(window, sentences[window.text]) if label != IGNORED]
    return report(truth, [word.label for word in tagger.words(read)])


def report(truth: Sequence[int], said: Sequence[int]) -> Report:
    """Return the figures of flat lists of tags (words,): of all three rows, whether or not they are met."""
    asked: dict[str, Any] = {"labels": range(len(LABELS)), "target_names": LABELS, "zero_division": 0}
    figures = classification_report(truth, said, output_dict=True, **asked)
    return Report(figures, classification_report(truth, said, digits=3, **asked))


def by_word(tagger: Tagger, train: Sequence[Sentence], sentences: Sequence[Sentence]) -> Report:
    """Return how well words are tagged by what the same word was most often in training."""
    seen: dict[int, Counter[int]] = defaultdict(Counter)
    for piece, label in _first_pieces(tagger, train):
        seen[piece][label] += 1
    asked = _first_pieces(tagger, sentences)
    said = [seen[piece].most_common(1)[0][0] if piece in seen else 0 for piece, _ in asked]
    return report([label for _, label in asked], said)


def _first_pieces(tagger: Tagger, sentences: Sequence[Sentence]) -> list[tuple[int, int]]:
    read = windows(tagger.tokenizer, [of.text for of in sentences], longest=tagger.longest, whole=False)
    return [
        (piece, label)
        for window in read
        for piece, label in zip(window.pieces, targets(window, sentences[window.text]), strict=True)
        if label != IGNORED
    ]
