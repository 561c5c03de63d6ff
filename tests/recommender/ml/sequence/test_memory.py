"""What is not used goes back to the system."""

import platform
from pathlib import Path

import pytest

from recommender.ml.sequence.memory import give_back


def held_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no malloc_trim")
def test_gaps_below_what_is_still_used_are_given_back() -> None:
    blocks = [bytearray(b"x" * 100_000) for _ in range(2_000)]
    last = blocks.pop()
    blocks.clear()
    before = held_mb()

    give_back()

    assert held_mb() < before - 100
    assert last
