"""A trained network as an ONNX program that any process can run without torch. Shapes: B viewers, T places."""

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from recommender.ml.sequence.network import LastPlace, Network

OPSET = 20
EXAMPLE = (2, 5)  # B and T while it is traced; both stay free
FREE = torch.export.Dim.DYNAMIC


def onnx(network: Network) -> bytes:
    """Return the program that maps vectors, gaps, waits, lengths and relations to viewers' vectors (B, D)."""
    B, T = EXAMPLE
    of_places = (torch.zeros(B, T, dtype=torch.int32), {0: FREE, 1: FREE})
    inputs = {
        "vectors": (torch.zeros(B, T, network.item.shape[1]), {0: FREE, 1: FREE}),
        "gaps": of_places,
        "waits": of_places,
        "lengths": (torch.ones(B, dtype=torch.int64), {0: FREE}),
    }
    if network.reader.pairwise:
        inputs["relations"] = torch.zeros(B, T, T, dtype=torch.int32), {0: FREE, 1: FREE, 2: FREE}
    with _quiet():
        program = torch.onnx.export(
            LastPlace(copy.deepcopy(network).eval().cpu()),
            kwargs={name: example.clone() for name, (example, _) in inputs.items()},
            dynamic_shapes={name: free for name, (_, free) in inputs.items()},
            input_names=list(inputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    written: bytes = program.model_proto.SerializeToString()
    return written


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch from telling every log of each symbol that it traces and each library that it does not find."""
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in ("torch.__trace", "torch.onnx")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in levels:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in levels.items():
                logger.setLevel(level)
