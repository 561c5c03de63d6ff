"""Judging a model in a process of its own, which shows on the error stream how far it is."""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

from tqdm import tqdm

from recommender.ml.evaluation import Measured, Question, measure


def measured_apart(question: Question) -> Measured:
    """Return the figures of a model that had a process to itself, so that its peak of memory is its own.

    Raises BrokenData, UnknownModel or TrainingFailed.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_watched, question).result()


def _watched(question: Question) -> Measured:
    with (
        tqdm(desc=f"{question.model}: fit", unit="step", file=sys.stderr, leave=False) as fit,
        tqdm(desc=f"{question.model}: rank", unit="viewer", file=sys.stderr, leave=False) as rank,
    ):

        def fitting(done: int, total: int) -> None:
            fit.total = total
            fit.update(done - fit.n)

        return measure(question, fitting=fitting, ranking=rank.update)
