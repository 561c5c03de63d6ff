"""With what a tagger begins: a mounted encoder that is taught the characters it lacks, or a small one of its own.

English weights know few Chinese characters. Those that stand in the training texts get embeddings of their own beside
the known ones; they are learned fast, like the head, while what was there before is only tuned.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import BertConfig, BertModel, BertTokenizer

from recommender.ml import bag, text

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class Sizes:
    """Of an encoder that begins from nothing."""

    width: int = 128
    layers: int = 2
    heads: int = 4


@dataclass(frozen=True)
class Beginning:
    """A tokenizer, an encoder, and which of its parameters nobody has learned yet."""

    tokenizer: Any
    encoder: Any
    new: tuple[nn.Parameter, ...]


class Joined(nn.Module):
    """One table of embeddings, kept as what was known and what is new."""

    def __init__(self, known: int) -> None:
        super().__init__()
        self.known = known

    def forward(self, known: Tensor, new: Tensor) -> Tensor:
        return torch.cat([known, new])

    def right_inverse(self, whole: Tensor) -> tuple[Tensor, Tensor]:
        return whole[: self.known].clone(), whole[self.known :].clone()


def begin(texts: Sequence[str], *, folder: Path | None, sizes: Sizes) -> Beginning:
    """Return what a tagger of such texts begins with. Raises NoEncoder for a folder without a model."""
    return _own(texts, sizes) if folder is None else _mounted(texts, folder)


def finish(encoder: Any) -> None:
    """Put the embeddings into one table again, as others expect them."""
    table = encoder.get_input_embeddings()
    if parametrize.is_parametrized(table):
        parametrize.remove_parametrizations(table, "weight", leave_parametrized=True)


def _own(texts: Sequence[str], sizes: Sizes) -> Beginning:
    words = {word for of in texts for word in bag.words(of) if not word.startswith("~")}
    characters = {character for of in texts for character in of.lower() if not character.isspace()}
    pieces = [*SPECIAL, *sorted(words | characters), *sorted(f"##{of}" for of in characters)]
    tokenizer = BertTokenizer(vocab={piece: at for at, piece in enumerate(pieces)}, do_lower_case=True)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=4 * sizes.width,
    )
    encoder = BertModel(config, add_pooling_layer=False)
    return Beginning(tokenizer, encoder, tuple(encoder.parameters()))


def _mounted(texts: Sequence[str], folder: Path) -> Beginning:
    tokenizer, encoder = text.loaded(folder)
    lacking = _lacking(tokenizer, texts)
    if not lacking:
        return Beginning(tokenizer, encoder, ())
    known = len(encoder.get_input_embeddings().weight)
    tokenizer.add_tokens(lacking)
    encoder.resize_token_embeddings(max(known, len(tokenizer)), mean_resizing=False)
    table = encoder.get_input_embeddings()
    if len(table.weight) == known:  # some models have rows to spare
        return Beginning(tokenizer, encoder, ())
    with torch.no_grad():
        table.weight[known:].normal_(0, float(table.weight[:known].std()))
    parametrize.register_parametrization(table, "weight", Joined(known))
    return Beginning(tokenizer, encoder, (table.parametrizations.weight.original1,))


def _lacking(tokenizer: Any, texts: Iterable[str]) -> list[str]:
    characters = sorted({character for of in texts for character in of.lower() if not character.isspace()})
    unknown = tokenizer.unk_token_id
    return [of for of in characters if unknown in tokenizer(of, add_special_tokens=False)["input_ids"]]
