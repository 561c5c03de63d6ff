"""`manage.py train_course_tagger`: learn to tell what reviews praise and blame, and say how well."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recommender.ml.tagger import fitting, judging, sentences
from recommender.ml.tagger.fitting import Config, Epoch
from recommender.ml.tagger.sentences import SHIPPED, BrokenSentences
from recommender.ml.text import NoEncoder, weights_folder

SMALL = "small"


class Command(BaseCommand):
    """Needs no database: a file is read, learned from and judged in memory, and the tagger is written to a folder."""

    help = "Fine-tune a BERT tagger of praise and blame: loss and dev report per epoch, then the test report."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        plain = Config()
        parser.add_argument("--epochs", type=int, default=plain.epochs)
        parser.add_argument("--batch-size", type=int, default=plain.batch)
        parser.add_argument("--lr", type=float, default=plain.rate)
        parser.add_argument("--max-len", type=int, default=plain.longest, help="word-pieces of a text")
        parser.add_argument(
            "--model", help=f"folder of an encoder; `{SMALL}` for one of its own (default: the packaged MiniLM)"
        )
        parser.add_argument("--data", type=Path, default=SHIPPED, help="lines of JSON: text, spans, perhaps split")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--device", default="cpu")
        parser.add_argument("--to", type=Path, help="folder for the tagger (default: the installation's own)")

    def handle(self, **options: Any) -> None:
        config = Config(
            epochs=options["epochs"], batch=options["batch_size"], rate=options["lr"], longest=options["max_len"]
        )
        try:
            parts = sentences.parts(sentences.read(options["data"]))
            tagger = fitting.fit(
                parts["train"],
                parts["dev"],
                config=config,
                seed=options["seed"],
                folder=_folder(options["model"]),
                device=options["device"],
                told=self.told,
            )
        except (BrokenSentences, NoEncoder) as error:
            raise CommandError(f"{error.code}: {error}") from error
        report = judging.judged(tagger, parts["test"])
        baseline = judging.by_word(tagger, parts["train"], parts["test"])
        self.stdout.write(f"test\n{report.text}")
        self.stdout.write(f"each word by itself (baseline): macro F1 {baseline.macro_f1:.3f}")
        tagger.facts["test"] = report.rows
        to = options["to"] or Path(settings.STORAGE_DIR) / "tagger"
        tagger.save(to)
        self.stdout.write(f"written to {to}")

    def told(self, epoch: Epoch) -> None:
        self.stdout.write(f"epoch {epoch.number}: loss {epoch.loss:.4f}\ndev\n{epoch.dev.text}")


def _folder(model: str | None) -> Path | None:
    if model == SMALL:
        return None
    return weights_folder(Path(model) if model else None)
