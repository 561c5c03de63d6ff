"""One step of learning: a batch in, its loss out."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.ml.sequence.losses import draw, next_item
from recommender.ml.sequence.network import Network
from recommender.ml.sequence.windows import Batch


class Learner(nn.Module):
    """A network with its loss, so that what several processes share is one module."""

    def __init__(self, network: Network, *, frequency: Tensor, negatives: int, narrow: bool) -> None:
        super().__init__()
        self.network = network
        self.negatives, self.narrow = negatives, narrow
        self.register_buffer("frequency", frequency, persistent=False)  # (V,) share of the events
        self.frequency: Tensor

    def forward(self, batch: Batch) -> Tensor:
        """Return the sum of the loss over the batch's targets."""
        table = self.network.vectors()  # (V, D)
        with torch.autocast(batch.items.device.type, torch.bfloat16, enabled=self.narrow):
            x = functional.embedding(batch.items, table)
            hidden = self.network(x, batch.gaps, batch.waits, batch.relations)  # (B, T, D)
        real = batch.targets >= 0
        targets = batch.targets[real]  # (N,)
        said = hidden[real].bfloat16() if self.narrow else hidden[real]  # (N, D)
        drawn = draw(targets, frequency=self.frequency, count=self.negatives) if self.negatives else None
        return next_item(said, table, self.network.bias, targets, drawn)


def narrow(device: str) -> bool:
    """Return whether half precision is the faster one there."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    can = torch.cpu.get_capabilities()
    return bool(can.get("amx_bf16") or can.get("avx512_bf16"))
