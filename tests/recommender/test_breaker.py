"""A stage that fails or hangs is left out for a while, and tried again."""

import logging
import threading
import time

import pytest

from recommender.serving.breaker import Breaker, State


def quick(name: str) -> Breaker:
    return Breaker(name, deadline_s=0.05, failures=3, rest_s=0.2)


def broken() -> str:
    raise ValueError("no such node")


def test_a_stage_that_works_is_asked_every_time() -> None:
    breaker = quick("ranker")

    assert [breaker.call(lambda: "ranked", otherwise="as it was") for _ in range(5)] == ["ranked"] * 5
    assert (breaker.state, breaker.reason) == (State.CLOSED, "")


def test_after_some_failures_it_is_not_asked_any_more(caplog: pytest.LogCaptureFixture) -> None:
    breaker, asked = quick("ranker"), list[int]()

    def fail() -> str:
        asked.append(1)
        raise ValueError("no such node")

    with caplog.at_level(logging.ERROR):
        answers = [breaker.call(fail, otherwise="as it was") for _ in range(10)]

    assert (answers, len(asked)) == (["as it was"] * 10, 3)
    assert (breaker.state, breaker.reason) == (State.OPEN, "ValueError('no such node')")
    assert "stage ranker failed 3 times" in caplog.text


def test_when_it_has_rested_one_call_tries_it() -> None:
    breaker = quick("ranker")
    for _ in range(3):
        breaker.call(broken, otherwise="")
    time.sleep(0.25)

    states = [breaker.state]
    assert breaker.call(lambda: "ranked", otherwise="") == "ranked"

    assert [*states, breaker.state] == [State.HALF_OPEN, State.CLOSED]


def test_a_trial_that_fails_opens_it_again() -> None:
    breaker, asked = quick("ranker"), list[int]()
    for _ in range(3):
        breaker.call(broken, otherwise="")
    time.sleep(0.25)

    breaker.call(broken, otherwise="")
    breaker.call(lambda: asked.append(1), otherwise=None)

    assert (breaker.state, asked) == (State.OPEN, [])


def test_a_stage_that_hangs_holds_up_one_request() -> None:
    breaker, released = quick("encoder"), threading.Event()

    def hang() -> str:
        released.wait(5)
        return "encoded"

    breaker.call(lambda: time.sleep(0.06), otherwise=None)  # the one that is waited for

    began = time.perf_counter()
    answers = [breaker.call(hang, otherwise="skipped") for _ in range(20)]
    took = time.perf_counter() - began
    released.set()

    assert answers == ["skipped"] * 20
    assert took < 1
    assert (breaker.reason, breaker.failures) == ("slow", 2)


def test_what_was_a_moment_slow_recovers() -> None:
    breaker = quick("encoder")
    breaker.call(lambda: time.sleep(0.06), otherwise=None)

    assert breaker.call(lambda: "encoded", otherwise="") == "encoded"
    assert breaker.failures == 0


def test_no_memory_is_a_failure_like_any_other() -> None:
    breaker = quick("ranker")

    def too_large() -> str:
        raise MemoryError

    assert breaker.call(too_large, otherwise="as it was") == "as it was"
    assert breaker.reason == "MemoryError()"
