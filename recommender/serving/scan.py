"""The largest of many inner products, exactly, though eight bits of each number are looked at first.

A vector is rounded to whole numbers, v ≈ s q, another to u ≈ t a; then u·v lies within s B of s t a·q, with
B = ‖u‖ ρ + ‖u − t a‖ ν, where ρ and ν are the largest ‖v / s − q‖ and ‖q‖ of all. Where so many lower bounds reach a
number, only those are worked out whose upper bound does. The products of whole numbers take a tenth of the time of
floats', for a quarter of the memory passes by. Seven bits of u and eight of v add up in sixteen on any processor.
Shapes: V vectors of D dimensions.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from recommender.ml.arrays import Floats, Longs, Octets

WORTH_IT = 10_000  # vectors: fewer are multiplied as they are
OF_VECTORS, OF_THE_OTHER = 127, 63  # largest whole numbers
ROUNDED = 2e-6  # of the largest product there could be: more than single precision loses
ROWS = 32  # scores in a block
ROWS_AT_ONCE = 10_000
FEW = 0.1  # of all scores: more are worked out with all the others, which are multiplied where they lie
OPSET, IR = 17, 8


class Bounds(NamedTuple):
    """Products (V,) lie between these."""

    low: Floats
    high: Floats


class Scan:
    """Vectors (V, D) rounded to eight bits. One with NaN or infinity in it has no product: its bounds are NaN."""

    def __init__(self, vectors: Floats) -> None:
        rounded, self.steps = np.empty(vectors.shape, np.int8), np.empty(len(vectors), np.float32)
        self.lost = self.long = 0.0  # ρ, ν
        for start in range(0, len(vectors), ROWS_AT_ONCE):  # or it would take three times the memory of all vectors
            block = slice(start, start + ROWS_AT_ONCE)
            self.steps[block] = _steps(vectors[block])
            whole = np.nan_to_num(vectors[block] / self.steps[block, None], copy=False)
            rounded[block] = near = np.rint(whole)
            self.lost, self.long = max(self.lost, _longest(whole - near)), max(self.long, _longest(near))
        options = onnxruntime.SessionOptions()  # a thread of its own: requests run side by side, not each on all cores
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(_program(rounded), options, providers=["CPUExecutionProvider"])
        self.nbytes = 2 * rounded.nbytes + self.steps.nbytes  # the session keeps its program, and a copy to multiply by

    def bounds(self, vector: Floats) -> Bounds:
        """Return what the products of all with a vector (D,) of finite numbers lie between."""
        step = max(float(np.abs(vector).max(initial=0)), 1e-30) / OF_THE_OTHER
        scaled = vector / step
        whole = np.rint(scaled)
        (products,) = self._session.run(None, {"vector": (whole + OF_THE_OTHER + 1).astype(np.uint8)[None]})
        own, off_by = np.linalg.norm(scaled), np.linalg.norm(scaled - whole)
        off = np.float32(own * (self.lost + ROUNDED * self.long) + off_by * self.long)
        low: Floats = products[0].astype(np.float32)
        high = low + off
        low -= off
        scale = self.steps * np.float32(step)
        low *= scale
        high *= scale
        return Bounds(low, high)


def _steps(vectors: Floats) -> Floats:
    """Return the steps of vectors (B,), NaN for one with NaN or infinity in it."""
    largest_of = np.abs(vectors).max(axis=1, initial=0).astype(np.float32)
    return np.where(np.isfinite(largest_of), np.maximum(largest_of, 1e-30) / OF_VECTORS, np.float32(np.nan))


def _longest(vectors: Floats) -> float:
    return float(np.sqrt(np.einsum("bd,bd->b", vectors, vectors).max(initial=0)))


def _program(rounded: Octets) -> bytes:
    """Return an ONNX program from a vector (1, D) of bytes, zero at OF_THE_OTHER + 1, to products (1, V)."""
    many, wide = rounded.shape
    node = helper.make_node("MatMulInteger", ["vector", "vectors", "zero"], ["products"])
    told = helper.make_tensor_value_info("vector", TensorProto.UINT8, [1, wide])
    said = helper.make_tensor_value_info("products", TensorProto.INT32, [1, many])
    columns = np.ascontiguousarray(rounded.T)
    parts = [numpy_helper.from_array(columns, "vectors")]
    parts.append(numpy_helper.from_array(np.array(OF_THE_OTHER + 1, np.uint8), "zero"))
    graph = helper.make_graph([node], "scan", [told], [said], initializer=parts)
    opset = [helper.make_opsetid("", OPSET)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=IR).SerializeToString())


def least_of(scores: Floats, k: int) -> np.float32:
    """Return a number that at least k of scores (V,) reach, if so many are finite, and hardly more than k.

    It is the k-th largest of the maxima of blocks, found without partitioning all V.
    """
    blocks, least = len(scores) // ROWS, np.finfo(np.float32).min
    if blocks <= k:
        return np.float32(least)
    maxima = np.fmax.reduce(scores[: blocks * ROWS].reshape(ROWS, blocks), axis=0)
    maxima[np.isnan(maxima)] = -np.inf
    return np.float32(max(least, np.partition(maxima, blocks - k)[blocks - k]))


def largest(scores: Floats, k: int) -> Longs:
    """Return the places of the k largest of scores (V,), best first, ties by place; −inf and NaN are left out."""
    found = np.flatnonzero(scores >= least_of(scores, k))
    return found[np.argsort(-scores[found], kind="stable")][:k]


def largest_within(bounds: Bounds, exact: Callable[[Longs | slice], Floats], k: int) -> Longs:
    """Return the same of scores between bounds (V,): they are worked out for those that could be among the k."""
    could_be = np.flatnonzero(bounds.high >= least_of(bounds.low, k))
    are_few = len(could_be) <= FEW * len(bounds.high)
    return could_be[largest(exact(could_be) if are_few else exact(slice(None))[could_be], k)]
