"""Spans of praise and blame: learned, found in odd texts too, judged word by word, saved and loaded."""

from pathlib import Path

import pytest
import torch

from recommender.ml.tagger import fitting
from recommender.ml.tagger.beginning import Sizes, begin, finish
from recommender.ml.tagger.fitting import Config, fit
from recommender.ml.tagger.judging import by_word, judged, report
from recommender.ml.tagger.pieces import IGNORED, padded, padded_targets, targets, windows
from recommender.ml.tagger.sentences import Sentence, Span
from recommender.ml.tagger.tagger import NoTagger, Tagger
from recommender.ml.text import NoEncoder, weights_folder
from recommender.ml.text_heads import headed
from tests.recommender.ml.tagger.planted import SMALL, fitted, reviews

P, N = "Positive", "Negative"


def test_tags_stand_at_the_first_piece_of_each_word() -> None:
    """[CLS] 讲 得 好 , un ##known bad [SEP]: 'unknown' is one word of several pieces, the tokenizer's own have none."""
    begun = begin(["讲得好, un known bad"], folder=None, sizes=Sizes(width=8, layers=1, heads=1))
    said = Sentence("讲得好, unbad bad", (Span(0, 3, P), Span(11, 14, N)))

    (window,) = windows(begun.tokenizer, [said.text], longest=20, whole=False)

    pieces = begun.tokenizer.convert_ids_to_tokens(window.pieces)
    assert pieces[:5] == ["[CLS]", "讲", "得", "好", ","]
    assert pieces[5:] == ["un", "##b", "##a", "##d", "bad", "[SEP]"]
    assert targets(window, said) == [IGNORED, 1, 1, 1, 0, 0, IGNORED, IGNORED, IGNORED, 2, IGNORED]


def test_tags_are_cut_off_where_the_pieces_are() -> None:
    tagger, _ = fitted()
    said = Sentence("好" * 500, (Span(0, 500, P),))

    (window,) = windows(tagger.tokenizer, [said.text], longest=24, whole=False)

    assert len(targets(window, said)) == len(window.pieces) == 24
    assert targets(window, said).count(1) == 22


def test_padding_and_the_tokenizers_own_are_in_no_loss() -> None:
    """The same two texts have the same loss whether or not a long one stands beside them and pads them."""
    tagger, _ = fitted()
    texts = ["讲得很清楚。", "很难"]
    read = windows(tagger.tokenizer, texts, longest=24, whole=False)
    aims = [[1 if of >= 0 else of for of in targets(window, Sentence(texts[window.text]))] for window in read]
    single = [
        float(fitting.loss(tagger.model, padded(tagger.tokenizer, [window], "cpu"), torch.tensor([aim])).detach())
        for window, aim in zip(read, aims, strict=True)
    ]

    pieces = padded(tagger.tokenizer, read, "cpu")
    both = fitting.loss(tagger.model, pieces, padded_targets(aims, pieces["input_ids"].shape[1]))

    words = [sum(of >= 0 for of in aim) for aim in aims]
    assert both.item() == pytest.approx((single[0] * words[0] + single[1] * words[1]) / sum(words), abs=1e-5)


def test_a_batch_without_a_word_has_no_loss() -> None:
    tagger, _ = fitted()
    read = windows(tagger.tokenizer, ["", ""], longest=24, whole=False)
    aims = padded_targets([targets(of, Sentence("")) for of in read], 2)

    assert fitting.loss(tagger.model, padded(tagger.tokenizer, read, "cpu"), aims).item() == 0


def test_one_batch_is_learned_by_heart() -> None:
    batch = reviews()[:6]

    tagger = fit(batch, batch, config=Config(**{**vars(SMALL), "epochs": 60}), seed=0)

    assert judged(tagger, batch).rows["accuracy"] == 1
    found = tagger.tag([of.text for of in batch])
    assert [[Span(*of[:3]) for of in spans] for spans in found] == [list(of.spans) for of in batch]
    assert all(0.5 < of.chance <= 1 for spans in found for of in spans)


def test_each_epoch_tells_its_loss_and_its_report() -> None:
    tagger, epochs = fitted()

    assert [of.number for of in epochs] == list(range(1, 7))
    assert epochs[-1].loss < epochs[0].loss / 2
    assert max(of.dev.macro_f1 for of in epochs) == judged(tagger, reviews()).macro_f1 > 0.9


