"""A network that has just been trained, as a model: judged here, served as `served.SequenceModel`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.interactions import Interactions
from recommender.ml.sequence.exporting import onnx
from recommender.ml.sequence.histories import Histories, batches
from recommender.ml.sequence.network import LastPlace, Network
from recommender.ml.sequence.served import SequenceModel


@dataclass(frozen=True)
class Fitted:
    """What a fit returns. Shapes: B viewers, T places, V items, D dimensions."""

    name: str
    item_ids: Longs  # (V,) sorted
    network: Network  # in the state for being used
    length: int  # most places of a history that are read
    device: str

    @torch.no_grad()
    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return the score of every item for viewers (B,) by their history in `data`: (B, V)."""
        table = self.network.vectors()
        said = table.new_zeros(len(viewers), table.shape[1])  # (B, D)
        for places, told in batches(data, viewers, length=self.length):
            said[torch.from_numpy(places).to(self.device)] = self._read(told, table)
        scores: Floats = torch.addmm(self.network.bias, said, table.T).cpu().numpy()
        return scores

    @torch.no_grad()
    def served(self) -> SequenceModel:
        """Return the same model for processes without torch."""
        return SequenceModel(
            name=self.name,
            item_ids=self.item_ids,
            item_vectors=self.network.vectors().cpu().numpy(),
            item_bias=self.network.bias.cpu().numpy(),
            length=self.length,
            program=onnx(self.network),
        )

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder as it will be served."""
        self.served().save(folder)

    def _read(self, told: Histories, table: Tensor) -> Tensor:
        """Return what the network says after each history (B, D): zeros where there is none."""
        read = told.inputs(pairwise=self.network.reader.pairwise)
        inputs = {name: torch.from_numpy(values).to(self.device) for name, values in read.items()}
        items = torch.from_numpy(told.items).long().to(self.device)
        said = LastPlace(self.network)(torch.nn.functional.embedding(items, table), **inputs)  # (B, D)
        known = torch.from_numpy(np.asarray(told.lengths > 0)).to(self.device)
        kept: Tensor = said * known[:, None]
        return kept
