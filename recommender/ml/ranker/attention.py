"""A viewer's history, read anew for every candidate: what is like the candidate counts most.

Target attention as in "Deep Interest Network" (Zhou et al., KDD 2018, section 4.3), with the dot product in place of
an MLP over pairs, so that 500 candidates take milliseconds; then one MLP with a head for each thing foretold.
Shapes: B questions, T places of a history (B or 1 of them), F features, D dimensions, H heads, V items.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.ml.ranker.histories import OUTCOMES
from recommender.ml.ranker.targets import CHANCES, HEADS, PLACES, QUANTILES

SCALE_S = 60.0  # seconds are learned in minutes
FAR = 5.0  # features are cut off at so many standard deviations


@dataclass(frozen=True)
class Shape:
    """How large a network is, by the world that it learns."""

    items: int
    creators: int
    topics: int
    features: int
    length: int
    width: int = 32
    hidden: int = 128
    attention_heads: int = 2
    dropout: float = 0.2


class Attention(nn.Module):
    """Told of a candidate: its features, itself, and what of the history is like it."""

    creator: Tensor
    topic: Tensor
    mean: Tensor
    spread: Tensor

    def __init__(self, shape: Shape, *, creator: Tensor, topic: Tensor, mean: Tensor, spread: Tensor) -> None:
        """Take of items (V + 1,) the creator and topic, 0 for unknown; of features (F,) the mean and spread."""
        super().__init__()
        self.shape = shape
        for name, told in (("creator", creator), ("topic", topic), ("mean", mean), ("spread", spread)):
            self.register_buffer(name, told)
        self.of_item = nn.Embedding(shape.items + 1, shape.width)
        self.of_creator = nn.Embedding(shape.creators + 1, shape.width)
        self.of_topic = nn.Embedding(shape.topics + 1, shape.width)
        self.of_outcome = nn.Linear(OUTCOMES, shape.width)
        self.of_place = nn.Parameter(torch.zeros(shape.length, shape.attention_heads))
        self.query, self.key, self.value = (nn.Linear(shape.width, shape.width) for _ in range(3))
        self.drop = nn.Dropout(shape.dropout)
        self.mlp = nn.Sequential(
            nn.Linear(shape.features + 3 * shape.width, shape.hidden),
            nn.ReLU(),
            nn.Dropout(shape.dropout),
            nn.Linear(shape.hidden, shape.hidden // 2),
            nn.ReLU(),
            nn.Linear(shape.hidden // 2, len(HEADS)),
        )
        for table in (self.of_item, self.of_creator, self.of_topic):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, features: Tensor, candidate: Tensor, item: Tensor, outcome: Tensor, present: Tensor) -> Tensor:
        """Map features (B, F), candidates (B,) and histories (B or 1, T) to raw heads (B, H)."""
        seen = ((features - self.mean) / self.spread).clamp(-FAR, FAR)  # (B, F)
        candidate_vector = self._vector(candidate)  # (B, D)
        history = self._vector(item) + self.of_outcome(outcome)  # (B or 1, T, D)
        liked = self.attend(candidate_vector, history, present)  # (B, D)
        told = [seen, *(self.drop(part) for part in (candidate_vector, liked, candidate_vector * liked))]
        raw = self.mlp(torch.cat(told, dim=-1))  # (B, H)
        return torch.where(self._of_seconds(raw), raw * SCALE_S, raw)

    def attend(self, candidate: Tensor, history: Tensor, present: Tensor) -> Tensor:
        """Return what is read of histories (B or 1, T, D) for candidates (B, D): (B, D), 0 where there is none."""
        heads = self.shape.attention_heads
        width = self.shape.width // heads
        query = self.query(candidate).view(-1, heads, 1, width)  # (B, heads, 1, D / heads)
        length = history.shape[1]
        key, value = (
            part(history).view(-1, length, heads, width).transpose(1, 2) for part in (self.key, self.value)
        )  # (B or 1, heads, T, D / heads)
        weights = query @ key.transpose(2, 3) / width**0.5 + self.of_place.t()[:, None]  # (B, heads, 1, T)
        weights = weights.masked_fill(present[:, None, None] == 0, -1e9).softmax(-1) * present[:, None, None]
        read: Tensor = (weights @ value).reshape(-1, self.shape.width)
        return read

    def _vector(self, item: Tensor) -> Tensor:
        """Return the vectors of items: their own, their creator's and their topic's."""
        own: Tensor = self.of_item(item)
        told: Tensor = own + self.of_creator(self.creator[item]) + self.of_topic(self.topic[item])
        return told

    def _of_seconds(self, raw: Tensor) -> Tensor:
        return torch.tensor([head in QUANTILES for head in HEADS], device=raw.device).expand_as(raw)


def loss(raw: Tensor, labels: Tensor) -> Tensor:
    """Return the sum over heads of the mean loss over known labels, raw and labels (B, H), NaN where unknown.

    Cross-entropy for chances, the pinball loss for quantiles, the square for places (CQE, section 3.2; D2Q, 3.3).
    """
    total = raw.new_zeros(())
    for place, head in enumerate(HEADS):
        known = ~labels[:, place].isnan()
        told, right = raw[known, place], labels[known, place]
        if len(told):
            total = total + _loss(head, told, right)
    return total


def _loss(head: str, told: Tensor, right: Tensor) -> Tensor:
    if head in CHANCES:
        return functional.binary_cross_entropy_with_logits(told, right)
    if head in PLACES:
        return functional.mse_loss(told, right)
    over = (right - told) / SCALE_S
    return torch.maximum(QUANTILES[head] * over, (QUANTILES[head] - 1) * over).mean()
