"""A memory kept apart from what is said of it: long short-term memory.

Follows "Long Short-Term Memory" (Hochreiter and Schmidhuber, 1997) with forget gates (Gers et al., 2000), used as
"Recurrent Neural Networks with Top-k Gains for Session-based Recommendations" (Hidasi and Karatzoglou, 2018) uses
recurrent layers. Shapes: B viewers, T places, D dimensions.
"""

from torch import Tensor, nn

from recommender.ml.sequence.encoders.encoder import Dropout, Encoder


class LSTM(Encoder):
    """Layers of long short-term memory, the input added to what they say."""

    def __init__(self, *, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__(width=width, layers=layers, heads=heads, dropout=dropout)
        self.cells = nn.ModuleList(nn.LSTM(width, width, batch_first=True) for _ in range(layers))
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, relations: Tensor | None = None) -> Tensor:
        for cell in self.cells:
            x = x + self.dropout(cell(x)[0])  # (B, T, D)
        return x
