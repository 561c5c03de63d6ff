"""A memory that each place updates: gated recurrent units.

Follows "Session-based Recommendations with Recurrent Neural Networks" (Hidasi et al., 2016), section 3, with the cell
of Cho et al. (2014). Shapes: B viewers, T places, D dimensions.
"""

from torch import Tensor, nn

from recommender.ml.sequence.encoders.encoder import Dropout, Encoder


class GRU(Encoder):
    """Layers of gated recurrent units, the input added to what they say."""

    def __init__(self, *, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__(width=width, layers=layers, heads=heads, dropout=dropout)
        self.cells = nn.ModuleList(nn.GRU(width, width, batch_first=True) for _ in range(layers))
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, relations: Tensor | None = None) -> Tensor:
        for cell in self.cells:
            x = x + self.dropout(cell(x)[0])  # (B, T, D)
        return x