def test_a_report_has_all_rows_whatever_was_met() -> None:
    """Of four words two were O and found, one praise was found, one missed: precision 1, recall 1/2."""
    found = report([0, 0, 1, 1], [0, 0, 1, 0])

    assert [name for name in found.rows if name in {"O", P, N}] == ["O", P, N]
    assert found.rows[P] == {"precision": 1.0, "recall": 0.5, "f1-score": pytest.approx(2 / 3), "support": 2.0}
    assert found.rows[N]["support"] == 0
    assert all(name in found.text for name in ("O", P, N))


def test_words_alone_cannot_tell_what_a_sentence_says() -> None:
    tagger, _ = fitted()

    assert by_word(tagger, reviews(), reviews()).macro_f1 < judged(tagger, reviews()).macro_f1


def test_odd_texts_are_tagged_or_have_nothing_to_tag() -> None:
    tagger, _ = fitted()

    empty, spaces, marks, unknown = tagger.tag(["", "   ", "！！！？？。。", "\U0001f600 żółć"])

    assert (empty, spaces) == ([], [])
    assert all(0 <= of.start < of.end <= 7 for of in [*marks, *unknown])
    assert tagger.tag([]) == []


def test_an_overlong_text_is_tagged_to_its_end() -> None:
    tagger, _ = fitted()
    text = "今天开始学。" * 20 + "我觉得讲得很清楚，谢谢"

    (spans,) = tagger.tag([text])

    assert any(of.label == P and of.start > 110 for of in spans)


def test_a_text_is_tagged_alike_alone_and_among_others() -> None:
    tagger, _ = fitted()
    texts = [of.text for of in reviews()] * 3

    together = tagger.tag(texts)

    assert [[of[:3] for of in spans] for spans in together[:5]] == [
        [of[:3] for of in tagger.tag([text])[0]] for text in texts[:5]
    ]


def test_a_saved_tagger_says_the_same(tmp_path: Path) -> None:
    tagger, _ = fitted()
    texts = [of.text for of in reviews()]

    for _ in range(2):  # the second takes the place of the first
        tagger.save(tmp_path / "tagger")
    found = Tagger.load(tmp_path / "tagger")

    assert found.tag(texts) == tagger.tag(texts)
    assert found.longest == 24
    assert len(found.name) == 16
    assert [path.name for path in tmp_path.iterdir()] == ["tagger"]


def test_the_same_seed_gives_the_same_tagger() -> None:
    batch, short = reviews()[:8], Config(**{**vars(SMALL), "epochs": 1})

    one, again, other = (fit(batch, batch, config=short, seed=seed).model.head.state_dict() for seed in (0, 0, 1))

    assert torch.equal(one["tags.weight"], again["tags.weight"])
    assert not torch.equal(one["tags.weight"], other["tags.weight"])


def test_a_folder_without_a_tagger_or_an_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoTagger) as refused:
        Tagger.load(tmp_path)
    with pytest.raises(NoEncoder):
        fit(reviews(), reviews(), config=SMALL, seed=0, folder=tmp_path)

    assert refused.value.code == "no_tagger"


def test_characters_that_an_encoder_lacks_are_learned_beside_those_it_knows(tmp_path: Path) -> None:
    """The packaged English weights meet Chinese: no word is unknown, and what was known is as it was."""
    begun = begin(["讲得很清楚", "clear"], folder=weights_folder(), sizes=Sizes())
    table = begun.encoder.get_input_embeddings()
    known = len(table.parametrizations.weight.original0)
    before = table.weight.detach().clone()
    pieces = begun.tokenizer("讲得清楚 clear", return_tensors="pt")

    model = headed(begun.encoder, "tag", classes=3)
    model({name: pieces[name] for name in ("input_ids", "attention_mask")}).sum().backward()
    finish(begun.encoder)
    begun.encoder.save_pretrained(tmp_path)

    assert begun.tokenizer.unk_token_id not in pieces["input_ids"]
    assert begun.new[0].shape == (4, 384)  # 清 was known
    assert begun.new[0].grad is not None
    assert begun.new[0].grad.abs().sum() > 0
    assert torch.equal(begun.encoder.get_input_embeddings().weight, before)
    assert len(before) == known + 4
