"""Models and histories with a taste that one can check in the head. Call inside a scope."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
from django.utils import timezone

from catalog.models import Item, Reaction, Watch
from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import current_tenant_id
from recommender.ml import content
from recommender.ml.arrays import Floats
from recommender.ml.cold import Cold
from recommender.ml.factors import Factors
from recommender.ml.ranker.facts import Items, Log
from recommender.ml.ranker.features import NAMES, Scale, table
from recommender.ml.ranker.ranker import Ranker
from recommender.ml.ranker.targets import HEADS
from recommender.models import ModelVersion
from recommender.serving.artefacts import store
from recommender.serving.bundle import retrieval
from recommender.serving.taste import events
from tests import make
from tests.catalog import things

LONG_AGO = timedelta(days=30)
MINUTE_MS = 60_000


def videos(count: int, *, by: Creator | None = None, age: timedelta = LONG_AGO) -> list[Item]:
    """Return videos that are no longer new, each by a creator of its own unless said otherwise."""
    published_at = timezone.now() - age
    return [things.video(by or creator(), published_at=published_at) for _ in range(count)]


def creator() -> Creator:
    """Return a creator whom nobody here runs."""
    handle = f"creator-{next(make.numbers)}"
    return Creator.objects.create(handle=handle, name=handle)


def watch(viewer: Member, item: Item, *, share: float = 1.0, at: datetime | None = None) -> Watch:
    at = at or timezone.now()
    watched = {"watch_ms": int(share * MINUTE_MS), "duration_ms": MINUTE_MS}
    return Watch.objects.create(
        event_id=uuid.uuid4(), viewer=viewer, item=item, started_at=at, received_at=at, **watched
    )


def react(viewer: Member, item: Item, kind: str = "like") -> Reaction:
    return Reaction.objects.create(viewer=viewer, item=item, kind=kind, reacted_at=timezone.now())


def tastes(*groups: Sequence[Item]) -> Factors:
    """Return a model of items that are alike within a group and have nothing in common with the others."""
    vectors = np.zeros((sum(map(len, groups)), len(groups)), np.float32)
    items = np.array([item.pk for group in groups for item in group])
    vectors[np.arange(len(items)), np.repeat(np.arange(len(groups)), [len(group) for group in groups])] = 1
    order = np.argsort(items)
    return Factors(
        name="planted",
        fold="implicit",
        numbers={"alpha": 1.0, "others": len(items), "mean": len(items), "reg": 1.0, "power": 0.0},
        viewer_ids=np.zeros(0, np.int64),
        item_ids=items[order],
        viewer_vectors=np.zeros((0, len(groups)), np.float32),
        item_vectors=vectors[order],
        item_bias=np.zeros(len(items), np.float32),
        gram=vectors.T @ vectors,
    )


def cold(model: Factors, **groups: str) -> Cold:
    """Return what places new items by one tag for each group of the model: `music="0"` is the first group."""
    out = np.zeros((content.WIDTH, model.item_vectors.shape[1]), np.float32)
    for tag, group in groups.items():
        row = content.features(titles=[""], tags=[[tag]], creators=np.array([-1])).toarray()[0]
        row[content.CONSTANT] = 0
        out[:, int(group)] += row
    return Cold(model.name, hidden=np.zeros((content.WIDTH, 0), np.float32), out=out)


def ranker(items: Sequence[Item], *, by: str = "hour", turns_at: float = 12) -> Ranker:
    """Return a ranker that loves long items after noon and short ones before it (UTC), or by another feature."""
    told = Items(
        ids=np.array(sorted(item.pk for item in items)),
        creator=np.full(len(items) + 1, -1),
        topic=np.full(len(items) + 1, -1),
        duration_ms=np.append([item.duration_ms or 0 for item in sorted(items, key=lambda item: item.pk)], 0),
        published_at=np.zeros(len(items) + 1, np.int64),
    )
    nothing = np.zeros(0, np.int64)
    log = Log.gather(events(viewer=nothing, item=nothing, at=nothing, said=nothing, watched=np.zeros(0, "f4")), told)
    scale = Scale.of(log, told)
    return Ranker("boosted", told, scale, table(log, told, scale, at=0), 0, _times_duration(by, turns_at))


def _times_duration(by: str, turns_at: float) -> bytes:
    """Return the program (feature − turn) · duration / 20,000 for the first head, 0 for the others."""

    def column(name: str) -> Floats:
        return np.eye(len(NAMES), dtype=np.float32)[:, NAMES.index(name), None]

    first = np.eye(1, len(HEADS), dtype=np.float32) / 20_000
    constants = {"by": column(by), "duration": column("duration"), "turn": np.full(1, turns_at, "f4"), "head": first}
    steps = [
        onnx.helper.make_node("MatMul", ["features", "by"], ["at"]),
        onnx.helper.make_node("Sub", ["at", "turn"], ["after"]),
        onnx.helper.make_node("MatMul", ["features", "duration"], ["length"]),
        onnx.helper.make_node("Mul", ["after", "length"], ["worth"]),
        onnx.helper.make_node("MatMul", ["worth", "head"], ["raw"]),
    ]
    number = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        steps,
        "planted",
        [onnx.helper.make_tensor_value_info("features", number, ["n", len(NAMES)])],
        [onnx.helper.make_tensor_value_info("raw", number, ["n", len(HEADS)])],
        [onnx.numpy_helper.from_array(of, name) for name, of in constants.items()],
    )
    made = onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])
    written: bytes = made.SerializeToString()
    return written


def published(*models: Factors, **parts: Any) -> ModelVersion:
    """Store the models, the best first, and the parts beside them, and publish them in place of the version before."""
    ModelVersion.objects.filter(state=ModelVersion.State.PUBLISHED).update(state=ModelVersion.State.RETIRED)
    return stored(*models, parts=parts, state=ModelVersion.State.PUBLISHED)


def tried(model: Factors, *, share: float) -> ModelVersion:
    """Store the model and try it on a share of the viewers."""
    return stored(model, state=ModelVersion.State.CANARY, canary_share=share)


def stored(*models: Factors, parts: Mapping[str, Any] = MappingProxyType({}), **fields: Any) -> ModelVersion:
    """Store the models and parts as a version in some state."""
    folder, now = uuid.uuid4().hex, timezone.now()
    whole: dict[str, Any] = {retrieval(model.name): model for model in models}
    whole |= parts
    sealed = store(whole, tenant_folder("models", folder), tenant_id=current_tenant_id())
    return ModelVersion.objects.create(
        kind=models[0].name,
        reason="planted",
        events=0,
        folder=folder,
        sha256=sealed,
        trained_at=now,
        published_at=now,
        **fields,
    )


def busy_world(
    *, viewers: int = 60, each: int = 14, liking: bool = True, seed: int = 1
) -> tuple[list[Item], list[Item]]:
    """Let each viewer watch some of one of two groups of thirty videos, to the end; without liking, of anything."""
    rng = np.random.default_rng(seed)
    groups = videos(30), videos(30)
    people = [Member.objects.create(name=f"viewer {number}") for number in range(viewers)]
    began = timezone.now() - timedelta(days=9)
    Watch.objects.bulk_create(
        Watch(
            event_id=uuid.uuid4(),
            viewer=person,
            item=item,
            started_at=began + timedelta(minutes=int(minute)),
            received_at=began,
            watch_ms=MINUTE_MS,
            duration_ms=MINUTE_MS,
        )
        for number, person in enumerate(people)
        for item, minute in zip(
            rng.permutation(np.array(groups[number % 2] if liking else [*groups[0], *groups[1]], object))[:each],
            rng.integers(0, 9 * 24 * 60, each),
            strict=True,
        )
    )
    return groups
