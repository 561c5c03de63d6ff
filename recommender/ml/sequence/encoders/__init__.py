"""Encoders of sequences, each `forward(x (B, T, D), relations (B, T, T)) -> (B, T, D)` and none looking ahead."""

from collections.abc import Mapping

from recommender.ml.sequence.encoders.convolution import Convolution
from recommender.ml.sequence.encoders.encoder import Encoder
from recommender.ml.sequence.encoders.gru import GRU
from recommender.ml.sequence.encoders.lstm import LSTM
from recommender.ml.sequence.encoders.transformer import Transformer

ENCODERS: Mapping[str, type[Encoder]] = {
    "transformer": Transformer,
    "gru": GRU,
    "lstm": LSTM,
    "convolution": Convolution,
}
