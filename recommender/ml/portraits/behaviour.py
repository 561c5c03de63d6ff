"""What a viewer does next: a GRU over what they did, with a head each for topic, item and hour.

Shapes: B viewers, T places, D dimensions, C tokens of a head. Follows "Session-based Recommendations with Recurrent
Neural Networks" (Hidasi et al., 2016), section 3.1, with softmax over all tokens in the place of sampled pairs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from recommender.ml.arrays import Floats, Ints
from recommender.ml.model import Progress
from recommender.ml.portraits.sequences import HEADS, Sequences, learned

START = 0.1  # spread of the embeddings at the start: from a larger one, rare items drown what is common


@dataclass(frozen=True)
class Config:
    """How large the network is and how long it learns."""

    sizes: Mapping[str, int]  # C per head
    width: int = 64
    dropout: float = 0.1
    epochs: int = 10
    batch: int = 64
    rate: float = 3e-3


class Behaviour(nn.Module):
    """Tokens in, one vector per place, one score per token of each head out."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.sizes = config.sizes
        self.embed = nn.ModuleDict(
            {head: nn.Embedding(config.sizes[head], config.width, padding_idx=0) for head in HEADS}
        )
        self.dropout = nn.Dropout(config.dropout)
        for weights in self.embed.parameters():
            weights.data.mul_(START)
        self.past = nn.GRU(len(HEADS) * config.width, config.width, batch_first=True)
        self.heads = nn.ModuleDict({head: nn.Linear(config.width, config.sizes[head]) for head in HEADS})

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Map tokens (B, T) of each head to what is known of the viewer at each place (B, T, D)."""
        x = torch.cat([self.embed[head](tokens[head]) for head in HEADS], -1)  # (B, T, 3 D)
        x, _ = self.past(self.dropout(x))  # (B, T, D)
        known: Tensor = self.dropout(x)
        return known


def loss(model: Behaviour, tokens: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
    """Return the sum of the heads' mean cross-entropies at the places that have a target (B, T)."""
    known = model(tokens)  # (B, T, D)
    total: Tensor = known.new_zeros(())
    for head in HEADS:
        asked = targets[head] > 0  # (B, T)
        if asked.any():
            total = total + cross_entropy(model.heads[head](known[asked]), targets[head][asked])
    return total


def fit(
    found: Sequences, *, config: Config, seed: int, device: str = "cpu", progress: Progress | None = None
) -> Behaviour:
    """Learn what came next, except for what is withheld of each viewer."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    tokens = {head: _on(found.tokens[head], device) for head in HEADS}
    targets = {head: _on(learned(found, head), device) for head in HEADS}
    model = Behaviour(config).to(device).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.rate)
    for epoch in range(config.epochs):
        for rows in np.array_split(rng.permutation(len(found)), max(1, len(found) // config.batch)):
            error = loss(model, _rows(tokens, rows), _rows(targets, rows))
            optimiser.zero_grad()
            error.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        if progress:
            progress(epoch + 1, config.epochs)
    return model.eval()


@torch.inference_mode()
def foretell(model: Behaviour, found: Sequences, *, places: Ints | None = None, batch: int = 512) -> dict[str, Floats]:
    """Return the chance of each token to come next (B, C) of each head: after the last event, or at places (B,)."""
    device = next(model.parameters()).device
    at = np.full(len(found), -1) if places is None else places
    parts: dict[str, list[Floats]] = {head: [np.zeros((0, model.sizes[head]), np.float32)] for head in HEADS}
    for first in range(0, len(found), batch):
        rows = np.arange(first, min(first + batch, len(found)))
        known = model({head: _on(found.tokens[head][rows], device) for head in HEADS})  # (b, T, D)
        known = known[torch.arange(len(rows)), torch.as_tensor(at[rows])]  # (b, D)
        for head in HEADS:
            picked = model.heads[head](known)  # (b, C)
            picked[:, 0] = -torch.inf
            parts[head].append(picked.softmax(-1).float().cpu().numpy())
    return {head: np.concatenate(parts[head]) for head in HEADS}


def _on(values: np.ndarray, device: torch.device | str) -> Tensor:
    return torch.as_tensor(values.astype(np.int64), device=device)


def _rows(columns: Mapping[str, Tensor], rows: np.ndarray) -> dict[str, Tensor]:
    picked = torch.as_tensor(rows)
    return {head: column[picked] for head, column in columns.items()}
