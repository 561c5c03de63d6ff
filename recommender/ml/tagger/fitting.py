"""Fine-tuning a tagger: token classification as in "BERT" (Devlin et al., 2019), section 5.3.

Cross-entropy over the first pieces of words, AdamW with a linear rise and fall. What nobody has learned yet (the head,
the embeddings of characters that the encoder lacked, the whole of a small encoder) learns faster. The epoch that does
best on dev is kept. Shapes: n sentences, T pieces.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from recommender.ml.tagger.beginning import Beginning, Sizes, begin, finish
from recommender.ml.tagger.judging import Report, judged
from recommender.ml.tagger.pieces import IGNORED, Window, padded, padded_targets, targets, windows
from recommender.ml.tagger.sentences import LABELS, Sentence
from recommender.ml.tagger.tagger import Tagger
from recommender.ml.text_heads import Headed, headed

FASTER = 50  # times the rate, for what nobody has learned yet
RISING = 0.1  # of the steps


@dataclass(frozen=True)
class Config:
    """How long it learns, how fast, and from how much of a text."""

    epochs: int = 5
    batch: int = 16
    rate: float = 2e-5
    longest: int = 128
    sizes: Sizes = field(default_factory=Sizes)


@dataclass(frozen=True)
class Epoch:
    """How an epoch went: the mean loss of a word, and the report on dev."""

    number: int
    loss: float
    dev: Report


Told = Callable[[Epoch], None]


def fit(
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    *,
    config: Config,
    seed: int,
    folder: Path | None = None,
    device: str = "cpu",
    told: Told | None = None,
) -> Tagger:
    """Return a tagger that has learned from `train`, of the epoch that was best on `dev`.

    It begins with the encoder of a folder, or with a small one of its own. Raises NoEncoder.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        begun = begin([of.text for of in train], folder=folder, sizes=config.sizes)
        model = headed(begun.encoder, "tag", classes=len(LABELS)).to(device)
        tagger = Tagger(begun.tokenizer, model, config.longest, {"seed": seed, "config": asdict(config)})
        best, kept = -1.0, model.state_dict()
        for number, loss in enumerate(_epochs(tagger, begun, train, config, seed), 1):
            report = judged(tagger, dev)
            if report.macro_f1 > best:
                best, kept = report.macro_f1, {name: of.clone() for name, of in model.state_dict().items()}
            if told:
                told(Epoch(number, loss, report))
        model.load_state_dict(kept)
    finish(model.encoder)
    model.eval()
    return tagger


def loss(model: Headed, pieces: dict[str, Tensor], target: Tensor) -> Tensor:
    """Return the mean cross-entropy over the words of a batch (n, T); 0 where it has none."""
    logits = model(pieces)  # (n, T, 3)
    total = cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=IGNORED, reduction="sum")
    return total / (target != IGNORED).sum().clamp(min=1)


def _epochs(tagger: Tagger, begun: Beginning, train: Sequence[Sentence], config: Config, seed: int) -> Iterator[float]:
    """Learn, and yield the mean loss after each epoch."""
    read = windows(tagger.tokenizer, [of.text for of in train], longest=config.longest, whole=False)
    aims = [targets(window, train[window.text]) for window in read]
    optimiser = torch.optim.AdamW(_groups(tagger.model, begun.new, config.rate))
    steps = config.epochs * -(-len(read) // config.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _share(step, steps))
    rng = np.random.default_rng(seed)
    for _ in range(config.epochs):
        tagger.model.train()
        order = rng.permutation(len(read))
        losses = []
        for first in range(0, len(order), config.batch):
            places = order[first : first + config.batch]
            error = loss(tagger.model, *_batch(tagger, [read[at] for at in places], [aims[at] for at in places]))
            optimiser.zero_grad()
            error.backward()
            nn.utils.clip_grad_norm_(tagger.model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(error.detach()))
        tagger.model.eval()
        yield float(np.mean(losses))


def _batch(tagger: Tagger, read: list[Window], aims: list[list[int]]) -> tuple[dict[str, Tensor], Tensor]:
    device = next(tagger.model.parameters()).device
    pieces = padded(tagger.tokenizer, read, device)
    return pieces, padded_targets(aims, pieces["input_ids"].shape[1]).to(device)


def _groups(model: Headed, new: Sequence[nn.Parameter], rate: float) -> list[dict[str, object]]:
    fast = [*new, *model.head.parameters()]
    known = {id(of) for of in fast}
    slow = [of for of in model.parameters() if id(of) not in known]
    groups = [{"params": slow, "lr": rate}, {"params": fast, "lr": FASTER * rate}]
    return [group for group in groups if group["params"]]


def _share(step: int, steps: int) -> float:
    """Return the share of the rate at a step: up for a tenth of them, then down to nothing."""
    rising = max(1, round(RISING * steps))
    return min((step + 1) / rising, max(0.0, (steps - step) / max(1, steps - rising)))
