"""What can be put on a text encoder: a vector of the text, a class of the text, or a tag for each of its pieces.

A head takes the encoder's last layer and which of its places are there, and nothing else of the encoder, so that any of
them goes with any model that `text.loaded` finds. Shapes: n texts, T word-pieces, E the encoder's width, C classes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import normalize

HIDDEN = 64
DROPOUT = 0.1


def averaged(last: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (n, E) of the vectors (n, T, E) where the mask (n, T) is 1."""
    there = mask[..., None].to(last.dtype)  # (n, T, 1)
    return (last * there).sum(1) / there.sum(1).clamp(min=1)


def perceptron(width: int, classes: int, *, hidden: int = HIDDEN) -> nn.Sequential:
    """Return Linear, ReLU, Linear: from rows (n, E) to logits (n, C), to which the loss applies the softmax."""
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, classes))


class Embed(nn.Module):
    """A vector of length 1 for each text."""

    def forward(self, last: Tensor, mask: Tensor) -> Tensor:
        """Map (n, T, E) to (n, E)."""
        return normalize(averaged(last, mask), dim=1)


class Classify(nn.Module):
    """Logits of classes for each text."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.classes = perceptron(width, classes)

    def forward(self, last: Tensor, mask: Tensor) -> Tensor:
        """Map (n, T, E) to (n, C)."""
        logits: Tensor = self.classes(averaged(last, mask))
        return logits


class Tag(nn.Module):
    """Logits of tags for each piece."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(DROPOUT)
        self.tags = nn.Linear(width, classes)

    def forward(self, last: Tensor, mask: Tensor) -> Tensor:
        """Map (n, T, E) to (n, T, C); what is said of places that are not there means nothing."""
        logits: Tensor = self.tags(self.dropout(last))
        return logits


HEADS: Mapping[str, Callable[[int, int], nn.Module]] = {
    "embed": lambda _width, _classes: Embed(),
    "classify": Classify,
    "tag": Tag,
}


class Headed(nn.Module):
    """An encoder with a head."""

    def __init__(self, encoder: Any, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, pieces: Mapping[str, Tensor]) -> Tensor:
        """Map a tokenizer's batch to what the head makes of it."""
        last = self.encoder(**pieces).last_hidden_state  # (n, T, E)
        found: Tensor = self.head(last, pieces["attention_mask"])
        return found


def headed(encoder: Any, head: str, *, classes: int = 0) -> Headed:
    """Return the encoder with the head of this name. Raises KeyError."""
    return Headed(encoder, HEADS[head](int(encoder.config.hidden_size), classes))
