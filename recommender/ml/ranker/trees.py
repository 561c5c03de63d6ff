"""Trees as an ONNX program (ai.onnx.ml, TreeEnsembleRegressor): one node, whatever grew them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

OPSETS = (("", 17), ("ai.onnx.ml", 3))
IR = 8

Tree = Mapping[str, Any]  # LightGBM's tree_structure


def trees(dumped: Mapping[str, Any]) -> list[Tree]:
    """Return the trees of LightGBM's dumped model."""
    return [tree["tree_structure"] for tree in dumped["tree_info"]]


@dataclass
class _Nodes:
    """The columns of the operator."""

    nodes: dict[str, list[Any]] = field(default_factory=dict)
    targets: dict[str, list[Any]] = field(default_factory=dict)
    many: int = 0  # trees

    def add(self, tree: Tree, head: int) -> None:
        """Lay a tree down, a node after the other; its leaves count for a head."""
        waiting, number = [tree], 0
        while number < len(waiting):
            node = waiting[number]
            if "leaf_value" in node:
                self._node(number, feature=0, value=0.0, mode="LEAF", yes=0, no=0)
                self._leaf(number, head, node["leaf_value"])
            else:
                waiting += [node["left_child"], node["right_child"]]
                yes, no = len(waiting) - 2, len(waiting) - 1
                value = _at_most(node["threshold"])
                self._node(number, feature=node["split_feature"], value=value, mode="BRANCH_LEQ", yes=yes, no=no)
            number += 1
        self.many += 1

    def _node(self, number: int, *, feature: int, value: float, mode: str, yes: int, no: int) -> None:
        told = {"treeids": self.many, "nodeids": number, "featureids": feature, "values": value, "modes": mode,
                "truenodeids": yes, "falsenodeids": no, "missing_value_tracks_true": 0}  # fmt: skip
        for name, of in told.items():
            self.nodes.setdefault(f"nodes_{name}", []).append(of)

    def _leaf(self, number: int, head: int, weight: float) -> None:
        told = {"treeids": self.many, "nodeids": number, "ids": head, "weights": weight}
        for name, of in told.items():
            self.targets.setdefault(f"target_{name}", []).append(of)


def _at_most(threshold: float) -> float:
    """Return the largest single-precision number that is no larger: x ≤ t holds for the same single-precision x."""
    single = np.float32(threshold)
    return float(single if float(single) <= threshold else np.nextafter(single, np.float32(-np.inf)))


def program(
    grown: Mapping[str, Sequence[Tree]], *, base: Mapping[str, float], heads: Sequence[str], width: int
) -> bytes:
    """Return what maps features (n, width) to a base and the sum of the trees of each head: (n, H)."""
    laid = _Nodes()
    for place, head in enumerate(heads):
        for tree in grown.get(head) or [{"leaf_value": 0.0}]:
            laid.add(tree, place)
    told: dict[str, Any] = {"n_targets": len(heads), "base_values": [float(base[head]) for head in heads]}
    told |= {**laid.nodes, **laid.targets, "post_transform": "NONE", "aggregate_function": "SUM"}
    node = helper.make_node("TreeEnsembleRegressor", ["features"], ["raw"], domain="ai.onnx.ml", **told)
    graph = helper.make_graph(
        [node],
        "trees",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("raw", TensorProto.FLOAT, [None, len(heads)])],
    )
    opsets = [helper.make_opsetid(*opset) for opset in OPSETS]
    written: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=IR).SerializeToString()
    onnx.checker.check_model(written)
    return written
